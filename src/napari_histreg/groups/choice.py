"""Which pairs of a group are aligned: enough that every slide lies in a loop, few enough to be quick."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Protocol

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.groups.group import Link
from napari_histreg.groups.loops import detours, neighbours_of

__all__ = ["AnyOrder", "Choice", "InOrder"]

Ends = tuple[int, int]

ALL_PAIRS = 5
"""Groups up to this size have all their pairs aligned."""

TRIES = 6
"""Pairs that are tried for a slide before it is taken to belong nowhere."""

REACH = 5
"""Sections that a link bridges at most, where those between are damaged."""

CROSSING = 2
"""Links over every gap between neighbouring sections, so that each is in a loop."""


class Choice(Protocol):
    """A way to choose pairs, in rounds: what is aligned next depends on what was found."""

    def further(self, links: Sequence[Link]) -> list[Ends]:
        """Return the pairs to align next; none where the links do."""


@dataclass(frozen=True)
class InOrder:
    """Sections in their order: neighbours, next but one, and farther ones over damaged sections.

    Parameters
    ----------
    count : int
        Sections.

    Examples
    --------
    >>> InOrder(4).further([])
    [(0, 1), (1, 2), (2, 3)]
    """

    count: int

    def further(self, links: Sequence[Link]) -> list[Ends]:
        """Return neighbours first; then, among sections that fit somewhere, next but one and bridges."""
        tried = {link.ends for link in links}
        first = [ends for ends in pairwise(range(self.count)) if ends not in tried]
        if first:
            return first
        good = _linked(links)
        wanted = self._for_the_lost(good, tried)
        whole = sorted(good)
        wanted += list(pairwise(whole)) + list(zip(whole, whole[2:], strict=False))
        counting = [link.ends for link in links if link.counts]
        for place in range(len(whole) - 1):
            wanted += self._over(whole, place, counting, tried)
        return sorted(set(wanted) - tried)

    def _for_the_lost(self, good: set[int], tried: set[Ends]) -> list[Ends]:
        """Give sections whose neighbours are no good either a farther one to be linked to."""
        wanted = []
        for k in range(self.count):
            if k in good:
                continue
            for step in (-1, 1):
                for distance in range(1, REACH + 1):
                    other = k + step * distance
                    if not 0 <= other < self.count:
                        break
                    if other in good:
                        # Refused by a section that others fit: then it is this one that is damaged.
                        wanted += [] if _sorted(k, other) in tried else [_sorted(k, other)]
                        break
        return wanted

    def _over(self, whole: list[int], place: int, counting: list[Ends], tried: set[Ends]) -> list[Ends]:
        """Bridge a gap over which too few links count."""
        low, high = whole[place], whole[place + 1]
        over = [(a, b) for a, b in counting if a <= low and b >= high]
        if len(over) >= CROSSING or len(whole) < 3:
            return []
        near = [
            (a, b)
            for a in whole[max(0, place + 1 - REACH) : place + 1]
            for b in whole[place + 1 : place + 1 + REACH]
            if b - a <= REACH and (a, b) not in tried
        ]
        near.sort(key=lambda ends: ends[1] - ends[0])
        return near[: CROSSING - len(over)]


@dataclass(frozen=True, eq=False)
class AnyOrder:
    """Slides in no order: a spanning set of the most alike, and loops through all of them.

    Parameters
    ----------
    distances : (N, N) ndarray
        How unlike the slides' overviews are.

    Examples
    --------
    >>> AnyOrder(np.zeros((3, 3))).further([])
    [(0, 1), (0, 2), (1, 2)]
    """

    distances: FloatArray
    count: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", len(self.distances))

    def further(self, links: Sequence[Link]) -> list[Ends]:
        """Return what spans and closes loops first; then more for slides that fit nowhere or in no loop."""
        tried = {_sorted(*link.ends) for link in links}
        if all(link.by_hand for link in links):
            # What a person joined is right, and tells nothing of the others.
            everything = combinations(range(self.count), 2)
            first = everything if self.count <= ALL_PAIRS else self._closed(self._spanning())
            return sorted(set(first) - tried)
        wanted: set[Ends] = set()
        good = _linked(links)
        for k in range(self.count):
            if k not in good:
                wanted.update(self._nearest(k, tried, 2))
        wanted.update(self._across(links, tried))
        wanted.update(self._round(links, tried))
        return sorted(wanted - tried)

    def _spanning(self) -> set[Ends]:
        """Span all slides with the least distances, and give each slide its two nearest."""
        inside, chosen = {0}, set()
        while len(inside) < self.count:
            outside = [k for k in range(self.count) if k not in inside]
            a, b = min(((i, j) for i in inside for j in outside), key=lambda ends: self.distances[ends])
            inside.add(b)
            chosen.add(_sorted(a, b))
        for k in range(self.count):
            chosen.update(self._nearest(k, set(), 2))
        return chosen

    def _closed(self, chosen: set[Ends]) -> list[Ends]:
        """Add pairs until every one is in a loop of three or four."""
        for a, b in sorted(chosen):
            near = {
                k: {j for ends in chosen for j in ends if k in ends and j != k} for k in range(self.count)
            }
            if near[a] & near[b] or any(near[c] & (near[b] - {a}) for c in near[a] - {b}):
                continue
            thirds = [c for c in range(self.count) if c not in (a, b)]
            c = min(thirds, key=lambda c: max(self.distances[a, c], self.distances[b, c]))
            chosen |= {_sorted(a, c), _sorted(b, c)}
        return sorted(chosen)

    def _nearest(self, k: int, tried: set[Ends], count: int) -> list[Ends]:
        """Return the nearest untried pairs of a slide, until it has had its tries."""
        left = TRIES - sum(k in ends for ends in tried)
        others = [int(j) for j in np.argsort(self.distances[k], kind="stable") if j != k]
        pairs = [_sorted(k, j) for j in others if _sorted(k, j) not in tried]
        return pairs[: max(min(count, left), 0)]

    def _across(self, links: Sequence[Link], tried: set[Ends]) -> list[Ends]:
        """Return pairs between sets of slides that nothing joins yet."""
        from napari_histreg.groups.placement import components

        sets = [found for found in components([x for x in links if x.counts], self.count) if len(found) > 1]
        wanted = []
        for first, second in combinations(sets, 2):
            between = sorted((self.distances[a, b], _sorted(a, b)) for a in first for b in second)
            had = sum(ends in tried for _, ends in between)
            wanted += [ends for _, ends in between if ends not in tried][: max(min(2, TRIES - had), 0)]
        return wanted

    def _round(self, links: Sequence[Link], tried: set[Ends]) -> list[Ends]:
        """Return pairs that close a loop round links that are in none."""
        counting = [link for link in links if link.counts]
        neighbours = neighbours_of(counting)
        wanted = []
        for link in counting:
            a, b = link.ends
            if next(detours(neighbours, a, b), None) is not None:
                continue
            closing = [_sorted(b, c) for c in neighbours[a] if c != b]
            closing += [_sorted(a, c) for c in neighbours[b] if c != a]
            if sum(ends in tried for ends in closing) >= CROSSING:
                continue
            untried = [ends for ends in closing if ends not in tried]
            wanted += sorted(untried, key=lambda ends: self.distances[ends])[:1]
        return wanted


def _sorted(a: int, b: int) -> Ends:
    return (a, b) if a < b else (b, a)


def _linked(links: Sequence[Link]) -> set[int]:
    """Return the slides that some link holds."""
    return {k for link in links if link.counts for k in link.ends}
