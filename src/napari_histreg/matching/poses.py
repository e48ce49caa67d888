"""Poses that a search has scored, and those among them that differ."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["Poses"]


@dataclass(frozen=True, eq=False)
class Poses:
    """The best shift of every rotation, mirror and scale.

    Parameters
    ----------
    matrices : (N, 3, 3) ndarray
        Fixed to moving, (y, x, 1), world units.
    z : (N,) ndarray
        Score of each in standard deviations of wrong shifts at that scale.
    scales : (N,) ndarray
        Moving world units per fixed world unit.
    turns : (N,) ndarray
        By how many degrees, 0 to 180, the turned picture was turned; four poses share one turn.
    turns_fixed : (N,) ndarray of bool
        Whether the fixed picture was the turned one.
    """

    matrices: FloatArray
    z: FloatArray
    scales: FloatArray
    turns: FloatArray
    turns_fixed: NDArray[np.bool_]

    def distinct(self, count: int, inner: FloatArray, apart: float) -> NDArray[np.intp]:
        """Choose the best poses that differ from one another.

        Parameters
        ----------
        count : int
            At most so many.
        inner : (K, 2) ndarray
            Fixed world points by which poses are compared.
        apart : float
            Mean distance, in fixed world units, from which two poses are different.

        Returns
        -------
        (M,) ndarray of int
            Indices, best first.
        """
        seen = inner @ self.matrices[:, :2, :2].transpose(0, 2, 1) + self.matrices[:, None, :2, 2]
        seen = seen / self.scales[:, None, None]
        left = np.ones(len(self.z), bool)
        chosen: list[int] = []
        for index in np.argsort(-self.z, kind="stable"):
            if left[index]:
                chosen.append(int(index))
                if len(chosen) == count:
                    break
                left &= np.linalg.norm(seen - seen[index], axis=2).mean(1) > apart
        return np.array(chosen, np.intp)
