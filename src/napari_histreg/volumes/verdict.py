"""How far a pose of two volumes can be trusted, and why, in plain words.

Measures that fail for different reasons. *Agreement*: cells of the volume that took no part in learning which
values go together are asked where they fit best, those *inside* once more by themselves: an outline supports
another body of the same shape too. *Margin*: mutual information at the pose over that of the best clearly
different summit; a body that fits as well another way round has none. Beside them the two halves of a
chessboard of cells are registered apart: how far their poses differ tells how exact the result is, not
whether it is right.

What it cannot tell: two bodies that agree inside as well, as twins' heads may. Where too little of the inside
can be asked, nothing is accepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from napari_histreg.errors import NotConverged
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.volumes.body import rim
from napari_histreg.volumes.climbing import VolumeClimb, climb_volumes
from napari_histreg.volumes.left_out import NEAR, cells_of, volume_agreement
from napari_histreg.volumes.pose import VolumePose, mean_distance_mm
from napari_histreg.volumes.search import APART, Found

__all__ = ["VolumeVerdict", "judge_volumes"]

Word = Literal["accepted", "doubtful", "refused"]


@dataclass(frozen=True)
class VolumeCriteria:
    """What the verdict asks for.

    The right pose of a head's CT on its MR has an agreement of 0.91, inside of 0.63; turned by ten degrees,
    on the mirrored head and on phantoms of one outline with another inside, one of the two was below the
    middle value at least: 0.37 to 0.79 and 0.23 to 0.44. The values lie between; so few bodies were
    at hand that the confidence ranks, but is no frequency.

    Parameters
    ----------
    agreement, inside, margin : float
        Values at which a pose is about as likely wrong as right, going by that measure alone.
    most_margin : float
        More counts no more: an outline that fits one way only has a wide margin, whatever is inside.
    weights : (float, float, float)
        Of the differences from these values.
    accept, doubt : float
        Least confidence of "accepted" and of "doubtful".
    halves_cubes : float
        Halves that lie further apart than this do not show the same pose.
    """

    agreement: float = 0.75
    inside: float = 0.5
    margin: float = 1.06
    most_margin: float = 1.1
    weights: tuple[float, float, float] = (15.0, 20.0, 30.0)
    accept: float = 0.5
    doubt: float = 0.2
    halves_cubes: float = 1.0


CRITERIA = VolumeCriteria()
LEAST_CELLS = 8


@dataclass(frozen=True)
class VolumeVerdict:
    """How far a pose can be trusted.

    Parameters
    ----------
    word : {"accepted", "doubtful", "refused"}
        The verdict.
    confidence : float
        From 0 to 1.
    reasons : tuple of str
        Why, in plain words.
    measures : mapping of str to float
        The figures behind it.
    """

    word: Word
    confidence: float
    reasons: tuple[str, ...]
    measures: Mapping[str, float] = field(default_factory=dict)


def judge_volumes(
    found: Found, *, criteria: VolumeCriteria = CRITERIA, progress: Progress = silent
) -> VolumeVerdict:
    """Judge the pose that a search found.

    Parameters
    ----------
    found : Found
    criteria : VolumeCriteria
        What is asked for.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    VolumeVerdict
    """
    a, b, pose = found.fixed, found.moving, found.pose
    points = a.points_mm
    progress(0.0, "asking cells that took no part")
    agreement = volume_agreement(a, b, pose)
    inside = volume_agreement(a, b, pose, inside_only=True)
    halves = _halves_apart(found, pose, portion(progress, 0.3, 1.0))
    apart = APART * a.spacing_mm
    rivals = [c for c in found.summits if mean_distance_mm(c.pose, pose, points) > apart]
    best = found.summits[0].information
    margin = best / rivals[0].information if rivals and rivals[0].information > 0 else 1.5
    differences = (
        agreement.share - criteria.agreement,
        inside.share - criteria.inside,
        min(margin, criteria.most_margin) - criteria.margin,
    )
    logit = float(np.dot(criteria.weights, differences))
    confidence = float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))
    if halves > criteria.halves_cubes * a.spacing_mm or min(agreement.tested, inside.tested) < LEAST_CELLS:
        confidence = min(confidence, 0.15)
    word: Word = "refused"
    if confidence >= criteria.accept:
        word = "accepted"
    elif confidence >= criteria.doubt:
        word = "doubtful"
    near = NEAR * a.spacing_mm
    reasons = (
        f"{agreement.agreeing} of {agreement.tested} cells that took no part in learning which values go "
        f"together fit best within {near:.2g} mm of where it puts them; chance would give "
        f"{agreement.chance * agreement.tested:.0f} "
        f"(about {criteria.agreement * agreement.tested:.0f} is where right and wrong part).",
        f"Of those inside, away from the outline, {inside.agreeing} of {inside.tested} do "
        f"(about {criteria.inside * inside.tested:.0f} is where right and wrong part).",
        f"It has {margin:.2f} times the mutual information of the best clearly different pose "
        f"(about {criteria.margin:.2f} times is where right and wrong part)."
        if rivals
        else "No clearly different pose was found that holds at all.",
        f"Registered by two halves of the volume apart, the body lies {halves:.2g} mm apart on the average.",
    )
    measures = {
        "agreement": agreement.share,
        "cells_agreeing": float(agreement.agreeing),
        "cells_tested": float(agreement.tested),
        "inside": inside.share,
        "margin": margin,
        "halves_apart_mm": halves,
    }
    return VolumeVerdict(word, round(confidence, 4), reasons, measures)


def _halves_apart(found: Found, pose: VolumePose, progress: Progress) -> float:
    """Register by the black cells alone and by the white ones; return how far their poses lie apart."""
    cells = cells_of(found.fixed)
    how = VolumeClimb(iterations=40, step_mm=found.fixed.spacing_mm / 4)
    poses = []
    for colour in (0, 1):
        half = rim(found.fixed) & (cells % 2 == colour)
        try:
            poses.append(
                climb_volumes(
                    found.fixed,
                    found.moving,
                    pose,
                    how,
                    mask=half,
                    progress=portion(progress, colour / 2, (colour + 1) / 2),
                )[1]
            )
        except NotConverged:
            return float("inf")
    return mean_distance_mm(poses[0], poses[1], found.fixed.points_mm)
