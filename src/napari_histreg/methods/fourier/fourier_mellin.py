"""Rotation and scale between two planes from the magnitudes of their spectra."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.methods.fourier.peaks import find_peak

__all__ = ["tapered", "turns_and_scales"]

ANGLES = 720
RADII = 360
INNER = 0.03
"""Lowest spatial frequency looked at, as a share of the highest: below it lies the shape of the field."""


def tapered(plane: NDArray[Any], mask: NDArray[np.bool_], *, share: float = 0.15) -> NDArray[np.float32]:
    """Take the mean away and fade the plane out towards the border of its mask.

    Parameters
    ----------
    plane : (Y, X) ndarray
        Any values.
    mask : (Y, X) ndarray of bool
        True where valid.
    share : float
        Width of the fade as a share of the shorter side.

    Returns
    -------
    (Y, X) ndarray of float32
        0 where masked.
    """
    from scipy import ndimage

    if not mask.any():
        return np.zeros(plane.shape, np.float32)
    inside = np.pad(mask, 1)
    depth = ndimage.distance_transform_edt(inside)[1:-1, 1:-1]
    fade = np.sin(np.pi / 2 * np.minimum(depth / max(share * min(plane.shape), 1.0), 1)) ** 2
    mean = float((plane * fade).sum() / max(float(fade.sum()), 1e-12))
    return np.asarray((plane - mean) * fade, np.float32)


def turns_and_scales(
    fixed: NDArray[Any], moving: NDArray[Any], *, largest_scale: float, count: int
) -> list[tuple[float, float]]:
    """Measure by which turn and scale the content of two planes differs.

    A turn of half a circle leaves magnitudes as they are: each answer stands for two.

    Parameters
    ----------
    fixed, moving : (Y, X) ndarray
        Tapered planes with pixels of one size.
    largest_scale : float
        Scales from one over this to this are looked at.
    count : int
        At most so many answers.

    Returns
    -------
    list of (float, float)
        Turn in degrees, counter-clockwise on screen, over -90 to 90, and scale, of fixed to moving; the
        best first.
    """
    side = max(*fixed.shape, *moving.shape)
    a, b = _log_polar(fixed, side), _log_polar(moving, side)
    # Along the radius there is nothing beyond the ends; the angle closes on itself.
    shape = (ANGLES, 2 * RADII)
    cross = np.conj(np.fft.rfft2(a, shape)) * np.fft.rfft2(b, shape)
    surface = np.fft.irfft2(cross, shape)
    step = np.log(1 / INNER) / RADII
    reach = round(np.log(largest_scale) / step)
    surface[:, reach + 1 : shape[1] - reach] = -np.inf
    answers = []
    for _ in range(count):
        peak = find_peak(surface, apart=ANGLES * 3 / 180)
        if not np.isfinite(peak.height):
            break
        turn, stretch = peak.shift
        answers.append((turn * 180 / ANGLES, float(np.exp(-stretch * step))))
        rows = (np.arange(-24, 25) + round(turn)) % ANGLES
        columns = (np.arange(-24, 25) + round(stretch)) % shape[1]
        surface[np.ix_(rows, columns)] = -np.inf
    return answers


def _log_polar(plane: NDArray[Any], side: int) -> NDArray[np.float32]:
    """Give the log magnitudes by angle (half a circle) and log radius, each radius of mean 0 and length 1."""
    from scipy import fft, ndimage

    size = fft.next_fast_len(2 * side, real=True)
    magnitude = np.log(np.abs(fft.fftshift(fft.fft2(plane, (size, size)))) + 1e-6).astype(np.float32)
    magnitude = ndimage.gaussian_filter(magnitude, 1.0)
    # Beyond half of the highest frequency there is more noise than tissue.
    radius = 0.25 * size * INNER ** (1 - np.arange(RADII) / RADII)
    angle = np.arange(ANGLES) * np.pi / ANGLES
    centre = size // 2
    y = centre - radius[None] * np.sin(angle)[:, None]
    x = centre + radius[None] * np.cos(angle)[:, None]
    found = ndimage.map_coordinates(magnitude, [y, x], order=1)
    found -= found.mean(0)
    found /= found.std(0) + 1e-6
    return np.asarray(found, np.float32)
