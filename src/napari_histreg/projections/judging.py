"""The verdict on a series: every view against what all others predict."""

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_histreg.progress import Progress, silent
from napari_histreg.projections.arrays import Floats, Mask
from napari_histreg.projections.axis import AxisEstimates
from napari_histreg.projections.gauge import fix_gauge
from napari_histreg.projections.rounds import compare, left_out_predictions
from napari_histreg.projections.work import WorkStack

__all__ = ["Evidence", "Judgement", "VerdictWord", "expected_error", "judge", "weigh"]

VerdictWord = Literal["accepted", "doubtful", "refused"]

BANDS = 4
FEWEST_ROWS = 16
STRANGERS = 12
ACCEPTED_PX = 0.5
DOUBTFUL_PX = 2.0
ABOVE_CHANCE = 0.05
AXIS_APART_PX = 1.5
MANY_BAD = 0.2
TOO_MANY_BAD = 0.5


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the left-out views say.

    Parameters
    ----------
    remaining : (A, 2) ndarray
        How far each frame still lies off from its prediction, (y, x) in pixels of the stack, gauge taken out.
    noise : (A, 2) ndarray
        Standard error of that, from bands of rows that share no data.
    likeness : (A,) ndarray
        Correlation of each frame with its prediction.
    chance : float
        The same of frames with the predictions of other views.
    """

    remaining: Floats
    noise: Floats
    likeness: Floats
    chance: float

    def error(self, used: Mask) -> tuple[float, float]:
        """Return the expected error of a shift, along y and x, in pixels of the stack."""
        y, x = np.sqrt((self.remaining[used] ** 2).mean(0) + (self.noise[used] ** 2).mean(0))
        return float(y), float(x)


@dataclass(frozen=True)
class Judgement:
    """A verdict and what it rests on.

    Parameters
    ----------
    word : "accepted", "doubtful" or "refused"
        The verdict.
    reasons : tuple of str
        In plain words, the heaviest first.
    """

    word: VerdictWord
    reasons: tuple[str, ...]


def weigh(
    stack: WorkStack, shifts: Floats, axis: float, *, reach_px: float = 6.0, progress: Progress = silent
) -> Evidence:
    """Predict each view from all others and measure what is left.

    Parameters
    ----------
    stack : WorkStack
        Line integrals.
    shifts : (A, 2) ndarray
        How far each frame lies off, in pixels of the stack.
    axis : float
        Column of the rotation axis.
    reach_px : float
        Farthest shift that is looked for.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    Evidence
    """
    rows = stack.frames.shape[1]
    count = max(1, min(BANDS, rows // FEWEST_ROWS))
    edges = np.linspace(0, rows, count + 1).astype(int)
    remaining = np.zeros((stack.count, 2))
    noise = np.zeros((stack.count, 2))
    likeness = np.zeros(stack.count)
    kept: dict[int, tuple[Floats, Floats]] = {}
    chosen = set(np.linspace(0, stack.count - 1, min(STRANGERS, stack.count)).astype(int).tolist())
    for view, frame, predicted in left_out_predictions(stack, shifts, axis, progress=progress):
        remaining[view], likeness[view] = compare(frame, predicted, reach_px=reach_px)
        noise[view] = _spread(frame, predicted, edges, remaining[view])
        if view in chosen:
            kept[view] = (frame, np.array(predicted))
    if not kept or not stack.used.any():
        return Evidence(remaining, noise, likeness, 1.0)
    views = sorted(kept)
    apart = len(views) // 2
    strange = [
        compare(kept[a][0], kept[b][1], reach_px=reach_px)[1]
        for a, b in zip(views, views[apart:] + views[:apart], strict=True)
        if stack.used[a] and stack.used[b]
    ]
    chance = float(np.median(strange)) if strange else 1.0
    centred, _ = fix_gauge(remaining, stack.angles_rad, stack.used)
    return Evidence(centred, noise, likeness, chance)


def expected_error(
    stack: WorkStack, evidence: Evidence, drift_px: tuple[float, float] | None
) -> tuple[float, float]:
    """Return the expected error of a shift along y and x, in pixels of the detector.

    Parameters
    ----------
    stack : WorkStack
        Line integrals.
    evidence : Evidence
        Of the left-out views.
    drift_px : (float, float) or None
        As in `judge`.
    """
    if not stack.used.any():
        return float("inf"), float("inf")
    y, x = evidence.error(stack.used)
    drift = drift_px or (0.0, 0.0)
    return float(np.hypot(y * stack.bin, drift[0])), float(np.hypot(x * stack.bin, drift[1]))


def judge(
    stack: WorkStack,
    evidence: Evidence,
    axis: AxisEstimates,
    *,
    drift_px: tuple[float, float] | None,
) -> Judgement:
    """Weigh the evidence.

    Parameters
    ----------
    stack : WorkStack
        Line integrals.
    evidence : Evidence
        Of the left-out views.
    axis : AxisEstimates
        In pixels of the stack.
    drift_px : (float, float) or None
        How far the shifts lie, smoothly over the angles, from what the mass asks for, along y and x, in
        pixels of the detector; None where the body leaves the field, so that nobody can tell.

    Returns
    -------
    Judgement
    """
    used = stack.used
    bad = 1 - float(used.mean())
    refusals: list[str] = []
    doubts: list[str] = []
    goods: list[str] = []
    likeness = float(np.median(evidence.likeness[used])) if used.any() else 0.0
    if used.sum() < 3 or bad > TOO_MANY_BAD:
        refusals.append(f"{100 * bad:.0f} % of the frames are no views of one body.")
        return Judgement("refused", tuple(refusals))
    if likeness < evidence.chance + ABOVE_CHANCE:
        refusals.append(
            f"Left-out views are no more like their predictions (correlation {likeness:.2f}) than like "
            f"those of other views ({evidence.chance:.2f}): the frames are not views of one body at these "
            "angles."
        )
    y, x = expected_error(stack, evidence, drift_px)
    worst = max(y, x)
    against = "their predictions" if drift_px is None else "their predictions and the mass"
    said = f"Left-out views lie {y:.2f} px (y) and {x:.2f} px (x) off {against}, noise included."
    (goods if worst <= ACCEPTED_PX else doubts if worst <= DOUBTFUL_PX else refusals).append(said)
    if not stack.is_whole:
        doubts.append(
            "The body leaves the field at the sides: a slow drift along x cannot be told from its shape."
        )
    elif drift_px is not None and max(drift_px) > ACCEPTED_PX:
        doubts.append(f"The shifts drift {max(drift_px):.2f} px from what the mass asks for.")
    if not axis.all:
        doubts.append("The angles span no half turn and the body leaves the field: the axis is unknown.")
    elif axis.spread * stack.bin > AXIS_APART_PX:
        ways = ", ".join(f"{name} {value * stack.bin:.1f}" for name, value in axis.all.items())
        doubts.append(f"The ways of finding the rotation axis disagree (columns: {ways}).")
    if bad > MANY_BAD:
        doubts.append(f"{100 * bad:.0f} % of the frames were left out.")
    goods.append(
        f"Correlation with the predictions {likeness:.2f}, with those of other views {evidence.chance:.2f}."
    )
    word: VerdictWord = "refused" if refusals else "doubtful" if doubts else "accepted"
    return Judgement(word, tuple(refusals + doubts + goods))


def _spread(frame: Floats, predicted: Floats, edges: Floats, whole: Floats) -> Floats:
    """Return the standard error of a shift from how bands of rows differ, those with most detail counting."""
    if len(edges) < 3:
        return np.zeros(2)
    values, weights = [], []
    for low, high in itertools.pairwise(edges):
        place, alike = compare(frame[low:high], predicted[low:high], reach_px=float(np.abs(whole).max()) + 3)
        values.append(place)
        weights.append(max(alike, 0.0) ** 2 * float(predicted[low:high].var()))
    share = np.array(weights) / max(sum(weights), 1e-12)
    off = np.array(values) - whole
    # Weighted bands count as so many equal ones.
    count = 1 / max(float((share**2).sum()), 1e-12)
    variance = (share[:, None] * off**2).sum(0) / max(count - 1, 0.5)
    return np.asarray(np.sqrt(variance))
