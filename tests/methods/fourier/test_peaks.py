"""Correlation surfaces against sums written out, and Fourier-Mellin against turns by construction."""

import numpy as np
import pytest

from napari_histreg.methods.fourier.fourier_mellin import tapered, turns_and_scales
from napari_histreg.methods.fourier.peaks import find_peak, masked_correlation, phase_surface
from phantoms import pair


def test_masked_correlation_is_the_correlation_of_what_both_masks_allow() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.random((14, 17)), rng.random((12, 11))
    mask_a, mask_b = rng.random(a.shape) > 0.2, rng.random(b.shape) > 0.3
    surface = masked_correlation(a, b, mask_a, mask_b, least_overlap=0.05)
    for dy, dx in ((0, 0), (-3, -5), (4, 2), (-6, 3)):
        pairs = [
            (a[y, x], b[y + dy, x + dx])
            for y in range(14)
            for x in range(17)
            if 0 <= y + dy < 12 and 0 <= x + dx < 11 and mask_a[y, x] and mask_b[y + dy, x + dx]
        ]
        expected = np.corrcoef(np.array(pairs).T)[0, 1]
        assert surface[dy, dx] == pytest.approx(expected, abs=1e-9)


def test_too_little_overlap_is_not_looked_at() -> None:
    plane = np.random.default_rng(0).random((20, 20))
    mask = np.ones((20, 20), bool)
    surface = masked_correlation(plane, plane, mask, mask, least_overlap=0.5)
    assert surface[0, 0] == pytest.approx(1)
    assert surface[15, 0] == -np.inf


def test_the_phase_peak_has_the_sign_of_the_contrast() -> None:
    rng = np.random.default_rng(1)
    big = rng.standard_normal((80, 80))
    a, b = big[10:70, 10:70], big[7:67, 15:75]
    for sign in (1, -1):
        surface = phase_surface(a, sign * b, (120, 120), smoothing_px=1.0)
        peak = find_peak(sign * surface, apart=4)
        assert np.round(peak.shift).tolist() == [3, -5]
        assert peak.margin > 2


@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (33.0, 1.0), (-70.0, 1.2), (12.0, 0.8)])
def test_turn_and_scale_from_the_magnitudes(angle: float, scale: float) -> None:
    case = pair(angle_deg=angle, scale=scale)
    mask = np.ones(case.fixed.shape, bool)
    planes = [tapered(raster.pixels, mask) for raster in (case.fixed, case.moving)]
    found_angle, found_scale = turns_and_scales(*planes, largest_scale=1.5, count=1)[0]
    # A quarter of a degree is the step of the log-polar grid.
    assert abs((found_angle - angle + 90) % 180 - 90) < 0.25
    assert found_scale == pytest.approx(scale, rel=0.01)
