"""Pyramid levels that a file does not have, computed when they are read.

A computed level halves the one before by 2 x 2 means. Its shape is rounded up, so that its
downsample is exactly twice that of its parent and `pixel_to_world` holds to the last digit: pixel
*i* is the mean of its parent's pixels *2i* and *2i + 1*, or of *2i* alone at an odd far edge.

Means of integers are rounded (halves upwards), means of floats leave NaN out, and integers of 32
bits and more as well as booleans are taken for labels: the most frequent of the four is kept, never
a blend.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import Region, halved
from napari_histreg.slides.bounds import check_scan
from napari_histreg.slides.slide import OVERVIEW_PX, Level, Slide

__all__ = ["halve", "is_label_dtype", "level_of", "nominal_downsample", "with_overview"]

# Levels up to this many pixels a side are kept once they are computed.
KEPT_SIDE_PX = 2 * OVERVIEW_PX
# A larger level is computed in blocks whose parent holds about this many pixels per channel.
BLOCK_PX = 1 << 22


def nominal_downsample(full: int, reduced: int) -> float:
    """Tell by how much one side of a level was reduced.

    Writers halve and drop or repeat the odd last pixel, so 4443 px become 2221 although the factor
    was 2 and not 2.0005. A power of two, or else another whole factor, is returned where rounding
    explains the size.

    Parameters
    ----------
    full, reduced : int
        Length of the side on level 0 and on the level, in pixels.

    Examples
    --------
    >>> nominal_downsample(4443, 2221), nominal_downsample(1000, 300)
    (2.0, 3.3333333333333335)
    """
    ratio = full / reduced
    for whole in (2 ** max(round(math.log2(ratio)), 0), max(round(ratio), 1)):
        if abs(full / whole - reduced) < 1:
            return float(whole)
    return ratio


def level_of(full: tuple[int, int], reduced: tuple[int, int]) -> Level:
    """Describe a level by its shape and that of level 0, both (Y, X).

    The longer side tells by how much a level was reduced; the shorter one follows where its size allows.

    Examples
    --------
    >>> level_of((3567, 4443), (1783, 2221)), level_of((1, 3000), (1, 750))
    (Level(shape=(1783, 2221), downsample=(2.0, 2.0)), Level(shape=(1, 750), downsample=(4.0, 4.0)))
    """
    longer = 0 if full[0] > full[1] else 1
    factor = nominal_downsample(full[longer], reduced[longer])
    other = nominal_downsample(full[1 - longer], reduced[1 - longer])
    if abs(full[1 - longer] / factor - reduced[1 - longer]) < 1:
        other = factor
    return Level(reduced, (factor, other) if longer == 0 else (other, factor))


def is_label_dtype(dtype: np.dtype[Any]) -> bool:
    """Tell whether pixels of this type number things rather than measure light."""
    return dtype.kind == "b" or (dtype.kind in "ui" and dtype.itemsize >= 4)


def halve(planes: NDArray[Any]) -> NDArray[Any]:
    """Reduce planes to half their size, rounded up, by 2 x 2 means.

    Parameters
    ----------
    planes : (C, Y, X) ndarray
        Any real dtype; for integers of 32 bits and more and for bool the majority is taken.

    Returns
    -------
    (C, ceil(Y / 2), ceil(X / 2)) ndarray
        In the same dtype.

    Examples
    --------
    >>> halve(np.array([[[1, 2, 5], [3, 4, 6]]], np.uint8)).tolist()
    [[[3, 6]]]
    """
    odd_y, odd_x = planes.shape[1] % 2, planes.shape[2] % 2
    if odd_y or odd_x:
        planes = np.pad(planes, ((0, 0), (0, odd_y), (0, odd_x)), mode="edge")
    if planes.size == 0:
        return planes[:, ::2, ::2]
    dtype = planes.dtype
    if dtype in (np.uint8, np.uint16):
        return _halve_light(planes)
    quads = planes[:, ::2, ::2], planes[:, ::2, 1::2], planes[:, 1::2, ::2], planes[:, 1::2, 1::2]
    if is_label_dtype(dtype):
        return _majority(*quads)
    if dtype.kind in "ui":
        total = sum(quad.astype(np.int32) for quad in quads)
        return np.asarray((total + 2) >> 2).astype(dtype)
    return _mean_of_known(quads, dtype)


def _halve_light(planes: NDArray[Any]) -> NDArray[Any]:
    """Halve unsigned integers of even size; OpenCV's area filter is the rounded 2 x 2 mean."""
    import cv2

    count, height, width = planes.shape
    if count in (3, 4) and planes.strides[0] == planes.itemsize:
        pixels = cv2.resize(
            np.ascontiguousarray(np.moveaxis(planes, 0, -1)),
            (width // 2, height // 2),
            interpolation=cv2.INTER_AREA,
        )
        return np.moveaxis(pixels, -1, 0)
    out = np.empty((count, height // 2, width // 2), planes.dtype)
    for plane, half in zip(planes, out, strict=True):
        cv2.resize(
            np.ascontiguousarray(plane), (width // 2, height // 2), dst=half, interpolation=cv2.INTER_AREA
        )
    return out


def _majority(a: NDArray[Any], b: NDArray[Any], c: NDArray[Any], d: NDArray[Any]) -> NDArray[Any]:
    """Return the most frequent of four labels; `a` where none is."""
    return np.where(
        (b == c) | (b == d),
        np.where((a == c) | (a == d) | (a == b), a, b),
        np.where(c == d, np.where(a == b, a, c), a),
    )


def _mean_of_known(quads: tuple[NDArray[Any], ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the mean of those of four floats that are not NaN; NaN where all are."""
    wide = np.float64 if dtype.itemsize > 4 else np.float32
    total: NDArray[Any] = np.sum([quad.astype(wide) for quad in quads], axis=0)
    if not np.isnan(total).any():
        return np.asarray(total / 4).astype(dtype)
    count = np.sum([~np.isnan(quad) for quad in quads], axis=0)
    known = [np.where(np.isnan(quad), 0, quad).astype(wide) for quad in quads]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sum(known, axis=0) / count).astype(dtype)


class _Reduced:
    """Pixel source that adds computed levels below those of another source."""

    def __init__(self, slide: Slide, levels: Sequence[Level], native: int, channels: int) -> None:
        self._inner = slide.source
        self._slide = slide
        self._shapes = [level.shape for level in levels]
        self._native = native
        self._channels = channels
        self._kept: dict[tuple[int, int], NDArray[Any]] = {}
        self._locks = [threading.Lock() for _ in levels]

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        if level < self._native:
            return self._inner.read(level, region, channels)
        wanted = list(range(self._channels)) if channels is None else list(channels)
        if level == len(self._shapes) - 1:
            check_scan(self._slide, len(wanted))
        if max(self._shapes[level]) > KEPT_SIDE_PX:
            return self._compute(level, region, wanted)
        with self._locks[level]:
            missing = sorted({c for c in wanted if (level, c) not in self._kept})
            if missing:
                whole = self._compute(level, Region.whole(self._shapes[level]), missing)
                self._kept.update({(level, c): whole[k] for k, c in enumerate(missing)})
            planes = [self._kept[level, c][region.slices] for c in wanted]
        return np.stack(planes)

    def _compute(self, level: int, region: Region, channels: list[int]) -> NDArray[Any]:
        """Halve the level before, block by block, so that memory stays bounded."""
        step = max(1, BLOCK_PX // 4 // max(region.width, 1))
        parent_shape = self._shapes[level - 1]
        out: NDArray[Any] | None = None
        for top in range(0, region.height, step):
            height = min(step, region.height - top)
            source = Region(2 * (region.y + top), 2 * region.x, 2 * height, 2 * region.width)
            block = halve(self.read(level - 1, source.clipped(parent_shape), channels))
            if out is None:
                if height == region.height:
                    return block
                out = np.empty((len(channels), *region.shape), block.dtype)
            out[:, top : top + height] = block
        return np.empty((len(channels), *region.shape)) if out is None else out

    def close(self) -> None:
        """Close the source below and forget the computed levels."""
        self._inner.close()
        for lock in self._locks:
            lock.acquire()
        self._kept.clear()
        for lock in self._locks:
            lock.release()


def with_overview(slide: Slide, *, max_px: int = OVERVIEW_PX) -> Slide:
    """Return the slide with computed levels added until one has no side longer than `max_px`.

    Parameters
    ----------
    slide : Slide
        Left as it is; the two share their source, so close only one of them.
    max_px : int
        Longest side of the coarsest level.

    Returns
    -------
    Slide
        `slide` itself if it has such a level already.

    Examples
    --------
    >>> from napari_histreg.slides.opening import open_slide
    >>> slide = open_slide(np.zeros((1500, 4099), np.uint8))
    >>> [(level.shape, level.downsample[0]) for level in slide.levels]
    [((1500, 4099), 1.0), ((750, 2050), 2.0), ((375, 1025), 4.0), ((188, 513), 8.0)]
    """
    levels = list(slide.levels)
    while max(levels[-1].shape) > max_px:
        fy, fx = levels[-1].downsample
        levels.append(Level(halved(levels[-1].shape), (2 * fy, 2 * fx)))
    if len(levels) == len(slide.levels):
        return slide
    source = _Reduced(slide, levels, len(slide.levels), len(slide.channels))
    return replace(slide, levels=tuple(levels), source=source)
