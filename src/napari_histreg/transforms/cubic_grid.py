"""A vector field as a sum of cubic B-splines on a regular grid: its value and its exact derivative."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["CubicGrid"]


def _basis(offset: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the four cubic weights and their derivatives at `offset` (0 to 1) into a cell, each (4, N)."""
    t, s = offset, 1 - offset
    weights = np.stack([s**3, 4 - 6 * t**2 + 3 * t**3, 4 - 6 * s**2 + 3 * s**3, t**3]) / 6
    slopes = np.stack([-(s**2), 3 * t**2 - 4 * t, 4 * s - 3 * s**2, t**2]) / 2
    return weights, slopes


@dataclass(frozen=True, eq=False)
class CubicGrid:
    """A vector field ``sum of c[i, j] B(y - i) B(x - j)`` with the cubic B-spline B.

    Parameters
    ----------
    coefficients : (Y, X, 2) ndarray of float64
        Weight of the spline centred on each grid point; at least 4 x 4 of them.

    Notes
    -----
    All coordinates are grid indices (y, x). The four splines around a place are all on the grid where
    the index lies between 1 and the size less 2; further out the field is not defined.
    """

    coefficients: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """Number of grid points (y, x)."""
        return self.coefficients.shape[0], self.coefficients.shape[1]

    def value(self, index: FloatArray) -> FloatArray:
        """Return the field at (N, 2) grid indices, (N, 2); NaN where an index is NaN."""
        from scipy.ndimage import map_coordinates

        index, unknown = self._known(index)
        # "nearest" is only ever asked for the spline of weight nought just behind the last cell.
        out = np.stack(
            [
                map_coordinates(self.coefficients[..., k], index.T, order=3, mode="nearest", prefilter=False)
                for k in range(2)
            ],
            axis=-1,
        )
        out[unknown] = np.nan
        return out

    def gradient(self, index: FloatArray) -> FloatArray:
        """Return d(field)/d(index) at (N, 2) grid indices, (N, 2, 2): component, then axis."""
        index, unknown = self._known(index)
        cell = np.clip(np.floor(index).astype(int), 1, np.array(self.shape) - 3)
        offset = index - cell
        weights_y, slopes_y = _basis(offset[:, 0])
        weights_x, slopes_x = _basis(offset[:, 1])
        flat = self.coefficients.reshape(-1, 2)
        start = (cell[:, 0] - 1) * self.shape[1] + cell[:, 1] - 1
        out = np.zeros((len(index), 2, 2))
        for i in range(4):
            for j in range(4):
                tap = flat[start + i * self.shape[1] + j]
                out[..., 0] += (slopes_y[i] * weights_x[j])[:, None] * tap
                out[..., 1] += (weights_y[i] * slopes_x[j])[:, None] * tap
        out[unknown] = np.nan
        return out

    def lattice_gradient(self, index_y: FloatArray, index_x: FloatArray) -> FloatArray:
        """Return the gradient at every crossing of (R,) rows and (S,) columns, (R, S, 2, 2).

        Two small matrix products instead of sixteen look-ups per point.
        """
        weights_y, slopes_y = self._rows(index_y, self.shape[0])
        weights_x, slopes_x = self._rows(index_x, self.shape[1])
        planes = np.moveaxis(self.coefficients, -1, 0)
        along_y = slopes_y @ planes @ weights_x.T
        along_x = weights_y @ planes @ slopes_x.T
        return np.moveaxis(np.stack([along_y, along_x]), (1, 0), (2, 3))

    @staticmethod
    def _known(index: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return indices that can be looked up, and which of them were NaN."""
        unknown: NDArray[np.bool_] = np.asarray(np.isnan(index).any(axis=1))
        return np.where(unknown[:, None], 1.0, index), unknown

    @staticmethod
    def _rows(index: FloatArray, size: int) -> tuple[FloatArray, FloatArray]:
        """Return the weights and slopes of all `size` splines at (R,) places, each (R, size)."""
        cell = np.clip(np.floor(index).astype(int), 1, size - 3)
        rows = np.arange(len(index))
        out = np.zeros((2, len(index), size))
        for kind, taps in enumerate(_basis(index - cell)):
            for i in range(4):
                out[kind, rows, cell - 1 + i] = taps[i]
        return out[0], out[1]
