"""Tears and folds: neighbouring tiles that contradict one another, all along a line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.registration.automatic.bending.measurements import Measurements

__all__ = ["Breaks", "find_breaks"]

LEAST_STRAIN = 0.06
"""Tissue that is whole stretches less than this from one tile to the next."""

TIMES_TYPICAL = 6.0
"""And less than so many times what it typically does."""

LEAST_PX = 3.0
"""What neighbours of whole tissue may differ by in any case, in pixels of their level."""

FURTHEST = 2.5
"""Neighbours lie no further apart than so many times the usual distance."""

SLOPE_ROUNDS = 12
SIEVES = 2
LEAST_INTACT = 0.35
"""Share of a tile's neighbours that it must agree with; one that contradicts all is merely wrong."""

LEAST_PIECE = 8
"""Measurements of a piece; fewer are mistakes, not tissue."""

LEAST_BREAKS = 5
"""Tiles along a line that contradict several neighbours each, before tissue is called torn."""


@dataclass(frozen=True, eq=False)
class Breaks:
    """Where neighbouring tiles contradict one another, and into which pieces that cuts the tissue.

    Parameters
    ----------
    pieces : (N,) ndarray of int
        Piece of each measurement, the largest first; -1 for those of none.
    middles : (B, 2) ndarray
        Half-way between two tiles that contradict each other, fixed world units.
    gaps : (B,) ndarray
        By how much the moving tissue lies further apart there, world units; negative where it lies closer.
    """

    pieces: NDArray[np.intp]
    middles: FloatArray
    gaps: FloatArray

    @property
    def count(self) -> int:
        """Number of pieces."""
        return int(self.pieces.max(initial=-1)) + 1


def find_breaks(measured: Measurements, clear_z: float) -> Breaks:
    """Look for tears: tiles that agree with their neighbours on one side and contradict those on the other.

    Parameters
    ----------
    measured : Measurements
        Of one or more levels.
    clear_z : float
        Correlations that stand out less take no part.

    Returns
    -------
    Breaks
    """
    whole = Breaks(np.zeros(len(measured), np.intp), np.zeros((0, 2)), np.zeros(0))
    index = np.flatnonzero(measured.z > clear_z)
    for _ in range(SIEVES):
        if len(index) < 2 * LEAST_PIECE:
            return whole
        edges = _edges(measured[index])
        links = np.bincount(edges.pairs.ravel(), minlength=len(index))
        kept = np.bincount(edges.pairs[~edges.broken].ravel(), minlength=len(index))
        index = index[kept >= LEAST_INTACT * np.maximum(links, 1)]
    if len(index) < 2 * LEAST_PIECE:
        return whole
    edges = _edges(measured[index])
    labels = _pieces(edges, len(index))
    pieces = np.full(len(measured), -1, np.intp)
    pieces[index] = labels
    ends = labels[edges.pairs]
    tell = edges.broken & (ends >= 0).all(1) & _along_a_line(edges, len(index))
    if labels.max() > 0:
        tell &= ends[:, 0] != ends[:, 1]
    middles = measured.places[index][edges.pairs[tell]].mean(1)
    return Breaks(pieces if labels.max() > 0 else whole.pieces, middles, edges.gaps[tell])


@dataclass(frozen=True, eq=False)
class _Edges:
    """Pairs of neighbours, which of them contradict each other, and by how much they come apart."""

    pairs: NDArray[np.intp]
    broken: NDArray[np.bool_]
    gaps: FloatArray


def _edges(measured: Measurements) -> _Edges:
    pairs = _neighbours(measured.places)
    apart = measured.places[pairs[:, 1]] - measured.places[pairs[:, 0]]
    distance = np.maximum(np.linalg.norm(apart, axis=1), 1e-9)
    change = measured.values[pairs[:, 1]] - measured.values[pairs[:, 0]]
    change -= apart @ _common_slope(apart, change, distance).T
    size = np.linalg.norm(change, axis=1)
    limit = max(LEAST_STRAIN, TIMES_TYPICAL * float(np.median(size / distance)))
    scatter = LEAST_PX * measured.spacings[pairs].max(1)
    broken = (size > limit * distance) & (size > scatter)
    return _Edges(pairs, np.asarray(broken), np.asarray((change * apart).sum(1) / distance))


def _common_slope(apart: FloatArray, change: FloatArray, distance: FloatArray) -> FloatArray:
    """Return the slope of the displacement that most neighbours have in common, (2, 2).

    An affine start is pulled towards a jump, and then all the tissue seems stretched the other way: that
    is no stretch of the tissue, and must not hide the jump. Least absolute strains, so that the few
    neighbours across it do not count.
    """
    slope: FloatArray = np.zeros((2, 2))
    weights = 1 / distance
    for _ in range(SLOPE_ROUNDS):
        a, b = apart * weights[:, None], change * weights[:, None]
        slope = np.asarray(np.linalg.lstsq(a, b, rcond=None)[0].T, float)
        strain = np.linalg.norm(change - apart @ slope.T, axis=1) / distance
        weights = 1 / (distance * np.sqrt(np.maximum(strain, LEAST_STRAIN / 100)))
    return slope


def _pieces(edges: _Edges, count: int) -> NDArray[np.intp]:
    """Give what hangs together a number, the largest first; -1 for what is too small to be tissue."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    whole = edges.pairs[~edges.broken]
    graph = coo_array((np.ones(len(whole)), (whole[:, 0], whole[:, 1])), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    sizes = np.bincount(labels)
    rank = np.full(len(sizes), -1)
    order = [k for k in np.argsort(-sizes, kind="stable") if sizes[k] >= LEAST_PIECE]
    rank[order] = np.arange(len(order))
    return np.asarray(rank[labels], np.intp)


def _along_a_line(edges: _Edges, count: int) -> NDArray[np.bool_]:
    """Tell which broken pairs follow one another; those round a single mistaken tile do not."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    torn = edges.pairs[edges.broken]
    graph = coo_array((np.ones(len(torn)), (torn[:, 0], torn[:, 1])), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    often = np.bincount(torn.ravel(), minlength=count) >= 2
    lines = np.bincount(labels, weights=often) >= LEAST_BREAKS
    return np.asarray(lines[labels[edges.pairs[:, 0]]])


def _neighbours(places: FloatArray) -> NDArray[np.intp]:
    """Return pairs of neighbouring places, (E, 2), each once; none much further apart than is usual."""
    from scipy.spatial import Delaunay

    triangles = Delaunay(places).simplices
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    length = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    return np.asarray(pairs[length <= FURTHEST * np.median(length)], np.intp)
