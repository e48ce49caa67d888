"""What correlation maps say, and what they do not."""

import numpy as np

from napari_histreg.matching.soft_shifts import agreement_at, soft_shifts

GRID = np.arange(-6, 7.0)


def hill(y, x, height=8.0, width=2.0):
    return height * np.exp(-((GRID[:, None] - y) ** 2 + (GRID[None, :] - x) ** 2) / (2 * width**2))


def test_a_sharp_peak_is_found_below_a_pixel():
    shifts, information = soft_shifts(hill(1.3, -2.6)[None], np.zeros((1, 2)), 3.0)
    # Of a peak this sharp only two or three whole pixels count: an eighth of a pixel is lost.
    np.testing.assert_allclose(shifts, [[1.3, -2.6]], atol=1 / 8)
    assert np.linalg.eigvalsh(information[0]).min() > 1


def test_a_flat_map_says_nothing():
    _, information = soft_shifts(np.full((1, 13, 13), 2.0), np.zeros((1, 2)), 1.5)
    assert np.linalg.eigvalsh(information[0]).max() < 0.1


def test_an_edge_is_known_across_only():
    edge = np.broadcast_to(hill(1.0, 0.0)[:, 6:7], (13, 13)).copy()
    shifts, information = soft_shifts(edge[None], np.zeros((1, 2)), 1.5)
    assert abs(shifts[0, 0] - 1.0) < 0.1
    assert information[0, 0, 0] > 10 * information[0, 1, 1]


def test_a_far_peak_is_not_followed():
    near, far = hill(0.5, 0.0, height=3.0), hill(-5.0, 5.0, height=4.0, width=1.0)
    shifts, _ = soft_shifts(np.maximum(near, far)[None], np.zeros((1, 2)), 1.0)
    np.testing.assert_allclose(shifts, [[0.5, 0.0]], atol=0.3)


def test_agreement_is_read_between_pixels_and_is_none_beyond():
    z = hill(0.0, 0.0)[None]
    np.testing.assert_allclose(
        agreement_at(z, np.array([[0.5, -1.5]])), hill(0, 0)[6, 6] * np.exp(-2.5 / 8), rtol=0.02
    )
    assert agreement_at(z, np.array([[0.0, 6.2]])).tolist() == [0.0]
    assert agreement_at(z, np.array([[6.0, -6.0]]))[0] == z[0, -1, 0]
