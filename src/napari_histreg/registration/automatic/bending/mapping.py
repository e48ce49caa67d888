"""The alignment while it is being bent: a matrix that follows a displacement."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import corners

__all__ = ["BentMap"]


@dataclass(frozen=True, eq=False)
class BentMap:
    """Maps fixed to moving: ``p`` to ``base(p + u(p))``.

    Parameters
    ----------
    base : (3, 3) ndarray
        Affine in world units, (y, x, 1).
    field : callable or None
        The displacement u, in fixed world units; None where nothing is known of it.
    """

    base: FloatArray
    field: Callable[[FloatArray], FloatArray] | None = None

    def displacement(self, points: FloatArray) -> FloatArray:
        """Return u at (N, 2) points."""
        return np.zeros((len(points), 2)) if self.field is None else self.field(points)

    def __call__(self, points: FloatArray) -> FloatArray:
        """Map (N, 2) points."""
        return corners(points + self.displacement(points), self.base)

    def local_matrices(self, places: FloatArray, reach: float) -> FloatArray:
        """Return what comes closest to the map round each place, affine, (N, 3, 3).

        Parameters
        ----------
        places : (N, 2) ndarray
            Fixed world units.
        reach : float
            Over how far the slope of the displacement is taken.
        """
        steps = reach * np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        around = self.displacement((places[:, None] + steps).reshape(-1, 2)).reshape(-1, 4, 2)
        here = self.displacement(places)
        out = np.tile(np.eye(3), (len(places), 1, 1))
        out[:, :2, 0] += (around[:, 0] - around[:, 1]) / (2 * reach)
        out[:, :2, 1] += (around[:, 2] - around[:, 3]) / (2 * reach)
        out[:, :2, 2] = places + here - np.einsum("nij,nj->ni", out[:, :2, :2], places)
        return np.asarray(self.base @ out)
