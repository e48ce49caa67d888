"""A slide's pixels at any spacing, anti-aliased, with their place right to the half pixel."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Frame, Region
from napari_histreg.slides.slide import Slide

__all__ = ["Planes", "read_planes", "working_spacing"]

STRIP_BYTES = 64 * 2**20
"""Pixels held at once while reading a level that is much finer than what is asked."""


@dataclass(frozen=True, eq=False)
class Planes:
    """Channels of a slide at one spacing.

    Parameters
    ----------
    pixels : (C, Y, X) ndarray of float32
        In the slide's own intensities; NaN where the slide is NaN.
    frame : Frame
        Where the pixels lie.
    """

    pixels: NDArray[np.float32]
    frame: Frame


def working_spacing(slide: Slide, max_size_px: int) -> float:
    """Return the spacing (world units) at which the slide's longer side has `max_size_px` pixels.

    Never finer than level 0.
    """
    if max_size_px < 8:
        raise ValueError(f"A picture to align needs at least 8 pixels along a side, not {max_size_px}.")
    return max(max(slide.size) / max_size_px, max(slide.world_pixel_size))


def read_planes(slide: Slide, spacing: float, channels: Sequence[int] | None = None) -> Planes:
    """Read a whole slide at a spacing.

    The coarsest level that is fine enough is read in strips and averaged, so that nothing is aliased
    and memory stays small whatever the size of the level.

    Parameters
    ----------
    slide : Slide
        What to read.
    spacing : float
        Distance of pixel centres in world units, both directions; below level 0's it interpolates.
    channels : sequence of int, optional
        Which channels; all by default.

    Returns
    -------
    Planes
        Covers the same area as the slide, up to part of a pixel at the far edges.

    Examples
    --------
    >>> from napari_histreg.slides.opening import open_slide
    >>> slide = open_slide(np.arange(16.0, dtype=np.float32).reshape(4, 4), pixel_size_um=0.5)
    >>> planes = read_planes(slide, 1.0)
    >>> planes.pixels.shape, planes.frame.origin
    ((1, 2, 2), (0.25, 0.25))
    """
    if not spacing > 0:
        raise ValueError(f"The spacing must be positive, not {spacing}.")
    level = slide.level_for_spacing(spacing)
    height, width = slide.levels[level].shape
    step = slide.spacing(level)
    shape = [max(1, math.ceil(size / spacing - 1e-6)) for size in slide.size]
    start = [-0.5 * p for p in slide.world_pixel_size]
    origin = (start[0] + 0.5 * spacing, start[1] + 0.5 * spacing)
    rows = _weights(height, step[0], shape[0], spacing)
    columns = _weights(width, step[1], shape[1], spacing)
    count = len(slide.channels) if channels is None else len(channels)
    total = np.zeros((count, *shape), np.float32)
    weight = np.zeros((count, *shape), np.float32)
    strip = max(1, STRIP_BYTES // max(1, width * count * 4))
    for y in range(0, height, strip):
        part = slide.read(level, Region(y, 0, min(strip, height - y), width), channels)
        for c in range(count):
            # What single precision cannot hold becomes infinite, and counts as no value like NaN.
            with np.errstate(over="ignore"):
                plane = part[c].astype(np.float32)
            finite = np.isfinite(plane)
            if not finite.all():
                plane = np.where(finite, plane, 0)
            used = rows[:, y : y + plane.shape[0]]
            total[c] += used @ (columns @ plane.T).T
            share = (columns @ finite.T.astype(np.float32)).T if not finite.all() else None
            weight[c] += (
                np.outer(np.asarray(used.sum(1)).ravel(), np.asarray(columns.sum(1)).ravel())
                if share is None
                else used @ share
            )
    pixels = np.where(weight > 0.5, total / np.maximum(weight, 1e-6), np.nan)
    return Planes(pixels.astype(np.float32), Frame.square(pixels.shape[1:], spacing, origin))


def _weights(length: int, step: float, count: int, spacing: float) -> Any:
    """Return the sparse (count, length) matrix that resamples a line with a tent as wide as needed."""
    from scipy.sparse import csr_array

    factor = spacing / step
    if abs(factor - 1) < 1e-9:
        index = np.arange(min(count, length))
        return csr_array((np.ones(len(index), np.float32), (index, index)), shape=(count, length))
    # Both lines of pixels start at the same edge.
    centres = (np.arange(count) + 0.5) * factor - 0.5
    reach = max(factor, 1.0)
    taps = np.floor(centres - reach).astype(int)[:, None] + np.arange(int(np.ceil(2 * reach)) + 3)
    away = taps - centres[:, None]
    if factor < 1:
        values = np.maximum(1 - np.abs(away), 0)
    else:
        # The tent is integrated over each pixel: weights then add up to 1 whatever the phase, and
        # the centre of gravity of anything stays where it was.
        values = _tent_up_to((away + 0.5) / reach) - _tent_up_to((away - 0.5) / reach)
    # Beyond the ends the last pixel is repeated.
    taps = np.clip(taps, 0, length - 1)
    index = np.repeat(np.arange(count), taps.shape[1])
    return csr_array((values.ravel().astype(np.float32), (index, taps.ravel())), shape=(count, length))


def _tent_up_to(t: FloatArray) -> FloatArray:
    """Return the integral from -1 to t of the tent of height 1 between -1 and 1."""
    t = np.clip(t, -1, 1)
    return np.asarray(np.where(t < 0, 0.5 * (1 + t) ** 2, 1 - 0.5 * (1 - t) ** 2))
