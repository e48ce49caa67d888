"""Slides whose pixels are computed when they are read."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.caching import ArrayCache
from napari_histreg.geometry import Region, halved
from napari_histreg.slides.parallel import in_parallel
from napari_histreg.slides.slide import OVERVIEW_PX, Level

__all__ = ["BLOCK", "ComputedBlocks", "halved_levels"]

BLOCK = 512
_CACHED_BYTES = 64 << 20

Compute = Callable[[int, Region, tuple[int, ...]], NDArray[Any]]


def halved_levels(shape: tuple[int, int]) -> tuple[Level, ...]:
    """Return levels of a plane, each half the one before, down to one that serves as overview.

    Examples
    --------
    >>> [level.shape for level in halved_levels((3000, 2001))]
    [(3000, 2001), (1500, 1001), (750, 501)]
    """
    levels = [Level(shape, (1.0, 1.0))]
    while max(levels[-1].shape) > OVERVIEW_PX:
        factor = 2.0 ** len(levels)
        levels.append(Level(halved(levels[-1].shape), (factor, factor)))
    return tuple(levels)


class ComputedBlocks:
    """A pixel source that computes fixed blocks and cuts regions out of them.

    Blocks are the same however a region is asked for, so a slide read tile by tile equals the slide read
    at once to the last bit. A block that was needed only in part is kept for a while.

    Parameters
    ----------
    levels : sequence of Level
        Of the slide.
    count : int
        Number of channels.
    dtype : numpy dtype
        Of the pixels.
    compute : callable
        Gives the pixels (C, H, W) of a block, from its level, its region (aligned to the level's blocks,
        smaller at the far edges) and the channels wanted; called from several threads.
    interleaved : bool
        Whether blocks lie interleaved in memory, as colours do; larger regions then do too.
    coarse_block : int
        Side of the blocks of all levels but the finest. These are only looked at, never written, and
        smaller blocks compute less around a view.
    """

    def __init__(
        self,
        levels: Sequence[Level],
        count: int,
        dtype: np.dtype[Any],
        compute: Compute,
        *,
        interleaved: bool = False,
        coarse_block: int = BLOCK,
    ) -> None:
        self._levels, self._count, self._dtype = tuple(levels), count, dtype
        self._compute, self._interleaved = compute, interleaved
        self._sides = [BLOCK] + [coarse_block] * (len(self._levels) - 1)
        self._cache = ArrayCache(_CACHED_BYTES)

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        wanted = tuple(range(self._count) if channels is None else channels)
        shape, side = self._levels[level].shape, self._sides[level]
        first = Region(region.y // side * side, region.x // side * side, side, side)
        if first.clipped(shape) == region:
            return self._block(level, region, wanted, keep=False)
        out = self._empty(len(wanted), region)

        def fill(block: Region) -> None:
            part = _common(block, region)
            pixels = self._block(level, block, wanted, keep=part != block)
            target = Region(part.y - region.y, part.x - region.x, part.height, part.width).slices
            source = Region(part.y - block.y, part.x - block.x, part.height, part.width).slices
            out[(slice(None), *target)] = pixels[(slice(None), *source)]

        rows = range(first.y, region.y + region.height, side)
        columns = range(first.x, region.x + region.width, side)
        blocks = [Region(y, x, side, side).clipped(shape) for y in rows for x in columns]
        # Neighbours need the same source tiles: in the order of a chessboard they seldom do so at once.
        in_parallel(fill, sorted(blocks, key=lambda block: (block.y + block.x) // side % 2))
        return out

    def close(self) -> None:
        """Forget the blocks that were kept."""
        self._cache.clear()

    def _empty(self, count: int, region: Region) -> NDArray[Any]:
        if self._interleaved:
            return np.moveaxis(np.empty((*region.shape, count), self._dtype), -1, 0)
        return np.empty((count, *region.shape), self._dtype)

    def _block(self, level: int, block: Region, channels: tuple[int, ...], *, keep: bool) -> NDArray[Any]:
        key = (level, block, channels)
        return self._cache.get(key, lambda: self._compute(level, block, channels), keep=keep)


def _common(block: Region, region: Region) -> Region:
    """Return what a block and a region have in common."""
    y, x = max(block.y, region.y), max(block.x, region.x)
    bottom = min(block.y + block.height, region.y + region.height)
    right = min(block.x + block.width, region.x + region.width)
    return Region(y, x, max(bottom - y, 0), max(right - x, 0))
