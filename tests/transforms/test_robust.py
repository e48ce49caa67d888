"""Robust fits find the pairs that agree among those that do not."""

import numpy as np
import pytest

from napari_histreg.errors import DegenerateFit
from napari_histreg.transforms import MODELS, Rigid, fit_robust
from transforms_truth import TRUTH


def pairs(model: str, good: int, bad: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a known transform with noise of 1 unit, and pairs of nothing; shuffled."""
    rng = np.random.default_rng(seed)
    fixed = rng.uniform(0, 20_000, (good + bad, 2))
    moving = TRUTH[model](fixed) + rng.normal(0, 1, fixed.shape)
    low, high = moving.min(0), moving.max(0)
    moving[good:] = rng.uniform(low, high, (bad, 2))
    order = rng.permutation(good + bad)
    return fixed[order], moving[order], (np.arange(good + bad) < good)[order]


@pytest.mark.parametrize("model", MODELS)
def test_the_wrong_half_is_told_apart(model: str) -> None:
    fixed, moving, truth = pairs(model, 60, 60)
    fit = fit_robust(model, fixed, moving, tolerance=5)
    # A normal error leaves 5 standard deviations once in a million; a random pair falls into a circle
    # of 5 units in a field of thousands about as rarely.
    assert np.array_equal(fit.inliers, truth)
    assert fit.fixed_to_moving.kind == model
    assert np.abs(fit.fixed_to_moving(fixed) - TRUTH[model](fixed)).max() < 3


@pytest.mark.parametrize("model", ["rigid", "similarity"])
def test_a_mirror_is_found_where_allowed(model: str) -> None:
    fixed = np.random.default_rng(0).uniform(0, 1000, (40, 2))
    truth = Rigid.of(angle_deg=77, mirrored=True, translation=(5, 5))
    moving = truth(fixed)
    moving[:10] += 300
    found = fit_robust(model, fixed, moving, tolerance=1, allow_mirror=True)
    assert found.fixed_to_moving.mirrored
    assert found.inliers.sum() == 30
    with pytest.raises(DegenerateFit, match="mirror"):
        fit_robust(model, fixed, moving, tolerance=1)


def test_a_seed_gives_one_answer() -> None:
    fixed, moving, _ = pairs("affine", 30, 60)
    a, b = (fit_robust("affine", fixed, moving, tolerance=3, rng=7) for _ in range(2))
    assert a.fixed_to_moving == b.fixed_to_moving
    assert np.array_equal(a.inliers, b.inliers)


def test_one_good_pair_in_eight_is_enough_for_a_similarity() -> None:
    fixed, moving, truth = pairs("similarity", 50, 350)
    fit = fit_robust("similarity", fixed, moving, tolerance=5)
    assert fit.inliers[truth].all()
    # 350 random pairs in circles of 5 units: at most a stray one.
    assert fit.inliers[~truth].sum() <= 2


@pytest.mark.parametrize("model", MODELS[1:])
def test_pairs_of_nothing_are_refused(model: str) -> None:
    rng = np.random.default_rng(3)
    with pytest.raises(DegenerateFit, match="agree"):
        fit_robust(model, rng.uniform(0, 1e5, (7, 2)), rng.uniform(0, 1e5, (7, 2)), tolerance=0.01)


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(DegenerateFit, match="at least 3"):
        fit_robust("rigid", [[0, 0], [1, 1]], [[0, 0], [1, 1]], tolerance=1)


def test_all_points_at_one_place_are_refused() -> None:
    with pytest.raises(DegenerateFit):
        fit_robust("similarity", np.ones((9, 2)), np.ones((9, 2)), tolerance=1)


def test_unplaced_points_count_as_wrong() -> None:
    fixed, moving, truth = pairs("rigid", 20, 5)
    lost = int(np.flatnonzero(truth)[0])
    moving[lost] = np.nan
    fit = fit_robust("rigid", fixed, moving, tolerance=5)
    assert not fit.inliers[lost]
    assert fit.inliers.sum() == 19


@pytest.mark.parametrize("tolerance", [0, -1, np.nan, np.inf])
def test_a_tolerance_is_a_positive_number(tolerance: float) -> None:
    with pytest.raises(ValueError, match="tolerance"):
        fit_robust("rigid", np.eye(2), np.eye(2), tolerance=tolerance)


def test_bad_arguments_are_value_errors() -> None:
    with pytest.raises(ValueError, match="no model"):
        fit_robust("cubic", np.eye(2), np.eye(2), tolerance=1)
    with pytest.raises(ValueError, match="pairs"):
        fit_robust("rigid", np.eye(2), np.ones((3, 2)), tolerance=1)
