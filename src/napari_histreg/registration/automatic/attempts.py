"""Attempts: ways to find the pose, cheap ones first, until one convinces."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.affine_refinement import FINE, refine_affine
from napari_histreg.matching.description import learn_description
from napari_histreg.matching.picture import Picture
from napari_histreg.progress import Progress, portion
from napari_histreg.registration.automatic.hypotheses import (
    Hypothesis,
    best_rival,
    refine_all,
    unlike,
)
from napari_histreg.registration.automatic.overview import Overview
from napari_histreg.registration.automatic.verdict import Measures, Verdict, decide, measure, with_margin

__all__ = [
    "Attempt",
    "Finding",
    "Pool",
    "by_starts",
    "find_pose",
    "is_sure",
    "polish",
]


Propose = Callable[[Progress], tuple[list[FloatArray], dict[str, float]]]

SURE = 0.9
"""Confidence from which no further attempt is made."""

LEAST_LEAD = 1.1
"""What can be accepted leads every wrong pose by half; polishing by a fraction of a pixel brings less."""


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
    late : bool
        Whether it is made after much else has found nothing: starts next to one that was refined already are
        passed over, and a best pose that hardly leads the others is not measured.
    least_margin : float
        It is made only where a pose of these pictures has had this margin over wrong ones.
    """

    name: str
    propose: Propose
    pictures: tuple[Picture, Picture]
    remark: str = ""
    judged: bool = True
    overviews: tuple[Overview, Overview] | None = None
    late: bool = False
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
    _measures: Measures | None = None
    _measured: dict[int, tuple[FloatArray, Measures]] = field(default_factory=dict)

    def add(self, starts: Sequence[FloatArray], attempt: Attempt, progress: Progress) -> None:
        """Refine starts and take them in."""
        if attempt.late:
            known = [pose for h, _ in self.hypotheses for pose in (h.start, h.matrix)]
            starts = unlike(self.pictures[0], starts, known)
        refined = refine_all(*self.pictures, starts, attempt.name, progress=progress)
        self.hypotheses += [(hypothesis, attempt) for hypothesis in refined]

    def judge(self, least_lead: float = 0.0) -> None:
        """Polish the hypothesis that stands out most and judge it against all others.

        Parameters
        ----------
        least_lead : float
            One whose score is less than so many times that of the best distinct other is not measured.
        """
        hypotheses = [hypothesis for hypothesis, _ in self.hypotheses]
        leader, attempt = max(self.hypotheses, key=lambda pair: pair[0].z, default=(None, None))
        if leader is None or attempt is None or leader.z <= 0:
            return
        if id(leader) not in self._measured:
            if leader.z < least_lead * best_rival(self.pictures[0], leader.matrix, hypotheses):
                self._weigh_again(hypotheses)
                return
            matrix = polish(*self.pictures, leader.matrix)
            self._measured[id(leader)] = matrix, measure(*self.pictures, matrix, start=leader.start)
        matrix, self._measures = self._measured[id(leader)]
        self.finding = self._found(matrix, self._measures, attempt, hypotheses)

    def _weigh_again(self, hypotheses: Sequence[Hypothesis]) -> None:
        """Judge what was found against the new hypotheses too, one of which leads it."""
        if self.finding is not None and self._measures is not None:
            self.finding = self._found(self.finding.matrix, self._measures, self.finding.attempt, hypotheses)

    def _found(
        self,
        matrix: FloatArray,
        measures: Measures,
        attempt: Attempt,
        hypotheses: Sequence[Hypothesis],
    ) -> Finding:
        weighed = with_margin(measures, best_rival(self.pictures[0], matrix, hypotheses))
        self.margin = max(self.margin, weighed.margin)
        return Finding(matrix, decide(weighed), attempt)


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
        starts: list[FloatArray] = []
        figures = {"poses": 0.0}
        if pool.margin >= attempt.least_margin:
            starts, figures = attempt.propose(portion(part, 0.0, 0.6))
        pool.add(starts, attempt, portion(part, 0.6, 0.9))
        if attempt.judged:
            part(0.9, "judging the best pose")
            pool.judge(LEAST_LEAD if attempt.late else 0.0)
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


def by_starts(starts: Sequence[FloatArray]) -> Propose:
    """Return a proposer of given poses."""

    def propose(progress: Progress) -> tuple[list[FloatArray], dict[str, float]]:
        return [np.array(s, float) for s in starts], {"poses": float(len(starts))}

    return propose
