"""Smooth fits at every stiffness at once, and what each says where its data were left out."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["StiffnessPath", "overlapping"]

EPSILON = 1e-6  # information that every weight has for free: keeps the equations solvable


class StiffnessPath:
    """Weighted least-squares fits of a displacement, penalised by bending, for any stiffness.

    One eigendecomposition serves all stiffnesses; leaving out some data is then a small correction of
    the full fit [1]_, so that every datum can be left out with all its neighbours.

    Parameters
    ----------
    basis : (N, K) ndarray
        Functions at the places of the data.
    values : (N, 2) ndarray
        Measured displacements.
    information : (N, 2, 2) ndarray
        Inverse covariance of each.
    bending : (K,) ndarray
        Penalty of each function.

    References
    ----------
    .. [1] P. Craven and G. Wahba, Smoothing noisy data with spline functions, Numerische Mathematik 31,
       1979. doi:10.1007/BF01404567
    """

    def __init__(
        self, basis: FloatArray, values: FloatArray, information: FloatArray, bending: FloatArray
    ) -> None:
        self.basis, self.values, self.information = basis, values, information
        self._bending = np.tile(bending, 2)
        count = basis.shape[1]
        self._normal = np.empty((2 * count, 2 * count))
        parts = [slice(0, count), slice(count, 2 * count)]
        right = []
        for a in range(2):
            for b in range(2):
                self._normal[parts[a], parts[b]] = basis.T @ (information[:, a, b, None] * basis)
            right.append(basis.T @ np.einsum("nb,nb->n", information[:, a], values))
        self._right = np.concatenate(right)
        self._normal[np.diag_indices(2 * count)] += EPSILON

    def weights(self, stiffness: float) -> FloatArray:
        """Return the weights of the functions in the fit at a stiffness, (K, 2)."""
        system = self._normal + np.diag(stiffness * self._bending)
        return np.linalg.solve(system, self._right).reshape(2, -1).T

    @cached_property
    def _modes(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Joint eigenvectors of data and bending, seen from the data, (2N, 2K) with y before x."""
        # By NumPy, which lets other threads run meanwhile; SciPy's joint solver would hold up a window.
        low = np.linalg.cholesky(self._normal + np.diag(self._bending))
        half = np.linalg.solve(low, np.diag(self._bending))
        share, turned = np.linalg.eigh(np.linalg.solve(low, half.T))
        vectors = np.linalg.solve(low.T, turned)
        count = self.basis.shape[1]
        seen = np.concatenate([self.basis @ vectors[:count], self.basis @ vectors[count:]])
        return np.clip(share, 0.0, 1.0), seen, vectors.T @ self._right

    def left_out(self, stiffness: float, groups: NDArray[np.intp]) -> FloatArray:
        """Predict each datum from those that do not overlap it.

        Parameters
        ----------
        stiffness : float
            Of the fit.
        groups : (M, G) ndarray of int
            Indices left out together, the datum in question first; -1 pads.

        Returns
        -------
        (M, 2) ndarray
            Displacement of the first of each group in the fit without the group.
        """
        share, seen, right = self._modes
        count = len(self.values)
        damped = seen / ((1 - share) + stiffness * share)
        fit = (damped @ right).reshape(2, count).T
        influence = (damped @ seen.T).reshape(2, count, 2, count)
        index, real = np.maximum(groups, 0), groups >= 0
        among = influence[:, index[:, :, None], :, index[:, None, :]]
        information = self.information[index] * real[:, :, None, None]
        size = 2 * groups.shape[1]
        # Row (i, a), column (j, c): sum over b of influence (i a, j b) times information (j; b c).
        among = among.transpose(0, 1, 3, 2, 4)
        hat = among[..., :1] * information[:, None, None, :, 0]
        hat += among[..., 1:] * information[:, None, None, :, 1]
        hat = hat.reshape(-1, size, size)
        residual = (self.values - fit)[index].reshape(-1, size, 1)
        # The residual without the group is (1 - hat)^-1 times the residual with it.
        without = np.linalg.solve(np.eye(size) - hat, residual)[:, :2, 0]
        return np.asarray(self.values[groups[:, 0]] - without)


def overlapping(centres: FloatArray, sides: FloatArray, first: int) -> NDArray[np.intp]:
    """List, for each block from `first` on, itself and all blocks that overlap it by a quarter.

    Parameters
    ----------
    centres : (N, 2) ndarray
        Middle of each block.
    sides : (N,) ndarray
        Side of each block.
    first : int
        The first block that is asked for.

    Returns
    -------
    (N - first, G) ndarray of int
        Indices, the block itself first; -1 pads.

    Examples
    --------
    >>> overlapping(np.array([[0.0, 0], [0, 6], [0, 40]]), np.array([10.0, 10, 10]), 0).tolist()
    [[0, 1], [1, 0], [2, -1]]
    """
    distance = np.abs(centres[first:, None] - centres[None, :]).max(-1)
    near = distance < 0.75 * (sides[first:, None] + sides[None, :]) / 2
    own = np.arange(first, len(centres))
    near[np.arange(len(own)), own] = False
    groups = np.full((len(own), 1 + int(near.sum(1).max(initial=0))), -1)
    groups[:, 0] = own
    for row, others in zip(groups, near, strict=True):
        found = np.flatnonzero(others)
        row[1 : 1 + len(found)] = found
    return groups
