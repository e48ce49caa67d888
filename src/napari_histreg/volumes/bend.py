"""VolumeBend: a smooth deformation of a volume as cubic B-splines on a grid of nodes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray
from napari_histreg.volumes.volume import is_regular

__all__ = ["VolumeBend"]

PER_NODE = 6
"""So many places along each axis between two nodes are looked at for folds."""
PLANES_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class VolumeBend:
    """A map of the fixed patient frame to itself that moves each point by a weighted mean of nodes near it.

    It comes before the pose: the moving point is ``pose(bend(fixed point))``.

    Parameters
    ----------
    coefficients_mm : (Z, Y, X, 3) ndarray
        Of the cubic B-splines, displacements along the patient's axes (z, y, x); at least 4 nodes an axis.
    node_to_patient : (4, 4) ndarray
        Maps indices (z, y, x, 1) of nodes to mm.

    Raises
    ------
    ValueError
        There are too few nodes, or something is not finite.

    Examples
    --------
    >>> bend = VolumeBend(np.full((5, 5, 5, 3), 2.0), np.diag([10.0, 10.0, 10.0, 1.0]))
    >>> bend([[20.0, 20.0, 20.0]]).round(6).tolist(), round(bend.smallest_jacobian, 6)
    ([[22.0, 22.0, 22.0]], 1.0)
    """

    coefficients_mm: FloatArray
    node_to_patient: FloatArray

    def __post_init__(self) -> None:
        shape = self.coefficients_mm.shape
        if len(shape) != 4 or shape[3] != 3 or min(shape[:3]) < 4 or not is_regular(self.node_to_patient):
            raise ValueError(
                f"A bend of a volume has (4 or more, 4 or more, 4 or more, 3) nodes, not {shape}."
            )
        if not np.isfinite(self.coefficients_mm).all():
            raise ValueError("A bend of a volume has nodes that are not finite.")

    def __call__(self, points_mm: ArrayLike) -> FloatArray:
        """Map (N, 3) points (z, y, x) in mm; points beyond the nodes stay where they are."""
        from scipy.ndimage import map_coordinates

        points = np.asarray(points_mm, float)
        to_node = np.linalg.inv(self.node_to_patient)
        at = points @ to_node[:3, :3].T + to_node[:3, 3]
        # Where not all four nodes along an axis are there, ITK moves nothing, and so do we.
        last = np.array(self.coefficients_mm.shape[:3]) - 2
        within = ((at >= 1) & (at <= last)).all(axis=1)
        moved = points.copy()
        for axis in range(3):
            moved[within, axis] += map_coordinates(
                self.coefficients_mm[..., axis], at[within].T, order=3, prefilter=False, mode="nearest"
            )
        return moved

    @property
    def spacing_mm(self) -> float:
        """Distance of neighbouring nodes, the greatest of the three axes."""
        return float(np.linalg.norm(self.node_to_patient[:3, :3], axis=0).max())

    @property
    def smallest_jacobian(self) -> float:
        """The least share to which it presses volume together; not above 0 it folds.

        From the splines' own derivatives, between all nodes.
        """
        from scipy.interpolate import BSpline

        bases = []
        for count in self.coefficients_mm.shape[:3]:
            at = np.linspace(1, count - 2, (count - 3) * PER_NODE + 1)
            spline = BSpline(np.arange(-2.0, count + 2), np.eye(count), 3)
            bases.append((spline(at), spline(at, nu=1)))
        to_node = np.linalg.inv(self.node_to_patient)[:3, :3]
        least = np.inf
        for first in range(0, len(bases[0][0]), PLANES_AT_ONCE):
            part = slice(first, first + PLANES_AT_ONCE)
            columns = []
            for axis in range(3):
                z, y, x = (bases[k][int(k == axis)] for k in range(3))
                columns.append(
                    np.einsum("za,yb,xc,abcd->zyxd", z[part], y, x, self.coefficients_mm, optimize=True)
                )
            by_node = np.stack(columns, axis=-1)
            least = min(least, float(np.linalg.det(np.eye(3) + by_node @ to_node).min()))
        return least
