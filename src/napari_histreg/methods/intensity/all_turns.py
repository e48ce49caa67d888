"""Every turn and shift of two pictures whose values are related, and whether the best pose convinces."""

from dataclasses import replace

import numpy as np

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import FloatArray
from napari_histreg.matching.evidence import as_affine, weigh_pose
from napari_histreg.matching.picture import Picture
from napari_histreg.matching.related_evidence import DOUBT, weigh_related
from napari_histreg.matching.related_search import FINE_PX, Freedom, Summits, climb_rigid, search_related
from napari_histreg.matching.related_values import RelatedValues, with_background
from napari_histreg.methods.intensity.stretching import is_stretch_proven, nearest_rigid
from napari_histreg.methods.method import Finding
from napari_histreg.methods.starts import plain_starts
from napari_histreg.progress import Progress, portion
from napari_histreg.transforms import Affine, MatrixTransform, Rigid, Similarity, Transform, Translation

__all__ = ["swept_finding", "unstretched"]

UNPROVEN = "Stretching gained nothing that cells which took no part confirm: it only turns and shifts."

KINDS: dict[str, type[MatrixTransform]] = {"rigid": Rigid, "similarity": Similarity, "affine": Affine}


def swept_finding(
    fixed: Picture,
    moving: Picture,
    initial: Transform | None,
    *,
    freedom: Freedom,
    search_deg: float,
    failure: str,
    progress: Progress,
) -> Finding:
    """Try every turn and shift; keep the best pose where cells that took no part confirm it.

    Parameters
    ----------
    fixed, moving : Picture
        The signals, bright on dark.
    initial : Transform or None
        Where to start; without one any turn may be the answer.
    freedom : {"rigid", "similarity", "affine"}
        Stretched it is only where cells that took no part say so.
    search_deg : float
        Largest turn about a start.
    failure : str
        What else failed, for the sentence.
    progress : Progress
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    Finding

    Raises
    ------
    NotConverged
        Nothing convinces; the message says why.
    """
    a, b = with_background(fixed), with_background(moving)
    bases: list[Transform] = [initial] if initial is not None else _scales(fixed, moving)
    reach = search_deg if initial is not None else 180.0
    found: list[tuple[Summits, FloatArray]] = []
    for k, base in enumerate(bases):
        part = portion(progress, k / len(bases), (k + 1) / len(bases))
        matrix = as_affine(base, fixed)
        starts = () if initial is None else (matrix,)
        summits = search_related(
            a, b, base=matrix, starts=starts, search_deg=reach, freedom=freedom, progress=part
        )
        found.append((summits, matrix))
    best = max(range(len(found)), key=lambda k: found[k][0].rigid.score)
    summits, base_matrix = found[best]
    # What fits at another scale is a rival too.
    others = [item.rigid.score for item, _ in found if item is not summits]
    margin = min([summits.margin, *(summits.rigid.score / score for score in others if score > 0)])
    evidence = weigh_related(a, b, summits.rigid.matrix, margin)
    pose, notes = summits.rigid.matrix, tuple[str, ...]()
    if freedom != "rigid":
        gain = summits.best.score / summits.rigid.score
        if is_stretch_proven(a, b, summits.best.matrix, pose, gain):
            evidence, pose = weigh_related(a, b, summits.best.matrix, margin), summits.best.matrix
        else:
            notes = (UNPROVEN,)
    if evidence.confidence < DOUBT:
        agreement = evidence.agreement
        raise NotConverged(
            f"{failure} Nor do values that go together show a pose: of the best one {agreement.agreeing} of "
            f"{agreement.tested} cells fit where it puts them, and chance would give "
            f"{agreement.chance * agreement.tested:.0f}."
        )
    start = bases[best] if initial is None else initial
    change = np.asarray(np.linalg.solve(base_matrix, pose))
    return Finding(
        KINDS[freedom](change),
        start,
        score=evidence.margin,
        words=f"confidence {evidence.confidence:.2f} by values that go together",
        notes=notes,
        figures=evidence.figures,
        related=evidence,
        is_proven=True,
    )


def unstretched(fixed: Picture, moving: Picture, found: Finding) -> Finding:
    """Return the rigid pose beside a stretched one, unless the stretch is proven; see `is_stretch_proven`.

    Parameters
    ----------
    fixed, moving : Picture
        The signals, bright on dark.
    found : Finding
        With its evidence.
    """
    a, b = with_background(fixed), with_background(moving)
    score, matrix = RelatedValues(a, b, FINE_PX), as_affine(found.fixed_to_moving, fixed)
    rigid = climb_rigid(score, nearest_rigid(matrix, score.points.mean(0)), a.extent)
    gain = score(matrix) / max(rigid.score, 1e-9)
    if score.apart(matrix, rigid.matrix) < score.spacing or is_stretch_proven(
        a, b, matrix, rigid.matrix, gain
    ):
        return found
    evidence = weigh_pose(fixed, moving, rigid.matrix)
    # As a change made before the start.
    change = np.asarray(np.linalg.solve(as_affine(found.start, fixed), rigid.matrix), np.float64)
    return replace(found, change=Affine(change), evidence=evidence, notes=(*found.notes, UNPROVEN))


def _scales(fixed: Picture, moving: Picture) -> list[Transform]:
    """Give the scales worth trying: that of the units, and, where the images differ much in size, theirs."""
    return [
        Translation.identity(),
        *(start for start in plain_starts(fixed, moving) if start.kind == "similarity"),
    ]
