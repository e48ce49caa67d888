"""A slide's pyramid as lazy arrays for display, read tile by tile."""

from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from napari_histreg.caching import ArrayCache
from napari_histreg.geometry import Region
from napari_histreg.slides import Slide

__all__ = ["CACHE_BYTES", "level_arrays"]

TILE_PX = 512
CACHE_BYTES = 192 * 2**20


def level_arrays(
    slide: Slide, channel: int | None = None, *, cache: ArrayCache | None = None
) -> list[da.Array]:
    """Give the levels of a slide as lazy arrays, coarser ones last.

    napari places a level by the ratio of its shape to that of level 0. So that this ratio is the
    level's true downsample, levels are filled up with background at the far edges, by less than one
    pixel of the coarsest level.

    Parameters
    ----------
    slide : Slide
        Read when a tile is shown, never before.
    channel : int, optional
        The channel to show; None for all three of an RGB slide.
    cache : ArrayCache, optional
        Where tiles are kept; a new one by default.

    Returns
    -------
    list of dask array
        (Y, X) in the slide's dtype, or (Y, X, 3) of uint8 for RGB.

    Examples
    --------
    >>> from napari_histreg.slides import open_slide
    >>> slide = open_slide(np.zeros((2001, 3000), np.uint16))
    >>> [array.shape for array in level_arrays(slide, 0)]
    [(2004, 3000), (1002, 1500), (501, 750)]
    """
    kept = ArrayCache(CACHE_BYTES) if cache is None else cache
    return [
        _level_array(slide, level, channel, shape, kept) for level, shape in enumerate(_display_shapes(slide))
    ]


def _display_shapes(slide: Slide) -> list[tuple[int, int]]:
    """Return the shapes of the levels, filled up so that their ratios are the downsamples."""
    axes = [
        _display_lengths(
            [level.shape[axis] for level in slide.levels], [level.downsample[axis] for level in slide.levels]
        )
        for axis in range(2)
    ]
    return list(zip(*axes, strict=True))


def _display_lengths(lengths: list[int], downsamples: list[float]) -> list[int]:
    if all(abs(lengths[0] / f - n) < 1e-9 * n for n, f in zip(lengths, downsamples, strict=True)):
        return lengths
    whole = [round(f) for f in downsamples]
    if any(abs(f - w) > 1e-9 for f, w in zip(downsamples, whole, strict=True)):
        # No filling makes odd ratios exact; napari's stretching errs by less than a pixel of the level.
        return lengths
    step = int(np.lcm.reduce(whole))
    full = max(
        -(-lengths[0] // step) * step,
        *(-(-n * f // step) * step for n, f in zip(lengths, whole, strict=True)),
    )
    return [full // f for f in whole]


def _level_array(
    slide: Slide, level: int, channel: int | None, shape: tuple[int, int], cache: ArrayCache
) -> da.Array:
    chunks = tuple(_chunks(length) for length in shape)
    colours: tuple[tuple[int, ...], ...] = () if channel is not None else ((3,),)
    dtype = slide.dtype if channel is not None else np.dtype(np.uint8)

    def read_tile(block_id: tuple[int, ...]) -> NDArray[Any]:
        y, x = block_id[:2]
        region = Region(y * TILE_PX, x * TILE_PX, chunks[0][y], chunks[1][x])
        return cache.get((level, channel, y, x), lambda: _read(slide, level, region, channel))

    return da.map_blocks(
        read_tile,
        chunks=chunks + colours,
        dtype=dtype,
        meta=np.empty((0,) * (2 + len(colours)), dtype),
        name=f"{slide.name}-{id(cache):x}-{level}-{channel}",
    )


def _chunks(length: int) -> tuple[int, ...]:
    whole, rest = divmod(length, TILE_PX)
    return (TILE_PX,) * whole + ((rest,) if rest else ())


def _read(slide: Slide, level: int, region: Region, channel: int | None) -> NDArray[Any]:
    if channel is not None:
        return np.asarray(slide.read(level, region, [channel])[0])
    pixels = slide.read(level, region, [0, 1, 2])
    if pixels.dtype != np.uint8:
        full = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "ui" else 1.0
        pixels = np.clip(pixels.astype(np.float32) * (255.0 / full), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(pixels, 0, -1))
