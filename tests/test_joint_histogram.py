"""Mutual information at all shifts at once is that of each shift by itself."""

import numpy as np
import pytest

from napari_histreg.cell_agreement import agreement_of_cells, chessboard
from napari_histreg.joint_histogram import ShiftMap, information, quantised


@pytest.mark.parametrize("shape", [(14, 17), (6, 8, 7)])
def test_all_shifts_at_once_are_each_by_itself(shape):
    rng = np.random.default_rng(0)
    bins = 4
    a, b = (rng.integers(-1, bins, shape).astype(np.int8) for _ in range(2))
    found, shifts = ShiftMap(a, bins, shape)(b)
    checked = 0
    for place in np.argwhere(np.isfinite(found))[::7]:
        shift = shifts[(slice(None), *place)]
        counts = np.zeros((bins, bins))
        for index in np.ndindex(*shape):
            other = tuple(index + shift)
            if all(0 <= o < n for o, n in zip(other, shape, strict=True)) and a[index] >= 0 and b[other] >= 0:
                counts[a[index], b[other]] += 1
        share = counts / counts.sum()
        p, q = share.sum(1), share.sum(0)
        bits = [-(v[v > 0] * np.log2(v[v > 0])).sum() for v in (p, q, share)]
        assert found[tuple(place)] == pytest.approx(
            2 * (bits[0] + bits[1] - bits[2]) / (bits[0] + bits[1]), abs=1e-6
        )
        checked += 1
    assert checked > 3


def test_independent_values_share_nothing():
    assert information(np.ones((3, 3))) == pytest.approx(0)


def test_bins_are_of_equal_size():
    values = np.random.default_rng(0).random((50, 50)).astype(np.float32)
    mask = values > 0.2
    labels = quantised(values, mask, 5)
    assert (labels[~mask] == 0).all()
    counts = np.bincount(labels[mask], minlength=5)[1:]
    assert counts.max() - counts.min() <= 2


@pytest.mark.parametrize(("shift", "share"), [(0, (0.95, 1.0)), (4, (0.0, 0.1))])
def test_cells_tell_a_right_pose_from_a_shifted_one(shift, share):
    from scipy.ndimage import gaussian_filter

    reach, size = 6, 120
    field = gaussian_filter(np.random.default_rng(1).normal(size=(size + 2 * reach,) * 2), 3).astype(
        np.float32
    )
    everywhere = np.ones(field.shape, bool)
    first = quantised(field, everywhere, 8)[reach:-reach, reach:-reach]
    second = quantised(
        -np.roll(field, shift, axis=1), everywhere, 8
    )  # values turned round, as in another modality
    full = np.ones(first.shape, bool)
    found = agreement_of_cells(
        first, second, full, full, chessboard(first.shape, 20), bins=8, reach=reach, near=1.5
    )
    assert found.tested == 36
    assert share[0] <= found.share <= share[1]
