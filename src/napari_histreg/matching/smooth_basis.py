"""Smooth functions over a rectangle, ordered by how much they bend."""

import numpy as np

from napari_histreg.geometry import FloatArray

__all__ = ["SmoothBasis"]

NODE_SPACING = 1 / 20  # of the longest side: finer than any function that is kept
UNIT = 1 / 5  # of the longest side: the length by which bending is measured


class SmoothBasis:
    """Products of one-dimensional vibrations of a free plate: constant, linear, then ever more bent.

    A smooth displacement is a weighted sum of them, and its bending energy [1]_ the sum of the squared
    weights times `bending`. What is affine costs nothing.

    Parameters
    ----------
    size : (float, float)
        Height and width of the rectangle.
    modes : int
        Functions along each side.

    Attributes
    ----------
    bending : (K,) ndarray
        Bending energy of each function at weight 1, measured in fifths of the longest side.

    References
    ----------
    .. [1] F. L. Bookstein, Principal warps: thin-plate splines and the decomposition of deformations, IEEE
       TPAMI 11(6), 1989. doi:10.1109/34.24792

    Examples
    --------
    >>> basis = SmoothBasis((100.0, 80.0), modes=6)
    >>> basis.at(np.array([[10.0, 20.0]])).shape, int((basis.bending == 0).sum())
    ((1, 36), 3)
    """

    def __init__(self, size: tuple[float, float], modes: int) -> None:
        longest = max(size)
        self.size = size
        self._nodes = [max(modes + 2, int(np.ceil(side / longest / NODE_SPACING)) + 1) for side in size]
        parts = [
            _vibrations(count, side / longest / UNIT, modes)
            for count, side in zip(self._nodes, size, strict=True)
        ]
        self._shapes = [shapes for shapes, _, _ in parts]
        (_, bend_y, slope_y), (_, bend_x, slope_x) = parts
        bending = bend_y[:, None] + 2 * slope_y[:, None] * slope_x[None, :] + bend_x[None, :]
        bending[0, 0] = bending[0, 1] = bending[1, 0] = 0.0
        self.bending: FloatArray = bending.ravel()

    def at(self, points: FloatArray) -> FloatArray:
        """Return the functions at (N, 2) points (y, x) from the rectangle's corner, (N, K)."""
        along = [self.along(axis, points[:, axis]) for axis in range(2)]
        return np.asarray((along[0][:, :, None] * along[1][:, None, :]).reshape(len(points), -1))

    def lattice(self, weights: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """Sum the functions with (K, 2) weights at the crossings of rows and columns, (R, C, 2)."""
        y, x = self.along(0, rows), self.along(1, columns)
        table = weights.reshape(y.shape[1], x.shape[1], 2)
        return np.asarray(np.einsum("ri,ijk,cj->rck", y, table, x, optimize=True))

    def along(self, axis: int, places: FloatArray) -> FloatArray:
        """Return the functions of one side (0: height, 1: width) at places along it, (N, modes)."""
        from scipy.interpolate import CubicSpline

        nodes = np.linspace(0, self.size[axis], self._nodes[axis])
        return np.asarray(CubicSpline(nodes, self._shapes[axis], bc_type="natural")(places))


def _vibrations(count: int, length: float, modes: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the smoothest functions on `count` nodes with their mean squared curvature and slope."""
    step = length / (count - 1)
    first = np.diff(np.eye(count), 1, axis=0) / step
    second = np.diff(first, 1, axis=0) / step
    bend, shapes = np.linalg.eigh(second.T @ second)
    # The two that do not bend are known; an eigensolver mixes them at will.
    line = np.linspace(-1, 1, count)
    shapes[:, 0], shapes[:, 1] = 1 / np.sqrt(count), line / np.linalg.norm(line)
    bend[:2] = 0.0
    shapes, bend = shapes[:, :modes] * np.sqrt(count), bend[:modes]
    return shapes, bend, np.asarray(((first @ shapes) ** 2).mean(0))
