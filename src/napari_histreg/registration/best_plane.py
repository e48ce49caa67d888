"""Which plane of a volume shows what a slide shows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_histreg.errors import NoTissue, RegistrationError
from napari_histreg.matching.picture import Picture
from napari_histreg.matching.related_search import COARSE_PX, FINE_PX, RelatedPose, climb_rigid, sweep_related
from napari_histreg.matching.related_values import RelatedValues, with_background
from napari_histreg.methods.signal import comparable
from napari_histreg.preprocess import Recipe, prepare, working_spacing
from napari_histreg.progress import Progress, silent
from napari_histreg.slides import Slide

__all__ = ["BestPlane", "best_plane"]

LOOKED_AT = 4
"""So many of the planes that fit best on small copies are aligned finely."""
STARTS = 3
STEP = 0.06
"""As a share of the longest side: as far as two turns that are tried put its ends apart."""


@dataclass(frozen=True)
class BestPlane:
    """The plane that fits best, and how the others do.

    Parameters
    ----------
    place : int
        Among the planes given.
    scores : mapping of int to float
        Of those that were aligned finely, by their places: see `RelatedValues`; the best first.
    """

    place: int
    scores: dict[int, float]


def best_plane(fixed: Slide, planes: Sequence[Slide], *, progress: Progress = silent) -> BestPlane:
    """Find the plane whose values go best together with those of a slide, turned and shifted at will.

    Every plane is tried at every turn and shift on a small copy; the best few climb finely. Neighbouring
    planes of one body look much alike: the answer is good to a plane or two, and no verdict can tell them
    apart.

    Parameters
    ----------
    fixed : Slide
    planes : sequence of Slide
        Of known pixel size, or of the same unknown one as `fixed`.
    progress : Progress, optional
        Told of each plane; may raise `Cancelled`.

    Returns
    -------
    BestPlane

    Raises
    ------
    RegistrationError
        None of the planes shows anything that could be compared.
    """
    still = _picture(fixed)
    found: dict[int, list[RelatedPose]] = {}
    for k, plane in enumerate(planes):
        progress(0.7 * k / len(planes), f"trying {plane.name}")
        try:
            poses = sweep_related(still, _picture(plane), np.eye(3), silent)
        except NoTissue:
            continue
        found |= {k: poses[:STARTS]} if poses else {}
    near = sorted(found, key=lambda k: -found[k][0].score)[:LOOKED_AT]
    scores: dict[int, float] = {}
    for number, k in enumerate(near):
        progress(0.7 + 0.3 * number / len(near), f"climbing on {planes[k].name}")
        moving = _picture(planes[k])
        coarse, fine = (RelatedValues(still, moving, side) for side in (COARSE_PX, FINE_PX))
        climbed = [climb_rigid(coarse, pose.matrix, still.extent, STEP) for pose in found[k]]
        best = max(climbed, key=lambda pose: pose.score)
        scores[k] = climb_rigid(fine, best.matrix, still.extent).score
    if not scores:
        raise RegistrationError(f"No plane shows anything that could be compared with {fixed.name}.")
    scores = dict(sorted(scores.items(), key=lambda item: -item[1]))
    return BestPlane(next(iter(scores)), scores)


def _picture(slide: Slide) -> Picture:
    raster = prepare(slide, Recipe(signal="grey", spacing=working_spacing(slide, FINE_PX)))
    return with_background(comparable(raster, slide.name))
