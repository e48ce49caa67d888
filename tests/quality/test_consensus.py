"""The common part of many shifts, whatever a minority of them says."""

import numpy as np
import pytest

from napari_histreg.quality.consensus import robust_affine
from napari_histreg.transforms import Similarity

GRID = np.stack(np.meshgrid(np.arange(0.0, 400, 50), np.arange(0.0, 400, 50), indexing="ij"), -1)
TRUTH = Similarity.of(angle_deg=3, scale=1.05, translation=(7, -12), centre=(200, 200))


def found(share_wrong, seed=0):
    rng = np.random.default_rng(seed)
    targets = TRUTH(GRID.reshape(-1, 2)) + rng.normal(0, 0.2, (GRID.size // 2, 2))
    wrong = rng.permutation(len(targets))[: round(share_wrong * len(targets))]
    targets[wrong] += rng.uniform(-150, 150, (len(wrong), 2))
    return targets.reshape(GRID.shape)


@pytest.mark.parametrize("share_wrong", [0.0, 0.2, 0.45])
def test_the_majority_decides(share_wrong):
    fit = robust_affine(GRID, found(share_wrong), np.ones(GRID.shape[:2], bool), 1.0)
    assert fit is not None
    assert np.abs(fit(GRID.reshape(-1, 2)) - TRUTH(GRID.reshape(-1, 2))).max() < 1.0


def test_blocks_that_are_not_judged_do_not_count():
    targets, judged = found(0.0), np.zeros(GRID.shape[:2], bool)
    judged[2:7, 2:7] = True
    targets[~judged] = 1e6
    fit = robust_affine(GRID, targets, judged, 1.0)
    assert np.abs(fit(GRID[judged]) - TRUTH(GRID[judged])).max() < 1.0


@pytest.mark.parametrize(
    "targets",
    [
        GRID * [1, -1],  # a mirror is no remainder of an alignment
        GRID * 3.0,  # nor is threefold size
        np.random.default_rng(0).uniform(0, 400, GRID.shape),
    ],
)
def test_what_no_alignment_leaves_is_no_consensus(targets):
    assert robust_affine(GRID, targets, np.ones(GRID.shape[:2], bool), 1.0) is None


def test_too_few_blocks_say_nothing():
    few = np.zeros(GRID.shape[:2], bool)
    few[0, :4] = True
    assert robust_affine(GRID, found(0.0), few, 1.0) is None
