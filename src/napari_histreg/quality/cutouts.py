"""A small place of a slide at any zoom, seen through a transform; only its pixels are read."""

from dataclasses import dataclass, replace

import numpy as np

from napari_histreg.geometry import FloatArray, Frame, Region, grid_points
from napari_histreg.quality.drawing import Picture
from napari_histreg.quality.views import colours, colours_on, signal_raster
from napari_histreg.raster import Raster
from napari_histreg.slides.slide import Level, Slide
from napari_histreg.transforms import Transform, Translation, resample

__all__ = ["Cutout", "cutout"]

MARGIN_PX = 8
LARGEST_PX = 4096
"""Longer side of what is read for one cut-out, whatever the transform."""


@dataclass(frozen=True, eq=False)
class Cutout:
    """One place of a slide on a frame.

    Parameters
    ----------
    picture : (Y, X, 3) ndarray of uint8
        In the slide's own colours.
    signal : Raster
        Its nuclear signal, 0 to 1.
    """

    picture: Picture
    signal: Raster


def cutout(slide: Slide, frame_to_slide: Transform | None, frame: Frame) -> Cutout:
    """Show what of a slide lies under a frame.

    Parameters
    ----------
    slide : Slide
        What to look at.
    frame_to_slide : Transform or None
        From the frame's world units to the slide's; None where they are the same.
    frame : Frame
        Where to look; its pixels do not matter.

    Returns
    -------
    Cutout
        Background where the frame leaves the slide.
    """
    view = frame_to_slide or Translation.identity()
    corners = frame.to_world(_rim(frame.shape))
    there = view(corners)
    there = there[np.isfinite(there).all(1)]
    if len(there) == 0:
        return _nothing(slide, frame)
    span = (there.max(0) - there.min(0)).max()
    wanted = span / max(frame.shape) / 1.5
    level = slide.level_for_spacing(wanted)
    while level + 1 < len(slide.levels) and span / min(slide.spacing(level)) > LARGEST_PX:
        level += 1
    at = slide.to_pixel(there, level)
    low = np.floor(at.min(0)).astype(int) - MARGIN_PX
    high = np.ceil(at.max(0)).astype(int) + MARGIN_PX + 1
    region = Region(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    region = region.clipped(slide.levels[level].shape)
    if region.is_empty:
        return _nothing(slide, frame)
    part, to_part = _part(slide, level, region)
    onto = view.then(to_part)
    spacing = max(part.world_pixel_size)
    seen = colours_on(colours(part, spacing), onto, frame)
    return Cutout(seen.picture, resample(signal_raster(part, spacing), onto, frame))


def _rim(shape: tuple[int, int]) -> FloatArray:
    """Return a grid of 9 x 9 pixel positions over a frame: enough for gently bent transforms."""
    y, x = (np.linspace(-0.5, n - 0.5, 9) for n in shape)
    return grid_points(y, x).reshape(-1, 2)


def _nothing(slide: Slide, frame: Frame) -> Cutout:
    shade = np.uint8(255 if slide.is_rgb else 0)
    dark, nowhere = np.zeros(frame.shape, np.float32), np.zeros(frame.shape, bool)
    signal = Raster.on(frame, dark, nowhere)
    return Cutout(np.full((*frame.shape, 3), shade, np.uint8), signal)


def _part(slide: Slide, level: int, region: Region) -> tuple[Slide, Transform]:
    """Return a region of one level as a slide of its own, and the map from the slide's units to its units."""
    from napari_histreg.slides.opening import open_slide

    pixels = slide.read(level, region)
    spacing = slide.spacing(level)
    start = slide.to_world([[region.y, region.x]], level)[0]
    held = open_slide(pixels if not slide.is_rgb else np.moveaxis(pixels, 0, -1))
    part = replace(
        held,
        name=slide.name,
        levels=(Level(region.shape, (1.0, 1.0)),),
        channels=slide.channels,
        pixel_size_um=spacing,
        is_rgb=slide.is_rgb,
        background=slide.background,
    )
    return part, Translation.of(-start)
