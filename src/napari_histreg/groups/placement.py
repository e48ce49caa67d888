"""First places: poses chained over the links that loops confirm, so that a wrong link misleads nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.groups.evidence import grid_over
from napari_histreg.groups.group import Link
from napari_histreg.groups.loops import detours, neighbours_of, relative_remainder
from napari_histreg.records.record import SlideRecord
from napari_histreg.transforms import Affine, approximate_affine, fit_transform

__all__ = ["Trust", "chain_poses", "components", "spanning_links", "trust_links"]

CLOSED = 0.05
"""A loop with a larger remainder, as a share of the diagonal, is not closed whatever the others are like."""

TIMES = 4.0
"""A loop is closed whose remainder is at most so many times that of half of the links' best loops."""

LEAST = 0.002
"""No loop counts as open below this share of the diagonal: about two pixels of an overview."""


@dataclass(frozen=True)
class Trust:
    """What loops say about a link.

    Parameters
    ----------
    closed, open : int
        Loops of three and four links through it that close, and that do not.
    best : float or None
        Least remainder, as a share of the diagonal; None where no loop goes through it.
    """

    closed: int
    open: int
    best: float | None


def trust_links(links: Sequence[Link], slides: Sequence[SlideRecord]) -> tuple[Trust, ...]:
    """Count the loops through each link that close and that do not.

    A link is right where some way round gives the same: two wrong ones seldom agree by chance. It needs no
    poses, hence nothing that a wrong link could have spoilt.

    Parameters
    ----------
    links : sequence of Link
        Those that take part, each with a transform.
    slides : sequence of SlideRecord
        Of the group.

    Returns
    -------
    tuple of Trust
        One for each link.
    """
    neighbours = neighbours_of(links)
    remainders = []
    for link in links:
        ways = detours(neighbours, *link.ends)
        remainders.append([relative_remainder(neighbours, way, slides) for way in ways])
    best = [min(found) for found in remainders if found]
    limit = float(np.clip(TIMES * np.median(best), LEAST, CLOSED)) if best else CLOSED
    return tuple(
        Trust(
            sum(value <= limit for value in found),
            sum(value > limit for value in found),
            min(found, default=None),
        )
        for found in remainders
    )


def spanning_links(links: Sequence[Link], trust: Sequence[Trust], count: int) -> list[int]:
    """Choose links that join as many slides as can be joined, those that loops confirm first.

    Returns
    -------
    list of int
        Places in `links`; a tree, or several where the links do not join all slides.
    """

    def rank(k: int) -> tuple[float, ...]:
        link, found = links[k], trust[k]
        # A link that only open loops go through is the last to be believed.
        order = 0 if link.by_hand or found.closed else 2 if found.open else 1
        return order, -min(found.closed, 3), -link.confidence, abs(link.fixed - link.moving)

    group = list(range(count))
    chosen = []
    for k in sorted(range(len(links)), key=rank):
        a, b = (_root(group, end) for end in links[k].ends)
        if a != b:
            group[a] = b
            chosen.append(k)
    return chosen


def components(links: Sequence[Link], count: int) -> list[list[int]]:
    """Sort slides into those that links join, the largest such set first."""
    group = list(range(count))
    for link in links:
        a, b = (_root(group, end) for end in link.ends)
        group[a] = b
    sets: dict[int, list[int]] = {}
    for k in range(count):
        sets.setdefault(_root(group, k), []).append(k)
    return sorted(sets.values(), key=lambda found: (-len(found), found[0]))


def _root(group: list[int], k: int) -> int:
    while group[k] != k:
        group[k] = group[group[k]]
        k = group[k]
    return k


def chain_poses(
    links: Sequence[Link],
    tree: Sequence[int],
    anchor: int,
    slides: Sequence[SlideRecord],
    *,
    kind: str = "affine",
) -> Mapping[int, FloatArray]:
    """Chain the links of a tree from a slide outwards.

    Parameters
    ----------
    links : sequence of Link
        Of which `tree` chooses.
    tree : sequence of int
        Places in `links`.
    anchor : int
        The slide whose frame it is.
    slides : sequence of SlideRecord
        Of the group.
    kind : {"rigid", "similarity", "affine"}
        To what kind of transform each link is brought first.

    Returns
    -------
    mapping of int to (3, 3) ndarray
        Slide to the anchor's frame, world units; of slides that the tree joins to the anchor.
    """
    steps: dict[int, dict[int, FloatArray]] = {}
    for k in tree:
        matrix = _as_kind(links[k], slides, kind)
        a, b = links[k].ends
        steps.setdefault(a, {})[b] = np.asarray(np.linalg.inv(matrix), float)
        steps.setdefault(b, {})[a] = matrix
    found: dict[int, FloatArray] = {anchor: np.eye(3)}
    waiting = [anchor]
    while waiting:
        here = waiting.pop(0)
        for there, there_to_here in steps.get(here, {}).items():
            if there not in found:
                found[there] = np.asarray(found[here] @ there_to_here)
                waiting.append(there)
    return found


def _as_kind(link: Link, slides: Sequence[SlideRecord], kind: str) -> FloatArray:
    """Return a link's matrix, fixed to moving, as the nearest of a kind."""
    transform = link.outcome.fixed_to_moving
    if transform is None:
        raise ValueError("A link without a transform cannot be chained.")
    points = grid_over(slides[link.fixed])
    if kind == "affine":
        return (
            transform.matrix
            if isinstance(transform, Affine)
            else approximate_affine(transform, points).matrix
        )
    return np.asarray(fit_transform(kind, points, transform(points), allow_mirror=True).matrix)
