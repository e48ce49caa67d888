"""A displacement as a grid of control points: how it is spread over pixels, and how little it should bend."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_histreg.geometry import FloatArray

__all__ = ["ControlGrid", "bending_energy", "gradient_energy"]


@dataclass(frozen=True)
class ControlGrid:
    """Cubic B-splines over a plane.

    Parameters
    ----------
    shape : (int, int)
        Of the plane in pixels.
    step : float
        Distance of control points in pixels.

    References
    ----------
    .. [1] D. Rueckert et al., Nonrigid registration using free-form deformations, IEEE TMI 18(8), 1999.
       doi:10.1109/42.796284

    Examples
    --------
    >>> grid = ControlGrid((40, 30), 10.0)
    >>> flat = grid.spread(np.ones((*grid.counts, 2)))
    >>> flat.shape, bool(np.allclose(flat, 1))
    ((40, 30, 2), True)
    """

    shape: tuple[int, int]
    step: float

    @property
    def counts(self) -> tuple[int, int]:
        """How many control points lie along y and x."""
        return self._rows.shape[1], self._columns.shape[1]

    def spread(self, points: FloatArray) -> FloatArray:
        """Return the displacement of each pixel, (Y, X, 2), of control points (R, C, 2)."""
        return np.asarray(np.einsum("yi,ijk,xj->yxk", self._rows, points, self._columns, optimize=True))

    def gathered(self, slope: FloatArray) -> FloatArray:
        """Return the derivative by the control points, (R, C, 2), of that by the pixels, (Y, X, 2)."""
        return np.asarray(np.einsum("yi,yxk,xj->ijk", self._rows, slope, self._columns, optimize=True))

    def fitted(self, field: FloatArray) -> FloatArray:
        """Return the control points whose displacement comes closest to (Y, X, 2), least squares."""
        rows, columns = np.linalg.pinv(self._rows), np.linalg.pinv(self._columns)
        return np.asarray(np.einsum("iy,yxk,jx->ijk", rows, field, columns, optimize=True))

    @cached_property
    def _rows(self) -> FloatArray:
        return _weights(self.shape[0], self.step)

    @cached_property
    def _columns(self) -> FloatArray:
        return _weights(self.shape[1], self.step)


def _weights(length: int, step: float) -> FloatArray:
    """Return what each control point weighs at each pixel, (length, count)."""
    count = int(np.ceil((length - 1) / step)) + 3
    place = np.arange(length) / step
    first = np.minimum(np.floor(place).astype(int), count - 4)
    t = place - first
    taps = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    out = np.zeros((length, count))
    for k, tap in enumerate(taps):
        out[np.arange(length), first + k] = tap / 6
    return out


def gradient_energy(points: FloatArray) -> tuple[float, FloatArray]:
    """Return the mean squared difference of neighbouring control points, and its derivative."""
    return _energy(points, [((1, 0), 1.0), ((0, 1), 1.0)])


def bending_energy(points: FloatArray) -> tuple[float, FloatArray]:
    """Return the mean squared second difference of control points, and its derivative.

    What is affine costs nothing.

    Examples
    --------
    >>> y, x = np.mgrid[:5, :6].astype(float)
    >>> round(bending_energy(np.stack([2 * y - x, 3 * x + 1], -1))[0], 9)
    0.0
    """
    return _energy(points, [((2, 0), 1.0), ((0, 2), 1.0), ((1, 1), 2.0)])


def _energy(points: FloatArray, orders: list[tuple[tuple[int, int], float]]) -> tuple[float, FloatArray]:
    count = points.shape[0] * points.shape[1]
    total, slope = 0.0, np.zeros_like(points)
    for (along_y, along_x), weight in orders:
        rows = np.diff(np.eye(points.shape[0]), along_y, axis=0)
        columns = np.diff(np.eye(points.shape[1]), along_x, axis=0)
        change = np.einsum("ri,ijk,cj->rck", rows, points, columns, optimize=True)
        total += weight * float((change**2).sum()) / count
        back = np.einsum("ri,rck,cj->ijk", rows, change, columns, optimize=True)
        slope += 2 * weight * back / count
    return total, slope
