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

__all__ = ["WITHIN_90", "Uncertainty"]

WITHIN_90 = 2.146
"""Nine of ten two-dimensional errors are shorter than so many standard deviations of a component."""

NEIGHBOURS = 10
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
        further = own**2 / np.maximum(self._expected[near].mean(1), 1e-18)
        missed = self._missed[near].mean(1) * np.maximum(further, 1.0)
        return np.asarray(np.hypot(np.sqrt(missed), FLOOR_PX * self.pixel))

    def bound(self, points: FloatArray) -> FloatArray:
        """Return the distance within which nine of ten errors should lie at (N, 2) points, (N,)."""
        # Where pieces pass over into one another, tissue follows one of them and not what lies between.
        return np.asarray(WITHIN_90 * np.hypot(self.deviation(points), self.field.disagreement(points)))

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
