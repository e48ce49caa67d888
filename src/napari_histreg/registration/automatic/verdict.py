"""Verdict: how far an alignment can be trusted, and why, in plain words.

Three measures are joined that fail for different reasons. *Stand-out*: how far the pose exceeds its own
shifts; chance of one pose cannot reach it, a strong outline can. *Margin*: how far it exceeds the best
distinct wrong pose of the same pair; two round outlines fit well, but equally well at many angles.
*Agreement*: how many blocks that took no part in the fit lie where it puts them; a pose that fits in one
corner only has few.
"""

from collections.abc import Sequence

import numpy as np

from napari_histreg.errors import NoTissue
from napari_histreg.geometry import FloatArray
from napari_histreg.matching.affine_refinement import is_plausible
from napari_histreg.matching.description import learn_description
from napari_histreg.matching.evidence import as_affine
from napari_histreg.matching.left_out_blocks import Agreement, left_out_agreement
from napari_histreg.matching.picture import Picture, overlap_frame
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.registration.automatic.criteria import (
    CRITERIA,
    Criteria,
    Measures,
    Verdict,
    decide,
    with_margin,
)
from napari_histreg.registration.automatic.hypotheses import Hypothesis, best_rival, pose_z, propose_rivals
from napari_histreg.registration.automatic.overview import look_at
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform

__all__ = [
    "CRITERIA",
    "Criteria",
    "Measures",
    "Verdict",
    "decide",
    "judge",
    "judge_transform",
    "measure",
    "overlap_share",
    "with_margin",
]


def judge_transform(
    fixed: Slide, moving: Slide, fixed_to_moving: Transform, *, progress: Progress = silent
) -> Verdict:
    """Judge a transform between two slides, whatever method found it.

    Parameters
    ----------
    fixed, moving : Slide
        The slides.
    fixed_to_moving : Transform
        In world units; of one that bends, its affine approximation is judged.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    Verdict
        "refused" with the reason where a slide is blank.
    """
    try:
        progress(0.0, "looking at both slides")
        first, second = look_at(fixed).picture, look_at(moving).picture
    except NoTissue as error:
        return Verdict("refused", None, (str(error),))
    matrix = as_affine(fixed_to_moving, first)
    return judge(first, second, matrix, progress=portion(progress, 0.1, 1.0))


def judge(
    fixed: Picture,
    moving: Picture,
    fixed_to_moving: FloatArray,
    *,
    start: FloatArray | None = None,
    hypotheses: Sequence[Hypothesis] | None = None,
    criteria: Criteria = CRITERIA,
    progress: Progress = silent,
) -> Verdict:
    """Judge a pose of two pictures against wrong ones.

    Parameters
    ----------
    fixed, moving : Picture
        The two overviews.
    fixed_to_moving : (3, 3) ndarray
        The pose, affine in world units, (y, x, 1).
    start : (3, 3) ndarray, optional
        The pose before blocks refined it. Half of the blocks then repeat the refinement and the other
        half tests it; without it the pose is tested as it is.
    hypotheses : sequence of Hypothesis, optional
        Poses that were tried; searched for by default.
    criteria : Criteria
        What is asked for.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    Verdict
    """
    matrix = np.asarray(fixed_to_moving, float)
    if not _is_possible(matrix):
        return decide(Measures(0.0, 0.0, Agreement(0, 0, 0.5), 0.0, plausible=False), criteria=criteria)
    if hypotheses is None:
        hypotheses = propose_rivals(fixed, moving, matrix, progress=portion(progress, 0.0, 0.8))
    progress(0.8, "asking blocks that took no part in the fit")
    measures = measure(fixed, moving, matrix, start=start)
    return decide(with_margin(measures, best_rival(fixed, matrix, hypotheses), criteria), criteria=criteria)


def measure(
    fixed: Picture, moving: Picture, fixed_to_moving: FloatArray, *, start: FloatArray | None = None
) -> Measures:
    """Measure a pose by itself: all but its margin over wrong poses; see `judge`.

    Parameters
    ----------
    fixed, moving : Picture
        The two overviews.
    fixed_to_moving : (3, 3) ndarray
        The pose, affine in world units.
    start : (3, 3) ndarray, optional
        The pose before blocks refined it.

    Returns
    -------
    Measures
        With a margin of 0.
    """
    describe = learn_description(fixed, moving, fixed_to_moving)
    tested = fixed_to_moving if start is None else start
    agreement = left_out_agreement(fixed, moving, tested, describe=describe, refit=start is not None)
    # Neighbouring sections share coarse structure only, the same section fine structure above all.
    coarse, fine = (max(pose_z(fixed, moving, fixed_to_moving, side=side), 0.1) for side in (128, 256))
    return Measures(
        stand_out=float(np.sqrt(coarse * fine)),
        margin=0.0,
        agreement=agreement,
        overlap=overlap_share(fixed, moving, fixed_to_moving),
        z=pose_z(fixed, moving, fixed_to_moving),
    )


def overlap_share(fixed: Picture, moving: Picture, fixed_to_moving: FloatArray) -> float:
    """Return how much of the smaller picture's valid area both show, 0 to 1."""
    frame = overlap_frame(fixed, moving, fixed_to_moving, 96)
    if frame is None:
        return 0.0
    both = fixed.sampled(frame, np.eye(3)).mask & moving.sampled(frame, fixed_to_moving).mask
    shared = float(both.sum()) * frame.spacing[0] * frame.spacing[1]
    scale = abs(np.linalg.det(fixed_to_moving[:2, :2]))
    areas = (
        float(fixed.mask.sum()) * fixed.spacing**2,
        float(moving.mask.sum()) * moving.spacing**2 / scale,
    )
    return float(min(shared / max(min(areas), 1e-12), 1.0))


def _is_possible(matrix: FloatArray) -> bool:
    return bool(np.isfinite(matrix).all()) and is_plausible(matrix, anisotropy=2.0)
