"""Loops: round trips over links, which should end where they began."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.groups.evidence import grid_over
from napari_histreg.groups.group import Link
from napari_histreg.records.record import SlideRecord
from napari_histreg.transforms import Transform

__all__ = [
    "Neighbours",
    "along",
    "detours",
    "neighbours_of",
    "noise_from_loops",
    "relative_remainder",
    "simple_loops",
]

Neighbours = Mapping[int, Mapping[int, Transform]]
"""For each slide, the transforms from it to the slides that it is linked to."""


def neighbours_of(links: Sequence[Link]) -> dict[int, dict[int, Transform]]:
    """List each slide's links in both directions; links without a usable transform are left out."""
    found: dict[int, dict[int, Transform]] = {}
    for link in links:
        transform = link.outcome.fixed_to_moving
        if transform is None:
            continue
        found.setdefault(link.fixed, {})[link.moving] = transform
        found.setdefault(link.moving, {})[link.fixed] = transform.inverse()
    return found


def detours(neighbours: Neighbours, first: int, last: int, *, longest: int = 3) -> Iterator[tuple[int, ...]]:
    """List the ways from one slide to another over up to `longest` links, without their own link.

    Examples
    --------
    >>> from napari_histreg.transforms import Translation
    >>> step = Translation.identity()
    >>> square = {0: {1: step, 3: step}, 1: {0: step, 2: step}, 2: {1: step, 3: step}, 3: {2: step, 0: step}}
    >>> list(detours(square, 0, 3))
    [(0, 1, 2, 3)]
    """
    ways: list[tuple[int, ...]] = [(first,)]
    for _ in range(longest):
        further = []
        for way in ways:
            for k in neighbours.get(way[-1], {}):
                if k in way or (way[-1], k) == (first, last):
                    continue
                if k == last:
                    yield (*way, k)
                else:
                    further.append((*way, k))
        ways = further


def along(neighbours: Neighbours, way: Sequence[int], points: FloatArray) -> FloatArray:
    """Carry points of a way's first slide to its last."""
    for a, b in pairwise(way):
        points = neighbours[a][b](points)
    return points


def relative_remainder(neighbours: Neighbours, way: Sequence[int], slides: Sequence[SlideRecord]) -> float:
    """Compare a way with the direct link of its ends: root mean square as a share of the last slide's
    diagonal.

    Infinite where the way leads out of what can be mapped.
    """
    points = grid_over(slides[way[0]])
    direct = neighbours[way[0]][way[-1]](points)
    away = along(neighbours, way, points) - direct
    last = slides[way[-1]]
    diagonal = float(np.hypot(*(np.array(last.shape) * last.world_pixel_size)))
    found = float(np.sqrt((away**2).sum(1).mean())) / diagonal
    return found if np.isfinite(found) else np.inf


def simple_loops(neighbours: Neighbours, *, every: bool = False) -> list[tuple[int, ...]]:
    """List loops of three links, and of four where a link is in none of three.

    Parameters
    ----------
    neighbours : mapping
        The links.
    every : bool
        All loops of three and four links.

    Returns
    -------
    list of tuple of int
        Each loop once, from its smallest slide.
    """
    found: dict[tuple[int, ...], None] = {}
    for a in sorted(neighbours):
        for b in sorted(neighbours[a]):
            if b < a:
                continue
            ways = list(detours(neighbours, a, b))
            short = [way for way in ways if len(way) == 3]
            for way in ways if every or not short else short:
                found[_named(way)] = None
    return sorted(found)


def _named(way: Sequence[int]) -> tuple[int, ...]:
    """Turn a loop so that it begins with its smallest slide and goes on to the smaller neighbour."""
    k = way.index(min(way))
    turned = [*way[k:], *way[:k]]
    back = [turned[0], *turned[:0:-1]]
    return tuple(min(turned, back))


def noise_from_loops(
    loops: Sequence[tuple[int, ...]], remainders: FloatArray, *, ordered: bool, least: float
) -> tuple[float, float]:
    """Estimate the standard error of a link, ``sqrt(s² + b² d²)`` for two sections d apart.

    The remainder of a loop is the sum of its links' errors, which are taken to be independent: its square
    tells the sum of their variances, and the product of the remainders of two loops that share one link tells
    that link's variance by itself. So near and far links are told apart, which the squares alone hardly do.
    Loops that a wrong link opened are left out by their size.

    Parameters
    ----------
    loops : sequence of tuple of int
        Slides of each.
    remainders : (N, P, 2) ndarray
        Where loops end, from where they began, at the same P places of the frame.
    ordered : bool
        Whether places are sections in their order; b is 0 otherwise.
    least : float
        No link is taken to be better than this.

    Returns
    -------
    (float, float)
        s and b; `least` and 0 where there is no loop.

    Examples
    --------
    >>> ends = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    >>> noise_from_loops([(0, 1, 2), (3, 4, 5)], ends, ordered=False, least=0.1)
    (0.577..., 0.0)
    """
    from scipy.optimize import nnls

    if not len(loops):
        return least, 0.0
    flat = np.asarray(remainders, float).reshape(len(loops), -1)
    products = flat @ flat.T / max(remainders.shape[1], 1)
    squared = np.diag(products)
    steps = [_steps(loop) for loop in loops]
    sizes = np.array([(float(len(loop)), float(sum((a - b) ** 2 for a, b in loop))) for loop in steps])
    inside = squared <= 9 * float(np.median(squared / sizes[:, 0])) * sizes[:, 0]
    rows, values = [*sizes[inside]], [*squared[inside]]
    scales = [*squared[inside]]
    kept = np.flatnonzero(inside)
    for place, k in enumerate(kept):
        for other in kept[place + 1 :]:
            shared = [
                (link, sign * steps[other][link]) for link, sign in steps[k].items() if link in steps[other]
            ]
            if len(shared) == 1:
                (a, b), sign = shared[0]
                rows.append(np.array([1.0, float((a - b) ** 2)]))
                values.append(sign * products[k, other])
                scales.append(float(np.sqrt(squared[k] * squared[other])))
    scale = np.maximum(np.array(scales), 3 * least**2)
    # A large loop tells less well about the variance than a small one.
    typical = float(np.median(squared[inside]))
    table = np.array(rows) / (scale + typical)[:, None]
    found, _ = nnls(table if ordered else table[:, :1], np.array(values) / (scale + typical))
    s2, b2 = float(found[0]), float(found[1]) if ordered else 0.0
    s2 = max(s2, least**2 - b2)
    return float(np.sqrt(s2)), float(np.sqrt(b2))


def _steps(loop: Sequence[int]) -> dict[tuple[int, int], int]:
    """List a loop's links, and in which direction it goes over each."""
    ways = zip(loop, (*loop[1:], loop[0]), strict=True)
    return {(min(a, b), max(a, b)): 1 if a < b else -1 for a, b in ways}
