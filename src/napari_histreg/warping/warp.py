"""warp_slide: the moving slide as it lies in the fixed slide's frame, computed when it is read."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import Region
from napari_histreg.slides import Level, Slide
from napari_histreg.transforms import Transform
from napari_histreg.warping.grid import Grid
from napari_histreg.warping.lookup import Lookup
from napari_histreg.warping.sampling import sample

__all__ = ["warp_slide"]

BLOCK = 512
_CACHED_BLOCKS = 16

Interpolation = Literal["nearest", "linear", "cubic"]


def warp_slide(
    moving: Slide,
    fixed_to_moving: Transform,
    grid: Grid,
    *,
    interpolation: Interpolation = "linear",
    pixel_size_um: tuple[float, float] | None = None,
) -> Slide:
    """See the moving slide on a grid of the fixed slide's frame.

    Nothing is computed until a region is read. Each block of the output reads only the source pixels it
    needs, from the pyramid level that suits the local scale.

    Parameters
    ----------
    moving : Slide
        The source; it must stay open as long as the result is used.
    fixed_to_moving : Transform
        Maps fixed to moving in world units.
    grid : Grid
        The output's pixels, in the fixed slide's world units.
    interpolation : {"linear", "cubic", "nearest"}
        "nearest" for label images, whose values must not be mixed.
    pixel_size_um : (float, float), optional
        Pixel size (y, x) in µm to give to the result; None where the fixed slide's is unknown.

    Returns
    -------
    Slide
        Lazy, with a full pyramid; same channels and dtype as `moving`.

    Examples
    --------
    >>> from napari_histreg.slides import open_slide
    >>> from napari_histreg.transforms import Translation
    >>> moving = open_slide(np.arange(16, dtype=np.uint8).reshape(4, 4))
    >>> warped = warp_slide(moving, Translation.of((1, 0)), Grid((2, 4)))
    >>> warped.read_level(0)[0].tolist()
    [[4, 5, 6, 7], [8, 9, 10, 11]]
    """
    levels = _levels(grid.shape)
    lookups = [_lookup(moving, fixed_to_moving, grid, level) for level in levels]
    return Slide(
        name=f"{moving.name} warped",
        levels=levels,
        channels=moving.channels,
        dtype=moving.dtype,
        source=_WarpedSource(moving, levels, lookups, interpolation),
        pixel_size_um=pixel_size_um,
        is_rgb=moving.is_rgb,
        background=moving.background,
        metadata={"warped_from": moving.path or moving.name},
    )


def _levels(shape: tuple[int, int]) -> tuple[Level, ...]:
    """Halve until the overview fits into 1024 px."""
    levels = [Level(shape, (1.0, 1.0))]
    while max(levels[-1].shape) > 1024:
        factor = 2.0 ** len(levels)
        height, width = (max(int(n // factor), 1) for n in shape)
        levels.append(Level((height, width), (factor, factor)))
    return tuple(levels)


def _lookup(moving: Slide, fixed_to_moving: Transform, grid: Grid, level: Level) -> Lookup:
    factor = level.downsample[0]
    y, x = (o + (factor / 2 - 0.5) * s for o, s in zip(grid.origin, grid.spacing, strict=True))
    return Lookup(moving, fixed_to_moving, (grid.spacing[0] * factor, grid.spacing[1] * factor), (y, x))


class _WarpedSource:
    """Computes fixed blocks and cuts regions out of them.

    Blocks are the same however a region is asked for, so a slide read tile by tile equals the slide read
    at once to the last bit.
    """

    def __init__(
        self, moving: Slide, levels: tuple[Level, ...], lookups: list[Lookup], interpolation: Interpolation
    ) -> None:
        self._moving, self._levels, self._lookups = moving, levels, lookups
        self._interpolation = interpolation
        self._cache: OrderedDict[tuple[Any, ...], NDArray[Any]] = OrderedDict()
        self._lock = Lock()

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        wanted = tuple(range(len(self._moving.channels)) if channels is None else channels)
        first = Region(region.y // BLOCK * BLOCK, region.x // BLOCK * BLOCK, BLOCK, BLOCK)
        if first.clipped(self._levels[level].shape) == region:
            return self._block(level, region, wanted, keep=False)
        out = self._empty(len(wanted), region)
        for y in range(first.y, region.y + region.height, BLOCK):
            for x in range(first.x, region.x + region.width, BLOCK):
                block = Region(y, x, BLOCK, BLOCK).clipped(self._levels[level].shape)
                part = block_part(block, region)
                pixels = self._block(level, block, wanted, keep=part != block)
                rows, columns = part.y - region.y, part.x - region.x
                inner = Region(part.y - block.y, part.x - block.x, part.height, part.width).slices
                out[:, rows : rows + part.height, columns : columns + part.width] = pixels[
                    (slice(None), *inner)
                ]
        return out

    def _empty(self, count: int, region: Region) -> NDArray[Any]:
        """Make room for (C, H, W); colours lie interleaved in memory, as they are computed."""
        if self._moving.is_rgb:
            return np.moveaxis(np.empty((*region.shape, count), self._moving.dtype), -1, 0)
        return np.empty((count, *region.shape), self._moving.dtype)

    def _block(self, level: int, block: Region, channels: tuple[int, ...], *, keep: bool) -> NDArray[Any]:
        """Compute a block, or find one that was needed in part a moment ago."""
        key = (level, block, channels)
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        pixels = sample(self._moving, self._lookups[level], block, channels, self._interpolation)
        if keep:
            with self._lock:
                self._cache[key] = pixels
                while len(self._cache) > _CACHED_BLOCKS:
                    self._cache.popitem(last=False)
        return pixels

    def close(self) -> None:
        with self._lock:
            self._cache.clear()


def block_part(block: Region, region: Region) -> Region:
    """Return what a block and a region have in common."""
    y, x = max(block.y, region.y), max(block.x, region.x)
    bottom = min(block.y + block.height, region.y + region.height)
    right = min(block.x + block.width, region.x + region.width)
    return Region(y, x, max(bottom - y, 0), max(right - x, 0))
