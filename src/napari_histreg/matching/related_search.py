"""From all turns and shifts to the best pose of two pictures whose values are related."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import FloatArray
from napari_histreg.joint_histogram import ShiftMap
from napari_histreg.matching.picture import Picture
from napari_histreg.matching.related_values import RelatedValues, ranked
from napari_histreg.progress import Progress, portion, silent

__all__ = [
    "COARSE_PX",
    "FINE_PX",
    "Freedom",
    "RelatedPose",
    "Summits",
    "climb_rigid",
    "search_related",
    "sweep_related",
]

SWEEP_PX, COARSE_PX, FINE_PX = 96, 96, 288
"""Longest sides at which all shifts are tried, the best climb, and the best of these climb on."""
SWEEP_BINS = 6
STEP_DEG = 6.0
PER_TURN = 2
STARTS, CLIMB_ON = 8, 4
DISTINCT_PX = 4.0
"""Starts lie at least so many pixels of the sweep apart."""
FARTHER = 0.06
"""Poses that lie apart by this share of the picture's longest side are clearly different."""

Freedom = Literal["rigid", "similarity", "affine"]


@dataclass(frozen=True, eq=False)
class RelatedPose:
    """A pose, fixed to moving, (3, 3) in world units, with its score."""

    matrix: FloatArray
    score: float


@dataclass(frozen=True, eq=False)
class Summits:
    """What a search found.

    Parameters
    ----------
    best : RelatedPose
        With all that might change.
    rival : float
        Score of the best clearly different pose; 0 where there is none.
    rigid : RelatedPose
        The best before it was stretched.
    """

    best: RelatedPose
    rival: float
    rigid: RelatedPose

    @property
    def margin(self) -> float:
        """Score of the best over that of the best clearly different pose, at most 2."""
        return min(self.rigid.score / self.rival, 2.0) if self.rival > 0 else 2.0


def search_related(
    fixed: Picture,
    moving: Picture,
    *,
    base: FloatArray | None = None,
    starts: Sequence[FloatArray] = (),
    search_deg: float = 180.0,
    freedom: Freedom = "rigid",
    progress: Progress = silent,
) -> Summits:
    """Find the pose of the greatest score; see `RelatedValues`.

    Parameters
    ----------
    fixed, moving : Picture
        Bright on dark, with room around; see `with_background`.
    base : (3, 3) ndarray, optional
        Turns are made on top of it: where the pixel sizes are not known it holds the scale, where a start
        was given that.
    starts : sequence of (3, 3) ndarray
        Poses to climb from, besides the best of the sweep.
    search_deg : float
        Turns that the answer may have, to either side of the base. All others are tried too: the answer
        must stand out from them.
    freedom : {"rigid", "similarity", "affine"}
        What the last climb may change, on top of the base.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    Summits

    Raises
    ------
    NotConverged
        The pictures share too little at any pose.
    """
    base = np.eye(3) if base is None else np.asarray(base, float)
    swept = sweep_related(fixed, moving, base, portion(progress, 0.0, 0.4))
    score = RelatedValues(fixed, moving, COARSE_PX)
    chosen: list[FloatArray] = list(starts)
    least = DISTINCT_PX * fixed.extent / SWEEP_PX
    for candidate in swept:
        if all(score.apart(candidate.matrix, other) > least for other in chosen):
            chosen.append(candidate.matrix)
        if len(chosen) >= STARTS + len(starts):
            break
    found = []
    for k, start in enumerate(chosen):
        progress(0.4 + 0.3 * k / len(chosen), "climbing from the best turns and shifts")
        found.append(_climbed(score, start, "rigid", 0.06 * fixed.extent))
    found.sort(key=lambda pose: -pose.score)
    if not found or found[0].score <= 0:
        raise NotConverged("The two images share too little to be compared at any pose.")
    score = RelatedValues(fixed, moving, FINE_PX)
    allowed = [p for p in found if abs(_turn(base, p.matrix)) <= search_deg + STEP_DEG]
    if not allowed:
        raise NotConverged(
            f"No pose turned by up to {search_deg:g} degrees holds, only others. Allow larger turns."
        )
    fine = []
    for k, pose in enumerate(_first(allowed, found)):
        progress(0.7 + 0.05 * k, "climbing on")
        fine.append(climb_rigid(score, pose.matrix, fixed.extent))
    # The rest are rivals only; those turned too far may not win.
    near = [p for p in fine if abs(_turn(base, p.matrix)) <= search_deg + STEP_DEG]
    rigid = max(near, key=lambda pose: pose.score)
    apart = FARTHER * fixed.extent
    others = [*fine, *(RelatedPose(p.matrix, score(p.matrix)) for p in found)]
    rivals = [p.score for p in others if score.apart(p.matrix, rigid.matrix) > apart]
    best = rigid
    if freedom != "rigid":
        progress(0.95, "stretching")
        best = _climbed(score, rigid.matrix, freedom, 0.01 * fixed.extent)
    return Summits(best, max(rivals, default=0.0), rigid)


def _first(allowed: list[RelatedPose], found: list[RelatedPose]) -> list[RelatedPose]:
    """Give the poses worth a fine climb: the best allowed ones, and the best of all as a rival."""
    picked = allowed[:CLIMB_ON]
    return picked if any(found[0] is p for p in picked) else [*picked, found[0]]


def _turn(base: FloatArray, matrix: FloatArray) -> float:
    """Return by how many degrees a pose turns on top of the base."""
    change = np.linalg.solve(base[:2, :2], matrix[:2, :2])
    return float(np.degrees(np.arctan2(change[1, 0] - change[0, 1], change[0, 0] + change[1, 1])))


def sweep_related(fixed: Picture, moving: Picture, base: FloatArray, progress: Progress) -> list[RelatedPose]:
    """Measure the information at every shift of every turn about the base, on a small copy.

    Parameters
    ----------
    fixed, moving : Picture
        Bright on dark, with room around.
    base : (3, 3) ndarray
        Turns are made on top of it.
    progress : Progress
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    list of RelatedPose
        The best two shifts of each turn, best first.
    """
    from scipy.ndimage import affine_transform

    spacing = max(fixed.extent / SWEEP_PX, fixed.spacing)
    still = fixed.reduced(spacing)
    scale = float(np.sqrt(abs(np.linalg.det(base[:2, :2]))))
    seen = moving.reduced(spacing * scale)
    first, second = (_binned(p) for p in (still, seen))
    size = int(np.ceil(np.hypot(*seen.frame.shape))) | 1
    centre, middle = (np.array(seen.frame.shape) - 1) / 2, np.full(2, (size - 1) / 2)
    # From steps on the fixed grid to steps on the moving one, but for the turn.
    local = np.linalg.solve(np.diag(seen.frame.spacing), base[:2, :2] @ np.diag(still.frame.spacing))
    shift_map = ShiftMap(first, SWEEP_BINS, (size, size))
    found: list[RelatedPose] = []
    count = round(360 / STEP_DEG)
    for k in range(count):
        progress(k / count, "trying all turns and shifts")
        angle = np.radians(k * STEP_DEG)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = local @ turn
        offset = centre - linear @ middle
        turned = affine_transform(second, linear, offset, (size, size), order=0, cval=-1)
        values, shifts = shift_map(turned)
        for _ in range(PER_TURN):
            place = int(np.argmax(values))
            if not np.isfinite(values.flat[place]):
                break
            shift = shifts.reshape(2, -1)[:, place]
            index = np.eye(3)
            index[:2, :2], index[:2, 2] = linear, linear @ shift + offset
            matrix = seen.frame.matrix @ index @ np.linalg.inv(still.frame.matrix)
            found.append(RelatedPose(matrix, float(values.flat[place])))
            values[(np.abs(shifts - shift[:, None, None]) <= 3).all(0)] = -np.inf
    return sorted(found, key=lambda pose: -pose.score)


def _binned(picture: Picture) -> NDArray[np.int8]:
    ranks = ranked(picture.channels[0], picture.mask, SWEEP_BINS + 1)
    bins = np.minimum(np.floor(ranks), SWEEP_BINS - 1)
    return np.where(picture.mask, bins, -1).astype(np.int8)


def climb_rigid(score: RelatedValues, start: FloatArray, extent: float, step: float = 0.015) -> RelatedPose:
    """Climb on from a pose that is nearly right, turning and shifting only.

    Parameters
    ----------
    score : RelatedValues
    start : (3, 3) ndarray
        In world units.
    extent : float
        Longest side of the fixed picture.
    step : float
        First step, as a share of it.
    """
    return _climbed(score, start, "rigid", step * extent)


def _climbed(score: RelatedValues, start: FloatArray, freedom: Freedom, step: float) -> RelatedPose:
    """Climb by a simplex; `step` in fixed world units is the length of its sides at first."""
    from scipy import optimize

    centre = score.points.mean(0)
    reach = float(np.sqrt(((score.points - centre) ** 2).sum(1).mean()))
    count = {"rigid": 3, "similarity": 4, "affine": 6}[freedom]

    def pose(change: FloatArray) -> FloatArray:
        return np.asarray(start @ _motion(change / reach, centre, reach))

    simplex = np.vstack([np.zeros(count), np.eye(count) * step])
    # Its stubs know no options of the simplex.
    minimize: Any = optimize.minimize
    found = minimize(
        lambda change: -score(pose(change)),
        np.zeros(count),
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": step / 50, "fatol": 1e-6, "maxfev": 45 * count},
    )
    return RelatedPose(pose(found.x), float(-found.fun))


def _motion(change: FloatArray, centre: FloatArray, reach: float) -> FloatArray:
    """Return the map (3, 3) of shift, turn, scale and, of six numbers, stretch and shear about a centre."""
    shift, angle, rest = change[:2] * reach, float(change[2]), change[3:]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    scale = np.exp(rest[0]) if len(rest) else 1.0
    stretch = np.eye(2)
    if len(rest) == 3:
        stretch = np.array([[np.exp(rest[1]), rest[2]], [rest[2], np.exp(-rest[1])]])
    matrix = np.eye(3)
    matrix[:2, :2] = scale * turn @ stretch
    matrix[:2, 2] = centre + shift - matrix[:2, :2] @ centre
    return matrix
