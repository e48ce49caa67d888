"""warp_slide: the moving slide as it lies in the fixed slide's frame, computed when it is read."""

from typing import Any, Literal

from numpy.typing import NDArray

from napari_histreg.geometry import Region
from napari_histreg.slides import Level, Slide
from napari_histreg.slides.computed import ComputedBlocks, halved_levels
from napari_histreg.slides.opening import checked_pixel_size
from napari_histreg.transforms import Transform
from napari_histreg.warping.grid import Grid
from napari_histreg.warping.lookup import Lookup
from napari_histreg.warping.sampling import sample

__all__ = ["warp_slide"]

Interpolation = Literal["nearest", "linear", "cubic"]
COARSE_BLOCK = 256


def warp_slide(
    moving: Slide,
    fixed_to_moving: Transform,
    grid: Grid,
    *,
    interpolation: Interpolation = "linear",
    pixel_size_um: float | tuple[float, float] | None = None,
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
    pixel_size_um : float or (float, float), optional
        Pixel size (y, x) in µm to give to the result; None where the fixed slide's is unknown.

    Returns
    -------
    Slide
        Lazy, with a full pyramid; same channels and dtype as `moving`.

    Raises
    ------
    ValueError
        The pixel size is none.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_histreg.slides import open_slide
    >>> from napari_histreg.transforms import Translation
    >>> moving = open_slide(np.arange(16, dtype=np.uint8).reshape(4, 4))
    >>> warped = warp_slide(moving, Translation.of((1, 0)), Grid((2, 4)))
    >>> warped.read_level(0)[0].tolist()
    [[4, 5, 6, 7], [8, 9, 10, 11]]
    """
    size = None if pixel_size_um is None else checked_pixel_size(pixel_size_um)
    levels = halved_levels(grid.shape)
    lookups = [_lookup(moving, fixed_to_moving, grid, level) for level in levels]

    def compute(level: int, block: Region, channels: tuple[int, ...]) -> NDArray[Any]:
        return sample(moving, lookups[level], block, channels, interpolation)

    source = ComputedBlocks(
        levels,
        len(moving.channels),
        moving.dtype,
        compute,
        interleaved=moving.is_rgb,
        coarse_block=COARSE_BLOCK,
    )
    return Slide(
        name=f"{moving.name} warped",
        levels=levels,
        channels=moving.channels,
        dtype=moving.dtype,
        source=source,
        pixel_size_um=size,
        is_rgb=moving.is_rgb,
        background=moving.background,
        metadata={"warped_from": moving.path or moving.name},
    )


def _lookup(moving: Slide, fixed_to_moving: Transform, grid: Grid, level: Level) -> Lookup:
    factor = level.downsample[0]
    y, x = (o + (factor / 2 - 0.5) * s for o, s in zip(grid.origin, grid.spacing, strict=True))
    return Lookup(moving, fixed_to_moving, (grid.spacing[0] * factor, grid.spacing[1] * factor), (y, x))
