"""The stated bound holds about nine of ten true errors, whatever the measurements' errors are shaped like."""

import numpy as np
import pytest

from napari_histreg.matching.smooth_field import fit_smooth_field
from napari_histreg.registration.automatic.bending.pieces import PiecewiseField
from napari_histreg.registration.automatic.bending.uncertainty import Uncertainty, conformal_quantile


def truth(places):
    return np.stack([8 * np.sin(places[:, 1] / 300), 6 * np.cos(places[:, 0] / 260)], -1)


def field(rng, noise):
    places = rng.uniform(0, 2000, (180, 2))
    values = truth(places) + noise(rng, places.shape)
    return PiecewiseField((fit_smooth_field(places, values, np.full(len(places), 0.05)),))


def even(rng, shape):
    return rng.normal(0, 0.05, shape)


def heavy(rng, shape):
    return 0.05 * rng.standard_t(3, shape)


@pytest.mark.parametrize("noise", [even, heavy])
def test_nine_of_ten_left_out_tiles_lie_within_their_bound(noise):
    held = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        sure = Uncertainty(field(rng, noise), 0.1)
        fresh = rng.uniform(100, 1900, (400, 2))
        # What a further tile would be off: the field's error and its own.
        off = np.linalg.norm(sure.field(fresh) - truth(fresh) - noise(rng, fresh.shape), axis=1)
        held.append((off <= sure.bound(fresh)).mean())
    assert 0.83 < np.mean(held) < 0.96


def test_a_quantile_of_few_is_their_largest():
    assert conformal_quantile(np.array([3.0, 1.0, 2.0]), 0.9) == 3.0
    assert conformal_quantile(np.arange(1.0, 100.0), 0.9) == 90.0
