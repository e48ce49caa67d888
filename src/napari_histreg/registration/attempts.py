"""Attempts: ways to find the pose, cheap ones first, until one convinces."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_histreg.errors import HistregError
from napari_histreg.geometry import FloatArray
from napari_histreg.methods.block_matching import FINE, refine_affine
from napari_histreg.methods.joint import learn_description
from napari_histreg.methods.picture import Picture
from napari_histreg.methods.pose_search import Grid
from napari_histreg.progress import Progress, portion
from napari_histreg.registration.hypotheses import (
    Hypothesis,
    are_distinct,
    propose_by_search,
    ranked,
    refine_all,
)
from napari_histreg.registration.verdict import Verdict, judge

__all__ = ["Attempt", "Finding", "Pool", "find_pose", "polish"]

QUICK = Grid(side=96, step_deg=5.0, step_scale=0.08)
THOROUGH = Grid(side=128, step_deg=4.0, step_scale=0.06)

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
    """

    name: str
    propose: Callable[[Progress], tuple[list[FloatArray], dict[str, float]]]
    pictures: tuple[Picture, Picture]
    remark: str = ""


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
    hypotheses : list of Hypothesis
        So far.
    """

    pictures: tuple[Picture, Picture]
    hypotheses: list[Hypothesis] = field(default_factory=list)

    def add(self, starts: Sequence[FloatArray], source: str, progress: Progress) -> None:
        """Refine starts and take them in."""
        self.hypotheses += refine_all(*self.pictures, starts, source, progress=progress)

    def best(self) -> Hypothesis | None:
        """Return the hypothesis that stands out most; None where there is none."""
        order = ranked(self.hypotheses)
        return order[0] if order and order[0].z > 0 else None

    def leaders(self, count: int = 2) -> Iterator[Hypothesis]:
        """Yield the best distinct hypotheses."""
        taken: list[Hypothesis] = []
        for hypothesis in ranked(self.hypotheses):
            if all(are_distinct(self.pictures[0], t.matrix, hypothesis.matrix) for t in taken):
                taken.append(hypothesis)
                yield hypothesis
                if len(taken) == count:
                    return


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
    attempts: Sequence[Attempt],
    *,
    progress: Progress,
    note: Callable[[str, dict[str, float], Verdict | None], None],
) -> Finding | None:
    """Make attempts until one convinces, and return the most convincing.

    Parameters
    ----------
    attempts : sequence of Attempt
        Cheap ones first.
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
    best: Finding | None = None
    share = 1.0 / max(len(attempts), 1)
    for k, attempt in enumerate(attempts):
        part = portion(progress, k * share, (k + 1) * share)
        pool = pools.setdefault(id(attempt.pictures[1]), Pool(attempt.pictures))
        try:
            starts, figures = attempt.propose(portion(part, 0.0, 0.6))
        except HistregError as error:
            note(attempt.name, {}, None)
            if k == len(attempts) - 1 and best is None:
                raise error
            continue
        pool.add(starts, attempt.name, portion(part, 0.6, 0.85))
        leader = pool.best()
        if leader is None:
            note(attempt.name, figures, None)
            continue
        matrix = polish(*attempt.pictures, leader.matrix)
        part(0.9, "judging the best pose")
        verdict = judge(*attempt.pictures, matrix, start=leader.start, hypotheses=pool.hypotheses)
        note(attempt.name, figures, verdict)
        if best is None or (verdict.confidence or 0.0) > (best.verdict.confidence or 0.0):
            best = Finding(matrix, verdict, attempt)
        if (best.verdict.confidence or 0.0) >= SURE:
            break
    return best


def by_search(
    pictures: tuple[Picture, Picture], scales: tuple[float, float], grid: Grid, *, mirror: bool
) -> Callable[[Progress], tuple[list[FloatArray], dict[str, float]]]:
    """Return a proposer that searches all poses."""

    def propose(progress: Progress) -> tuple[list[FloatArray], dict[str, float]]:
        return propose_by_search(*pictures, scales, grid, mirror=mirror, progress=progress)

    return propose


def by_starts(
    starts: Sequence[FloatArray],
) -> Callable[[Progress], tuple[list[FloatArray], dict[str, float]]]:
    """Return a proposer of given poses."""

    def propose(progress: Progress) -> tuple[list[FloatArray], dict[str, float]]:
        return [np.array(s, float) for s in starts], {"poses": float(len(starts))}

    return propose
