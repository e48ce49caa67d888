"""Tiles: the displacement that was added is the one that is told, and equal draws are equal."""

import numpy as np
import pytest

from learning_planes import prepared_set
from napari_histreg.learning.deformations import shown
from napari_histreg.learning.tiles import draw_tile, padded


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    return prepared_set(tmp_path_factory.mktemp("tiles"), 2)


def test_the_told_displacement_brings_the_planes_together(examples):
    before, after = [], []
    for seed in range(8):
        tile = draw_tile(examples, 0, 32, 4.0, 0.0, np.random.default_rng(seed))
        back = shown(tile.moving, tile.field)
        inner = (slice(6, -6), slice(6, -6))
        before.append(np.corrcoef(tile.fixed[inner].ravel(), tile.moving[inner].ravel())[0, 1])
        after.append(np.corrcoef(tile.fixed[inner].ravel(), back[inner].ravel())[0, 1])
    assert np.median(after) > 0.95
    assert 1 - np.median(after) < 0.5 * (1 - np.median(before))


def test_equal_draws_are_equal_and_others_are_not(examples):
    first, again, other = (draw_tile(examples, 1, 32, 4.0, 0.5, np.random.default_rng(s)) for s in (1, 1, 2))
    for name in ("fixed", "moving", "weight", "field"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.fixed, other.fixed)


def test_a_plane_smaller_than_a_tile_is_carried_on(examples):
    tile = draw_tile(examples, 0, 64, 3.0, 0.0, np.random.default_rng(0))
    assert tile.fixed.shape == tile.moving.shape == tile.weight.shape == (64, 64)
    assert padded(np.ones((5, 9), np.float32), 8, 8).shape == (8, 9)
