"""aligned_slide: the moving slide as it is to be written, with all that a user can ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from napari_histreg.records.record import SlideRecord
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform, Translation
from napari_histreg.warping.channels import merge_slides, select_channels
from napari_histreg.warping.grid import Grid
from napari_histreg.warping.warp import Interpolation, warp_slide

__all__ = ["Cover", "Output", "aligned_slide"]

Cover = Literal["fixed", "union"]
"""What an aligned slide covers: the fixed slide, or both."""


@dataclass(frozen=True)
class Output:
    """What is asked of an aligned slide.

    Parameters
    ----------
    cover : {"fixed", "union"}
        The area.
    pixel_size : float, optional
        Size of its pixels in world units of the fixed slide; as there by default.
    channels : sequence of int or str, optional
        Channels of the moving slide, by place or name; all by default.
    interpolation : {"linear", "cubic", "nearest"}
        "nearest" for label images.
    merge : bool
        Whether the fixed slide's channels come first in the same slide.
    """

    cover: Cover = "fixed"
    pixel_size: float | None = None
    channels: Sequence[int | str] | None = None
    interpolation: Interpolation = "linear"
    merge: bool = False


def aligned_slide(
    fixed: Slide | SlideRecord, moving: Slide, fixed_to_moving: Transform, output: Output | None = None
) -> Slide:
    """See the moving slide in the fixed slide's frame, as it is to be written.

    Parameters
    ----------
    fixed : Slide or SlideRecord
        A record, of a slide that is not at hand, does where only its own area is covered and nothing merged.
    moving : Slide
        Both must stay open as long as the result is used.
    fixed_to_moving : Transform
        Maps fixed to moving in world units.
    output : Output, optional
        What is asked for.

    Returns
    -------
    Slide
        Lazy.

    Raises
    ------
    ValueError
        There is no such channel, the pixel size is not positive, or the fixed slide itself is needed.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_histreg.slides import open_slide
    >>> fixed, moving = open_slide(np.zeros((40, 60))), open_slide(np.ones((2, 40, 60)))
    >>> found = aligned_slide(fixed, moving, Translation.of((0, 5)), Output(channels=[1], pixel_size=2.0))
    >>> found.shape, len(found.channels)
    ((20, 30), 1)
    """
    output = output or Output()
    if output.channels is not None:
        moving = select_channels(moving, output.channels)
    grid = Grid.of(fixed)
    if output.cover == "union":
        grid = Grid.union(_at_hand(fixed), moving, fixed_to_moving)
    if output.pixel_size is not None:
        grid = grid.with_spacing(output.pixel_size)
    size = None if fixed.pixel_size_um is None else grid.spacing
    warped = warp_slide(moving, fixed_to_moving, grid, interpolation=output.interpolation, pixel_size_um=size)
    if not output.merge:
        return warped
    still = warp_slide(_at_hand(fixed), Translation.identity(), grid, pixel_size_um=size)
    return merge_slides(still, warped)


def _at_hand(fixed: Slide | SlideRecord) -> Slide:
    if not isinstance(fixed, Slide):
        raise ValueError("Covering or merging both slides needs the fixed slide itself, not only its record.")
    return fixed
