"""Pictures of a group's slides in its frame: each over its template or neighbour, and cuts through a
stack.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import Frame
from napari_histreg.groups.group import GroupRegistration
from napari_histreg.groups.warped import frame_grid
from napari_histreg.progress import Progress, silent
from napari_histreg.quality.drawing import Picture, caption
from napari_histreg.quality.pictures import overlay
from napari_histreg.quality.views import centred, matching_spacing, signal_raster
from napari_histreg.raster import Raster
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform, resample

__all__ = ["GroupViews", "neighbour_overlay", "seen_in_frame", "view_group"]

SIDE = 240
MOST_TILES = 60


@dataclass(frozen=True, eq=False)
class GroupViews:
    """What is seen of a group.

    Parameters
    ----------
    tiles : mapping of int to (Y, X, 3) ndarray of uint8
        Each slide that has a place, green, over the template or, of sections, the one before, magenta.
    cuts : mapping of str to (Y, X, 3) ndarray of uint8
        Of sections: cuts through the stack, as the files come and as aligned.
    """

    tiles: Mapping[int, Picture]
    cuts: Mapping[str, Picture]


def view_group(
    group: GroupRegistration, slides: Mapping[int, Slide], *, progress: Progress = silent
) -> GroupViews:
    """Look at a group's slides in its frame, from overviews.

    Parameters
    ----------
    group : GroupRegistration
    slides : mapping of int to Slide
        Those at hand, by their places.
    progress : Progress, optional
        Told after each slide; may raise `Cancelled`.

    Returns
    -------
    GroupViews
    """
    grid = frame_grid(group)
    longest = max(side * step for side, step in zip(grid.shape, grid.spacing, strict=True))
    frame = grid.with_spacing(longest / SIDE)
    shown = [k for k in group.placed if k in slides]
    seen: dict[int, Raster] = {}
    raw: dict[int, Raster] = {}
    for number, k in enumerate(shown):
        progress(number / max(len(shown), 1), f"looking at {slides[k].name}")
        seen[k] = seen_in_frame(slides[k], group.frame_to(k), frame)
        if group.ordered and group.template in slides:
            raw[k] = seen_in_frame(slides[k], centred(slides[group.template], slides[k]), frame)
    tiles: dict[int, Picture] = {}
    for number, k in enumerate(shown[:MOST_TILES]):
        beside = shown[max(number - 1, 0)] if group.ordered else group.template
        if beside in seen:
            picture = overlay(seen[beside], seen[k])
            tiles[k] = caption(picture, group.names[k])
    cuts = {}
    if group.ordered and len(shown) > 2:
        for name, planes in (("as the files come", raw), ("as aligned", seen)):
            if planes:
                cuts[name] = _cut([planes[k] for k in shown])
    return GroupViews(tiles, cuts)


def seen_in_frame(slide: Slide, transform: Transform, frame: Frame) -> Raster:
    """See what is dense in a slide, bright on dark, 0 to 1, on a frame.

    Parameters
    ----------
    slide : Slide
    transform : Transform
        Frame to slide, world units.
    frame : Frame
        Of the picture; no more of the slide is read than twice its pixels need.
    """
    spacing = matching_spacing(slide, transform, frame, 2 * max(frame.shape))
    return resample(signal_raster(slide, spacing), transform, frame)


def neighbour_overlay(before: Raster | None, section: Raster, after: Raster | None) -> Picture:
    """Lay a section over its neighbours: red the one before, green itself, blue the one after.

    Grey is where all agree; at an end of the stack the missing neighbour is replaced by the other one.

    Parameters
    ----------
    before, section, after : Raster
        On one frame, bright on dark, 0 to 1.

    Returns
    -------
    (Y, X, 3) ndarray of uint8

    Examples
    --------
    >>> dot = Raster(np.array([[1.0, 0.0]]))
    >>> neighbour_overlay(None, dot, dot).tolist()
    [[[255, 255, 255], [0, 0, 0]]]
    """
    sides = before or after or section, section, after or before or section
    planes = [np.sqrt(np.clip(np.nan_to_num(raster.pixels), 0, 1)) * raster.mask for raster in sides]
    return np.asarray(np.round(255 * np.stack(planes, -1)), np.uint8)


def _cut(planes: list[Raster]) -> Picture:
    """Cut through the middle of a stack, along x and along y, one above the other."""
    volume = np.stack([plane.pixels * plane.mask for plane in planes])
    thick = max(2, round(160 / len(planes)))
    middle = [n // 2 for n in volume.shape[1:]]
    cuts = [np.repeat(volume[:, middle[0], :], thick, 0), np.repeat(volume[:, :, middle[1]], thick, 0)]
    width = max(cut.shape[1] for cut in cuts)
    cuts = [np.pad(cut, ((0, 6), (0, width - cut.shape[1]))) for cut in cuts]
    grey = np.round(255 * np.sqrt(np.clip(np.concatenate(cuts), 0, 1))).astype(np.uint8)
    return np.repeat(np.repeat(grey[..., None], 3, 2), 2, 1)
