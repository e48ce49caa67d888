"""BSpline: a free-form deformation on a control grid, as ITK and elastix define it."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.cubic_grid import CubicGrid
from napari_histreg.transforms.deformation import Deformation, checked_base, checked_placement
from napari_histreg.transforms.matrix import MatrixTransform
from napari_histreg.transforms.transform import as_points

__all__ = ["BSpline"]


class BSpline(Deformation):
    """A cubic B-spline deformation on a control grid [1]_, then a matrix.

    ``spline(p)`` is ``base(p + u(p))``, u the sum of the cubic splines on the control points times their
    coefficients. It is the ``BSplineTransform`` of order 3 of ITK and elastix, grid and coefficients alike.

    Parameters
    ----------
    coefficients : (Y, X, 2) array_like
        Coefficients (y, x) of the control points in world units; at least 4 x 4.
    origin : (float, float)
        World coordinates (y, x) of control point (0, 0), which lies outside the deformed region.
    spacing : (float, float)
        Distance of neighbouring control points (y, x) in world units.
    base : MatrixTransform, optional
        What follows the displacement; nothing by default.

    Raises
    ------
    ValueError
        The coefficients are no such grid or not finite, or the spacing is not positive.

    Notes
    -----
    The deformed region leaves out one cell of the grid at each side. Outside it the displacement is nought,
    as in ITK, with a jump at its border where the coefficients there are not nought: make the grid cover
    all points of interest. Where such a jump leaves a gap, the inverse gives the nearest border point.

    References
    ----------
    .. [1] D. Rueckert et al., Nonrigid registration using free-form deformations, IEEE Transactions on
       Medical Imaging 18(8), 1999. doi:10.1109/42.796284

    Examples
    --------
    >>> coefficients = np.zeros((6, 6, 2))
    >>> coefficients[..., 0] = 3.0
    >>> spline = BSpline(coefficients, origin=(-10, -10), spacing=(10, 10))
    >>> spline([[5.0, 5.0], [100.0, 5.0]]).round(6).tolist()
    [[8.0, 5.0], [100.0, 5.0]]
    """

    kind: ClassVar[str] = "bspline"

    def __init__(
        self,
        coefficients: ArrayLike,
        *,
        origin: tuple[float, float] = (0.0, 0.0),
        spacing: tuple[float, float] = (1.0, 1.0),
        base: MatrixTransform | None = None,
    ) -> None:
        array = np.array(coefficients, float)
        if array.ndim != 3 or array.shape[2] != 2 or min(array.shape[:2]) < 4:
            raise ValueError(
                f"A cubic control grid is (Y, X, 2) with at least 4 x 4 points, not {array.shape}."
            )
        if not np.isfinite(array).all():
            raise ValueError("The coefficients of a control grid must be finite: they hold NaN or infinity.")
        self.origin, self.spacing = checked_placement(origin, spacing)
        array.flags.writeable = False
        self.base: MatrixTransform | None = base
        self.grid = CubicGrid(array)

    @classmethod
    def from_itk(
        cls,
        parameters: ArrayLike,
        *,
        size_xy: tuple[int, int],
        origin_xy: tuple[float, float],
        spacing_xy: tuple[float, float],
        base: MatrixTransform | None = None,
    ) -> Self:
        """Read a control grid as ITK and elastix write it: x first.

        Parameters
        ----------
        parameters : (2 * N,) array_like
            All x coefficients, then all y coefficients, x running fastest
            (``TransformParameters`` of elastix).
        size_xy, origin_xy, spacing_xy : (x, y)
            ``GridSize``, ``GridOrigin`` and ``GridSpacing`` of elastix; the grid lies along the axes.
        base : MatrixTransform, optional
            What follows the displacement.

        Raises
        ------
        ValueError
            The number of parameters does not match the size.
        """
        numbers = np.asarray(parameters, float).ravel()
        if numbers.size != 2 * size_xy[0] * size_xy[1]:
            raise ValueError(
                f"A control grid of {size_xy[0]} x {size_xy[1]} has "
                f"{2 * size_xy[0] * size_xy[1]} parameters, not {numbers.size}."
            )
        x_first = numbers.reshape(2, size_xy[1], size_xy[0])
        return cls(
            np.moveaxis(x_first[::-1], 0, -1),
            origin=(origin_xy[1], origin_xy[0]),
            spacing=(spacing_xy[1], spacing_xy[0]),
            base=base,
        )

    @property
    def coefficients(self) -> FloatArray:
        """Coefficients (y, x) of the control points, (Y, X, 2) float64, read-only."""
        return self.grid.coefficients

    def displacement(self, points: ArrayLike) -> FloatArray:
        """Return the displacement at (N, 2) points: world units (y, x), (N, 2) float64."""
        array = as_points(points)
        value = self.grid.value(self._index(self._clipped(array)))
        return np.where(self.is_inside(array)[:, None] | np.isnan(array), value, 0.0)

    def is_inside(self, points: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Tell which (N, 2) points lie in the deformed region, (N,) bool."""
        array = as_points(points)
        return np.asarray((self._clipped(array) == array).all(axis=1))

    def undeform(self, points: ArrayLike) -> FloatArray:
        """Solve ``p + u(p) = q`` for p; see `Deformation.undeform`.

        Where the jump at the border of the deformed region leaves a gap, the nearest border point.
        """
        wanted = as_points(points)
        found = super().undeform(wanted)
        untouched = ~self.is_inside(found) & ~self.is_inside(wanted)
        return np.where(untouched[:, None] & ~np.isnan(found), wanted, self._clipped(found))

    def to_dict(self) -> dict[str, Any]:
        """Return the control grid as plain JSON values."""
        return {
            "kind": self.kind,
            "origin": list(self.origin),
            "spacing": list(self.spacing),
            "coefficients": self.coefficients.tolist(),
            "base": None if self.base is None else self.base.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild the control grid from what `to_dict` gave."""
        (y, x), (dy, dx) = values["origin"], values["spacing"]
        return cls(
            values["coefficients"], origin=(y, x), spacing=(dy, dx), base=checked_base(values.get("base"))
        )

    def _index(self, points: FloatArray) -> FloatArray:
        return np.asarray((points - self.origin) / self.spacing)

    def _extent(self) -> tuple[FloatArray, FloatArray]:
        return np.ones(2), np.array(self.grid.shape) - 2.0

    def _clipped(self, points: FloatArray) -> FloatArray:
        first, last = (np.array(self.origin) + end * np.array(self.spacing) for end in self._extent())
        return np.clip(points, first, last)

    def _local(self, points: FloatArray) -> FloatArray:
        local = self._deformation(points)[1]
        inside = self.is_inside(points) | np.isnan(points).any(axis=1)
        return np.where(inside[:, None, None], local, np.eye(2))
