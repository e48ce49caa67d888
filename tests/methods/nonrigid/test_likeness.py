"""Losses and their derivatives: against finite differences and plain sums."""

import numpy as np
import pytest
from scipy import ndimage

from napari_histreg.methods.nonrigid.likeness import (
    edge_product,
    local_correlation,
    mutual_information,
    squared_difference,
)

SHAPE = (36, 30)


def planes():
    rng = np.random.default_rng(3)
    smooth = [ndimage.gaussian_filter(rng.normal(size=SHAPE), 1.5) for _ in range(2)]
    fixed, other = (plane / plane.std() for plane in smooth)
    weight = np.ones(SHAPE)
    weight[:5] = 0
    return [np.asarray(p, np.float32) for p in (fixed, 0.6 * fixed + 0.5 * other, weight)]


@pytest.mark.parametrize("loss", [squared_difference, edge_product, local_correlation, mutual_information])
def test_the_derivative_is_that_of_the_loss(loss):
    fixed, moving, weight = planes()
    slope = loss(fixed, moving, weight, 3.0)[1]
    change = np.asarray(ndimage.gaussian_filter(np.random.default_rng(5).normal(size=SHAPE), 1.0), np.float32)
    step = np.float32(1e-2)
    up, down = (loss(fixed, moving + sign * step * change, weight, 3.0)[0] for sign in (1, -1))
    # A histogram with linear bins has corners where a pixel passes from one bin to the next.
    assert float((slope * change).sum()) == pytest.approx((up - down) / (2 * step), rel=0.05)


def test_local_correlation_is_what_windows_say_one_by_one():
    fixed, moving, weight = planes()
    inner = np.zeros_like(weight)
    inner[18, 15] = 1
    y, x = np.indices(SHAPE)
    window = np.exp(-((y - 18) ** 2 + (x - 15) ** 2) / (2 * 2.0**2))
    window /= window.sum()
    a, b = (p - (window * p).sum() for p in (fixed, moving))
    naive = (window * a * b).sum() ** 2 / ((window * a * a).sum() * (window * b * b).sum())
    # The floor under a variance takes a little away.
    assert local_correlation(fixed, moving, inner, 2.0)[0] == pytest.approx(-naive, rel=0.05)


def test_mutual_information_is_the_entropy_of_a_plane_with_itself():
    fixed, _, _ = planes()
    steps = np.round((fixed + 3) * 31 / 6) * 6 / 31 - 3
    steps = np.asarray(np.clip(steps, -3, 3), np.float32)
    _, counts = np.unique(np.round((steps + 3) * 31 / 6), return_counts=True)
    share = counts / counts.sum()
    value = mutual_information(steps, steps, np.ones_like(steps), 1.0)[0]
    assert value == pytest.approx((share * np.log(share)).sum(), rel=1e-3)
