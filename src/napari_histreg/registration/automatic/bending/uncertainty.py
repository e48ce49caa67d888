"""How far a bent alignment may be off, place by place, going by what it missed at left-out tiles."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.registration.automatic.bending.pieces import PiecewiseField

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

__all__ = ["Uncertainty", "conformal_quantile"]

WITHIN = 0.9
"""Share of errors that the bound is to hold."""

NORMAL = 2.146
"""Nine of ten normal errors in two dimensions are shorter than so many deviations of a component: taken where
too few tiles tell."""

LEAST_TILES = 20
NEIGHBOURS = 10
PARTS = 4
"""Measurements of one tile, at most: so many more neighbours are looked at, for enough of other tiles."""

TRUSTED = 0.15

FLOOR_PX = 0.02
"""Standard deviation in pixels that all tiles have in common, which leaving one out cannot show."""


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Expected error of a displacement.

    What the neighbouring tiles missed where each was left out. No share of it is taken for mere noise of the
    tiles: on slides whose bend is known the two came out alike. Where measurements lie further apart than
    those neighbours, it grows as the field's own standard deviation does.

    Parameters
    ----------
    field : PiecewiseField
        The displacement.
    pixel : float
        Finest spacing that was measured at, world units.

    Notes
    -----
    How many deviations hold nine of ten errors is not assumed but counted: each left-out tile is predicted
    from its neighbours of other tiles in the same way, and the conformal quantile [1]_ of what it was off,
    in those deviations, is taken.

    References
    ----------
    .. [1] A. N. Angelopoulos and S. Bates, Conformal prediction: a gentle introduction, Foundations and
       Trends in Machine Learning 16(4), 2023. doi:10.1561/2200000101
    """

    field: PiecewiseField
    pixel: float

    def deviation(self, points: FloatArray) -> FloatArray:
        """Return the standard deviation of each component of the error at (N, 2) points, (N,)."""
        own = self.field.deviation(points)
        count = min(NEIGHBOURS, len(self._missed))
        if not count:
            return own
        near = np.asarray(self._tree.query(points, k=count)[1]).reshape(len(points), -1)
        return self._told_by(near, np.ones(near.shape, bool), own)

    def bound(self, points: FloatArray) -> FloatArray:
        """Return the distance within which nine of ten errors should lie at (N, 2) points, (N,)."""
        # Where pieces pass over into one another, tissue follows one of them and not what lies between.
        return np.asarray(self.factor * np.hypot(self.deviation(points), self.field.disagreement(points)))

    @cached_property
    def factor(self) -> float:
        """How many deviations of a component hold nine of ten errors, going by the left-out tiles."""
        if len(self._missed) < max(LEAST_TILES, NEIGHBOURS + PARTS + 1):
            return NORMAL
        places, tiles = self.field.places[self._trusted], self.field.tiles[self._trusted]
        near = np.asarray(self._tree.query(places, k=NEIGHBOURS + PARTS)[1])
        others = tiles[near] != tiles[:, None]
        others &= np.cumsum(others, axis=1) <= NEIGHBOURS
        own = self.field.left_out.deviations[self._trusted]
        told = self._told_by(near, others, own)
        distance = np.linalg.norm(self.field.left_out.residuals[self._trusted], axis=1)
        return conformal_quantile(distance / told, WITHIN)

    def _told_by(self, near: NDArray[np.intp], counts: NDArray[np.bool_], own: FloatArray) -> FloatArray:
        """Return the deviation that neighbours tell, (N,), where the field's own deviation is known."""
        number = np.maximum(counts.sum(1), 1)
        missed, expected = (
            (table[near] * counts).sum(1) / number for table in (self._missed, self._expected)
        )
        further = np.maximum(own**2 / np.maximum(expected, 1e-18), 1.0)
        return np.asarray(np.hypot(np.sqrt(missed * further), FLOOR_PX * self.pixel))

    @cached_property
    def _trusted(self) -> NDArray[np.bool_]:
        return np.asarray(self.field.weights > TRUSTED)

    @cached_property
    def _missed(self) -> FloatArray:
        """Mean square of both components of what each trusted measurement was off, left out."""
        return np.asarray((self.field.left_out.residuals**2).mean(1)[self._trusted])

    @cached_property
    def _expected(self) -> FloatArray:
        return np.asarray(self.field.left_out.deviations[self._trusted] ** 2)

    @cached_property
    def _tree(self) -> "cKDTree":
        from scipy.spatial import cKDTree

        return cKDTree(self.field.places[self._trusted])


def conformal_quantile(scores: FloatArray, share: float) -> float:
    """Return what a further score stays below with at least this probability, whatever their distribution.

    Parameters
    ----------
    scores : (N,) ndarray
        Of those that were left out; exchangeable with the further one.
    share : float
        Between 0 and 1.

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 20.0), 0.9)
    18.0
    """
    rank = int(np.ceil((len(scores) + 1) * share))
    return float(np.sort(scores)[min(rank, len(scores)) - 1])
