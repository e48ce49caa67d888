"""Which turns and scales are worth a finer search: those where a coarser one found something."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.poses import Poses

__all__ = ["Promise"]


@dataclass(frozen=True, eq=False)
class Promise:
    """What a coarse search found at each scale and turn, best first.

    A right pose stands out at a coarse size too, if less; a finer search then need not look everywhere.

    Parameters
    ----------
    scales : (S,) ndarray
        Of the coarse search, rising.
    turns : (T,) ndarray
        Degrees, 0 to 180, evenly laid.
    best : (S, T) ndarray
        The best score of the poses that share a turn; minus infinity where nothing was looked at.
    turns_fixed : (S,) ndarray of bool
        Whether the fixed picture was the turned one.
    least : float
        From which score on a turn is worth more.

    Examples
    --------
    >>> best = np.zeros((2, 18))
    >>> best[0, 3] = 9.0
    >>> promise = Promise(np.array([1.0, 1.1]), np.arange(0, 180, 10.0), best, np.zeros(2, bool), 5.0)
    >>> fine = np.arange(0, 180, 5.0)
    >>> fine[promise(1.05, fine, False)].tolist()
    [25.0, 30.0, 35.0]
    """

    scales: FloatArray
    turns: FloatArray
    best: FloatArray
    turns_fixed: NDArray[np.bool_]
    least: float

    @classmethod
    def of(cls, poses: Poses, share: float) -> "Promise":
        """Take the best `share` of all turns of a search for worth a closer look."""
        scales, row = np.unique(poses.scales, return_inverse=True)
        turns, column = np.unique(poses.turns, return_inverse=True)
        best = np.full((len(scales), len(turns)), -np.inf)
        np.maximum.at(best, (row, column), poses.z)
        turned = np.zeros(len(scales), bool)
        turned[row] = poses.turns_fixed
        least = float(np.quantile(best[np.isfinite(best)], 1 - share))
        return cls(scales, turns, best, turned, least)

    def __call__(self, scale: float, turns: FloatArray, turns_fixed: bool) -> NDArray[np.bool_]:
        """Tell which turns (degrees) of a scale are worth a look: one of the four coarse ones round it is."""
        after = int(np.clip(np.searchsorted(self.scales, scale), 1, max(len(self.scales) - 1, 1)))
        rows = np.unique([after - 1, min(after, len(self.scales) - 1)])
        if (self.turns_fixed[rows] != turns_fixed).any():
            # Turned the other way round, the coarse turns are not these.
            return np.ones(len(turns), bool)
        step = 180.0 / len(self.turns)
        place = (turns - self.turns[0]) / step
        # A turn that is a coarse one has that one for its neighbour, not the one after it.
        low, high = np.floor(place + 1e-6).astype(int), np.ceil(place - 1e-6).astype(int)
        count = len(self.turns)
        near = np.maximum(self.best[rows][:, low % count], self.best[rows][:, high % count])
        return np.asarray(near.max(0) >= self.least)
