"""The pixels of one output block, taken from the right level of the source."""

import math
import threading
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Region
from napari_histreg.slides import Slide
from napari_histreg.warping.lookup import Lookup

__all__ = ["sample"]

_BY_OPENCV = (np.uint8, np.uint16, np.int16, np.float32, np.float64)
_SCRATCH = threading.local()
_SCRATCH_BYTES = 1 << 24
_MOST_PX = 32_000
"""OpenCV's remap takes no larger source, and no larger piece is ever sensible."""


def sample(
    moving: Slide,
    lookup: Lookup,
    block: Region,
    channels: tuple[int, ...],
    interpolation: Literal["nearest", "linear", "cubic"],
) -> NDArray[Any]:
    """Compute an output block.

    Parameters
    ----------
    moving : Slide
        The source.
    lookup : Lookup
        Where output pixels come from.
    block : Region
        In pixels of the output level.
    channels : tuple of int
        Which channels.
    interpolation : {"nearest", "linear", "cubic"}
        How values between source pixels are found.

    Returns
    -------
    (C, H, W) ndarray
        In the source's dtype; the background where the source does not reach.
    """
    shrinkage = lookup.shrinkage(block)
    level = _source_level(moving, shrinkage)
    # What the level does not shrink is averaged from finer samples; labels are never averaged.
    finer = 1
    if interpolation != "nearest":
        finer = max(1, math.ceil(shrinkage / max(moving.levels[level].downsample) - 0.25))
    matrix = lookup.affine(level)
    if matrix is not None:
        pixels = _through_matrix(moving, level, block, matrix, channels, interpolation, finer)
    else:
        pixels = _through_map(moving, level, block, lookup, channels, interpolation, finer)
    return pixels


def _source_level(moving: Slide, shrinkage: float) -> int:
    """Return the coarsest level that still has a pixel for each output pixel."""
    fits = [k for k, level in enumerate(moving.levels) if max(level.downsample) <= shrinkage * 1.01]
    return fits[-1] if fits else 0


def _through_matrix(
    moving: Slide,
    level: int,
    block: Region,
    matrix: FloatArray,
    channels: tuple[int, ...],
    interpolation: str,
    finer: int,
) -> NDArray[Any]:
    """Sample through an affine matrix from output to source pixels (y, x, 1)."""
    import cv2

    height, width = block.height * finer, block.width * finer
    start = np.array(
        [
            [1 / finer, 0, block.y + 0.5 / finer - 0.5],
            [0, 1 / finer, block.x + 0.5 / finer - 0.5],
            [0, 0, 1],
        ]
    )
    inner = matrix @ start
    corners = np.array([[0, 0, 1], [height - 1, 0, 1], [0, width - 1, 1], [height - 1, width - 1, 1.0]])
    region = _needed(moving, level, (corners @ inner.T)[:, :2])
    if region is None:
        return _empty(moving, channels, block)
    if max(region.shape) > _MOST_PX:
        return _in_quarters(
            block, lambda part: _through_matrix(moving, level, part, matrix, channels, interpolation, finer)
        )
    planes = _planes(moving, moving.read(level, region, channels), interpolation)
    local = inner.copy()
    local[:2, 2] -= (region.y, region.x)
    xy = local[[1, 0]][:, [1, 0, 2]]
    flags = _flag(interpolation) | cv2.WARP_INVERSE_MAP
    fill = (moving.background,) * 4
    warped = [
        cv2.warpAffine(p, xy, (width, height), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=fill)
        for p in planes
    ]
    return _finished(moving, warped, block)


def _through_map(
    moving: Slide,
    level: int,
    block: Region,
    lookup: Lookup,
    channels: tuple[int, ...],
    interpolation: str,
    finer: int,
) -> NDArray[Any]:
    """Sample through a map that bends."""
    import cv2

    places = lookup.source_pixels(block, level, finer)
    region = None
    if places.offsets is not None:
        region = _needed(moving, level, np.stack([places.low, places.high]))
    if region is None or places.offsets is None:
        return _empty(moving, channels, block)
    if max(region.shape) > _MOST_PX:
        return _in_quarters(
            block, lambda part: _through_map(moving, level, part, lookup, channels, interpolation, finer)
        )
    planes = _planes(moving, moving.read(level, region, channels), interpolation)
    start = places.low - (region.y, region.x)
    wanted = places.offsets + start[::-1].astype(np.float32)
    if not places.complete:
        # Not defined at all is the same as far outside: background.
        wanted[~np.isfinite(wanted)] = -1e6
    fill = (moving.background,) * 4
    warped = [
        cv2.remap(p, wanted, None, _flag(interpolation), borderMode=cv2.BORDER_CONSTANT, borderValue=fill)
        for p in planes
    ]
    return _finished(moving, warped, block)


def _needed(moving: Slide, level: int, points: NDArray[Any]) -> Region | None:
    """Return the source region around points (y, x), with a margin; None if none is there.

    What lies outside the slide is not asked for: OpenCV takes it for background by itself.
    """
    margin = 3
    shape = np.array(moving.levels[level].shape)
    low = np.maximum(np.floor(points.min(axis=0)) - margin, 0)
    high = np.minimum(np.ceil(points.max(axis=0)) + margin, shape - 1)
    if (high < low).any():
        return None
    y, x, height, width = (int(v) for v in (*low, *(high - low + 1)))
    return Region(y, x, height, width)


def _planes(moving: Slide, pixels: NDArray[Any], interpolation: str) -> list[NDArray[Any]]:
    """Turn (C, H, W) into what OpenCV takes: one interleaved picture for RGB, else a plane per channel."""
    import cv2

    if pixels.dtype.type not in _BY_OPENCV:
        # float64 carries whole numbers up to 2**53 exactly
        pixels = pixels.astype(np.uint8 if pixels.dtype == bool else np.float64)
    if moving.is_rgb and len(pixels) == 3:
        picture = np.ascontiguousarray(np.moveaxis(pixels, 0, -1))
        if interpolation == "linear" and picture.dtype == np.uint8:
            # OpenCV warps four values of 8 bits in half the time of three, to the same result.
            return [cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA, dst=_scratch((*picture.shape[:2], 4)))]
        return [picture]
    return [np.ascontiguousarray(plane) for plane in pixels]


def _scratch(shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return memory for a picture of this thread, the same each time: fresh memory takes longer to fill."""
    size = math.prod(shape)
    if size > _SCRATCH_BYTES:
        return np.empty(shape, np.uint8)
    kept: NDArray[np.uint8] | None = getattr(_SCRATCH, "memory", None)
    if kept is None or kept.size < size:
        _SCRATCH.memory = kept = np.empty(size, np.uint8)
    return kept[:size].reshape(shape)


def _finished(moving: Slide, warped: list[NDArray[Any]], block: Region) -> NDArray[Any]:
    """Average the finer samples and give back (C, H, W) in the source's dtype."""
    import cv2

    if warped[0].shape[:2] != block.shape:
        size = (block.width, block.height)
        warped = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in warped]
    if warped[0].ndim == 3 and warped[0].shape[2] == 4:
        warped = [cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB) for picture in warped]
    # Colours stay interleaved in memory: that is how files want them, and turning them costs time.
    pixels = np.stack(warped) if warped[0].ndim == 2 else np.moveaxis(warped[0], -1, 0)
    if pixels.dtype != moving.dtype and np.issubdtype(moving.dtype, np.integer):
        limits = np.iinfo(moving.dtype)
        pixels = np.clip(np.rint(pixels), limits.min, limits.max)
    return pixels.astype(moving.dtype, copy=False)


def _empty(moving: Slide, channels: tuple[int, ...], block: Region) -> NDArray[Any]:
    return np.full((len(channels), *block.shape), moving.background, moving.dtype)


def _in_quarters(block: Region, compute: Callable[[Region], NDArray[Any]]) -> NDArray[Any]:
    """Compute a block piece by piece where its source region would be too large."""
    top, left = -(-block.height // 2), -(-block.width // 2)
    rows = []
    for y, height in ((0, top), (top, block.height - top)):
        pieces = [
            compute(Region(block.y + y, block.x + x, height, width))
            for x, width in ((0, left), (left, block.width - left))
            if height and width
        ]
        if pieces:
            rows.append(np.concatenate(pieces, axis=2))
    return np.concatenate(rows, axis=1)


def _flag(interpolation: str) -> int:
    import cv2

    return int(
        {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}[interpolation]
    )
