"""Attempts: ways to find the pose, cheap ones first, until one convinces."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.affine_refinement import FINE, refine_affine
from napari_histreg.matching.description import learn_description
from napari_histreg.matching.picture import Picture
from napari_histreg.matching.pose_promise import Promise
from napari_histreg.matching.pose_search import Grid
from napari_histreg.matching.poses import Poses
from napari_histreg.progress import Progress, portion
from napari_histreg.registration.automatic.hypotheses import (
    Hypothesis,
    best_rival,
    propose_by_search,
    refine_all,
    unlike,
)
from napari_histreg.registration.automatic.overview import Overview
from napari_histreg.registration.automatic.verdict import Measures, Verdict, decide, measure, with_margin

__all__ = [
    "EXHAUSTIVE",
    "QUICK",
    "THOROUGH",
    "Attempt",
    "Effort",
    "Finding",
    "Pool",
    "PoseSearch",
    "by_starts",
    "find_pose",
    "is_sure",
    "polish",
]


@dataclass(frozen=True)
class Effort:
    """How hard a search tries.

    Parameters
    ----------
    name : str
        For the record.
    grid : Grid
        Working size and steps; steps are half as wide as a true pose can be off and still win.
    count : int
        Distinct poses that are refined.
    widest : float
        Scales beyond this ratio of the fields of view are left out where the scale is unknown.
    """

    name: str
    grid: Grid
    count: int
    widest: float = np.inf


QUICK = Effort("quick search", Grid(side=96, step_deg=5.0, step_scale=0.08), 12)
THOROUGH = Effort("thorough search", Grid(side=128, step_deg=4.0, step_scale=0.06), 36)
# Sparse pictures, such as collagen, show enough edges at this size only.
EXHAUSTIVE = Effort("exhaustive search", Grid(side=160, step_deg=3.0, step_scale=0.05), 24, widest=1.7)

Propose = Callable[[Progress], tuple[list[FloatArray], dict[str, float]]]

SURE = 0.9
"""Confidence from which no further attempt is made."""


@dataclass(frozen=True)
class Attempt:
    """One way to propose poses.

    Parameters
    ----------
    name : str
        For the record and for people.
    propose : callable
        Takes a `Progress`, returns the starts and figures for the record.
    pictures : (Picture, Picture)
        The fixed and moving picture that it looks at.
    remark : str
        What to tell the user where this attempt found the pose; empty if nothing.
    judged : bool
        Whether its best pose is judged at once; otherwise its poses only join those of later attempts.
    overviews : (Overview, Overview), optional
        What finer levels go by, where only a part of a slide was looked at; those of the whole slides by
        default.
    fresh : bool
        Whether starts next to one that was refined already are passed over.
    least_margin : float
        It is made only where a pose of these pictures has had this margin over wrong ones.
    """

    name: str
    propose: Propose
    pictures: tuple[Picture, Picture]
    remark: str = ""
    judged: bool = True
    overviews: tuple[Overview, Overview] | None = None
    fresh: bool = False
    least_margin: float = 0.0


@dataclass(frozen=True, eq=False)
class Finding:
    """The best pose so far and what is thought of it.

    Parameters
    ----------
    matrix : (3, 3) ndarray
        Fixed to moving, affine in world units.
    verdict : Verdict
        How far to trust it.
    attempt : Attempt
        Which attempt found it.
    """

    matrix: FloatArray
    verdict: Verdict
    attempt: Attempt


@dataclass
class Pool:
    """All hypotheses of one pair of pictures, so that margins are taken over everything that was tried.

    Parameters
    ----------
    pictures : (Picture, Picture)
        Fixed and moving.
    hypotheses : list of (Hypothesis, Attempt)
        So far, and where they come from.
    finding : Finding or None
        The best of them, judged against all others.
    margin : float
        The largest margin that a best one has had.
    """

    pictures: tuple[Picture, Picture]
    hypotheses: list[tuple[Hypothesis, Attempt]] = field(default_factory=list)
    finding: Finding | None = None
    margin: float = 0.0
    _measured: dict[int, tuple[FloatArray, Measures]] = field(default_factory=dict)

    def add(self, starts: Sequence[FloatArray], attempt: Attempt, progress: Progress) -> None:
        """Refine starts and take them in."""
        if attempt.fresh:
            known = [pose for h, _ in self.hypotheses for pose in (h.start, h.matrix)]
            starts = unlike(self.pictures[0], starts, known)
        refined = refine_all(*self.pictures, starts, attempt.name, progress=progress)
        self.hypotheses += [(hypothesis, attempt) for hypothesis in refined]

    def judge(self) -> None:
        """Polish the hypothesis that stands out most and judge it against all others."""
        leader, attempt = max(self.hypotheses, key=lambda pair: pair[0].z, default=(None, None))
        if leader is None or attempt is None or leader.z <= 0:
            return
        if id(leader) not in self._measured:
            matrix = polish(*self.pictures, leader.matrix)
            self._measured[id(leader)] = matrix, measure(*self.pictures, matrix, start=leader.start)
        matrix, measures = self._measured[id(leader)]
        rival = best_rival(self.pictures[0], matrix, [h for h, _ in self.hypotheses])
        measures = with_margin(measures, rival)
        self.finding = Finding(matrix, decide(measures), attempt)
        self.margin = max(self.margin, measures.margin)


def polish(fixed: Picture, moving: Picture, matrix: FloatArray) -> FloatArray:
    """Refine a pose to a fraction of a pixel with what this pair supports.

    Orientation and the best pair of densities are weighed by how far each stood out at the pose.

    Parameters
    ----------
    fixed, moving : Picture
        The two overviews.
    matrix : (3, 3) ndarray
        A pose right to a few pixels.

    Returns
    -------
    (3, 3) ndarray
    """
    describe = learn_description(fixed, moving, matrix)
    return refine_affine(fixed, moving, matrix, FINE, describe=describe)


def find_pose(
    attempts: Iterable[Attempt],
    *,
    known: Finding | None = None,
    progress: Progress,
    note: Callable[[str, dict[str, float], Verdict | None], None],
) -> Finding | None:
    """Make attempts until one convinces, and return the most convincing.

    Parameters
    ----------
    attempts : iterable of Attempt
        Cheap ones first; what comes after a convincing one is not asked for.
    known : Finding, optional
        What was found before; where it convinces, nothing more is tried.
    progress : Progress
        Told of the progress.
    note : callable
        Told the name, the figures and the verdict of each attempt, for the record.

    Returns
    -------
    Finding or None
        None where nothing at all could be proposed.
    """
    pools: dict[int, Pool] = {}
    best = known
    if is_sure(best):
        return best
    for k, attempt in enumerate(attempts):
        # How many will be needed is not known: each takes a share of what is left.
        part = portion(progress, 1 - 0.6**k, 1 - 0.6 ** (k + 1))
        pool = pools.setdefault(id(attempt.pictures[1]), Pool(attempt.pictures))
        starts, figures = [], {"poses": 0.0}
        if pool.margin >= attempt.least_margin:
            starts, figures = attempt.propose(portion(part, 0.0, 0.6))
        pool.add(starts, attempt, portion(part, 0.6, 0.9))
        if attempt.judged:
            part(0.9, "judging the best pose")
            pool.judge()
        note(attempt.name, figures, pool.finding.verdict if pool.finding and attempt.judged else None)
        found = [p.finding for p in pools.values() if p.finding is not None]
        found += [known] if known is not None else []
        best = max(found, key=lambda f: f.verdict.confidence or 0.0, default=None)
        if is_sure(best):
            break
    return best


def is_sure(finding: Finding | None) -> bool:
    """Tell whether nothing more needs to be tried."""
    return finding is not None and (finding.verdict.confidence or 0.0) >= SURE


@dataclass(eq=False)
class PoseSearch:
    """A proposer that searches rotation, mirror, scale and shift; a coarser one can tell it where.

    Parameters
    ----------
    pictures : (Picture, Picture)
        Fixed and moving.
    scales : (float, float)
        Least and largest scale, moving world units per fixed world unit.
    effort : Effort
        How hard.
    mirror : bool
        Whether mirrored poses are searched.
    known : (float, float), optional
        Scales that other searches have looked at already.
    coarser : PoseSearch, optional
        Only where this one found something is looked at, once it has searched.
    share : float
        The best share of what it found counts as something.
    """

    pictures: tuple[Picture, Picture]
    scales: tuple[float, float]
    effort: Effort
    mirror: bool = True
    known: tuple[float, float] | None = None
    coarser: "PoseSearch | None" = None
    share: float = 1.0
    _poses: Poses | None = None

    def __call__(self, progress: Progress) -> tuple[list[FloatArray], dict[str, float]]:
        """Search; see `propose_by_search`."""
        found = None if self.coarser is None else self.coarser._poses
        starts, figures, self._poses = propose_by_search(
            *self.pictures,
            self._laid_scales(),
            self.effort.grid,
            mirror=self.mirror,
            count=self.effort.count,
            worth=None if found is None else Promise.of(found, self.share),
            progress=progress,
        )
        return starts, figures

    def _laid_scales(self) -> FloatArray:
        fixed, moving = self.pictures
        ratio, widest = moving.extent / fixed.extent, self.effort.widest
        low, high = max(self.scales[0], ratio / widest), min(self.scales[1], ratio * widest)
        # Pixel sizes may put the scale outside: they are believed, the ratio of fields of view is a guess.
        laid = self.effort.grid.scales(*((low, high) if low < high else self.scales))
        if self.known is None:
            return laid
        new = laid[(laid < self.known[0]) | (laid > self.known[1])]
        return new if len(new) else laid


def by_starts(starts: Sequence[FloatArray]) -> Propose:
    """Return a proposer of given poses."""

    def propose(progress: Progress) -> tuple[list[FloatArray], dict[str, float]]:
        return [np.array(s, float) for s in starts], {"poses": float(len(starts))}

    return propose
