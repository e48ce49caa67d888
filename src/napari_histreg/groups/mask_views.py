"""Pictures of masks of a group: the slide's over the template's, before and after."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_histreg.geometry import Frame
from napari_histreg.groups.evaluation import GroupEvaluation
from napari_histreg.groups.group import GroupRegistration
from napari_histreg.preprocess.planes import read_planes
from napari_histreg.quality.drawing import Picture, beside, caption
from napari_histreg.quality.pictures import overlay
from napari_histreg.raster import Raster
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform, Translation, resample
from napari_histreg.warping import Grid

__all__ = ["mask_pictures"]

SIDE = 440


def mask_pictures(
    group: GroupRegistration, evaluation: GroupEvaluation, masks: Mapping[int, Slide]
) -> list[dict[str, Any]]:
    """Draw the masks of the best, the median and the worst slide over that of the template.

    Parameters
    ----------
    group : GroupRegistration
    evaluation : GroupEvaluation
    masks : mapping of int to Slide
        By the places of their slides.

    Returns
    -------
    list of dict
        Each with ``"name"`` and ``"picture"``: before beside after.
    """
    template = group.template
    if template not in masks:
        return []
    record = group.members[template].slide
    grid = Grid.of(record)
    frame = grid.with_spacing(max(s * n for s, n in zip(grid.spacing, grid.shape, strict=True)) / SIDE)
    fixed = _seen(masks[template], record.world_pixel_size, Translation.identity(), frame)
    found = []
    for word, score in evaluation.examples.items():
        mask, size = masks[score.member], group.members[score.member].slide.world_pixel_size
        carried = group.between(template, score.member)
        shown = []
        for time, transform in (("before", Translation.identity()), ("after", carried)):
            dice = getattr(score, time)["dice"]
            over = overlay(fixed, _seen(mask, size, transform, frame))
            shown.append(caption(over, f"{time}: Dice {dice:.3f}"))
        picture: Picture = beside(shown)
        found.append({"name": f"{word}: {score.name}", "picture": picture})
    return found


def _seen(mask: Slide, pixel_size: tuple[float, float], transform: Transform, frame: Frame) -> Raster:
    """See what is labelled, 1 on 0; a mask lies on its slide's pixels, whatever size it says they have."""
    planes = read_planes(mask, max(mask.world_pixel_size))
    labelled = np.asarray((planes.pixels > 0).any(axis=0), np.float32)
    raster = resample(Raster(labelled, pixel_size), transform, frame)
    return Raster.on(frame, np.nan_to_num(raster.pixels))
