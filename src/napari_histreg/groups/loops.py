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

    The squared remainder of a loop is the sum of the squared errors of its links, which are taken to be
    independent. Loops that a wrong link opened are left out by their size.

    Parameters
    ----------
    loops : sequence of tuple of int
        Slides of each.
    remainders : (N,) ndarray
        Root mean squares.
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
    >>> noise_from_loops([(0, 1, 2), (1, 2, 3)], np.array([1.0, 1.0]), ordered=False, least=0.1)
    (0.577..., 0.0)
    """
    from scipy.optimize import nnls

    if not len(loops):
        return least, 0.0
    design = []
    for loop in loops:
        steps = np.abs(np.diff([*loop, loop[0]]))
        design.append((float(len(loop)), float((steps**2).sum())))
    table, squared = np.array(design), np.asarray(remainders, float) ** 2
    s2, b2 = float(np.median(squared / table[:, 0])) / 0.7, 0.0
    for _ in range(10):
        expected = np.maximum(table @ (s2, b2), 3 * least**2)
        inside = squared < 9 * expected
        if not inside.any():
            break
        # Each loop counts by how well its size tells about the variance.
        scaled = table[inside] / expected[inside, None]
        used = scaled if ordered and np.ptp(table[:, 1]) > 0 else scaled[:, :1]
        found, _ = nnls(used, squared[inside] / expected[inside])
        new = (float(found[0]), float(found[1]) if len(found) > 1 else 0.0)
        if np.allclose(new, (s2, b2), rtol=1e-3):
            break
        s2, b2 = new
    return max(float(np.sqrt(s2)), least), float(np.sqrt(b2))
