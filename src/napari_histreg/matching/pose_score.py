"""How far a pose stands out from its own shifts: one number in standard deviations of chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from napari_histreg.matching.block_correlation import Plane

__all__ = ["PoseScore", "score_planes"]

LEAST_OVERLAP = 0.12


@dataclass(frozen=True)
class PoseScore:
    """Agreement of two sets of planes on one frame.

    Parameters
    ----------
    z : float
        Correlation where they lie (to within `near` pixels), in standard deviations of all other shifts.
    s, v : float
        The correlation and the variance it would have, were neighbouring pixels unrelated.
    spread : float
        How many times wider chance spreads than `v` says, since neighbouring pixels are related.
    """

    z: float
    s: float
    v: float
    spread: float

    @property
    def weight(self) -> float:
        """Weight that this representation deserves beside others: signal over variance."""
        return self.s / max(self.v * self.spread**2, 1e-12)


def score_planes(fixed: Sequence[Plane], moving: Sequence[Plane], *, near: int = 1) -> PoseScore:
    """Score planes that lie on one frame against all their shifts.

    Parameters
    ----------
    fixed, moving : sequence of (Y, X) ndarray of float32
        Planes in pairs, 0 where masked.
    near : int
        How many pixels the planes may still be apart.

    Returns
    -------
    PoseScore
        z is 0 where one of the two is empty.

    Examples
    --------
    >>> plane = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    >>> score_planes([plane], [plane]).z > 20, abs(score_planes([plane], [plane[::-1]]).z) < 6
    (True, True)
    """
    h, w = fixed[0].shape
    n = int(cv2.getOptimalDFTSize(round(1.5 * h))), int(cv2.getOptimalDFTSize(round(1.5 * w)))
    s = _correlate(fixed, moving, n)
    scale = np.float32(1 / len(fixed))
    energy = [np.asarray(scale * sum((p * p for p in fixed), np.zeros_like(fixed[0])))]
    other = [sum((p * p for p in moving), np.zeros_like(moving[0]))]
    v = _correlate(energy, other, n)
    least = LEAST_OVERLAP * float(v.max())
    if least <= 1e-12:
        return PoseScore(0.0, 0.0, 1.0, 1.0)
    inside = v > least
    z = np.where(inside, s / np.sqrt(np.maximum(v, least)), 0)
    index = np.ix_(np.arange(-near, near + 1), np.arange(-near, near + 1))
    at = np.unravel_index(int(np.abs(z[index]).argmax()), (2 * near + 1,) * 2)
    peak, s0, v0 = (float(a[index][at]) for a in (z, s, np.maximum(v, least)))
    far = inside.copy()
    gap = np.arange(-4 - near, 5 + near)
    far[np.ix_(gap, gap)] = False
    spread = float(np.sqrt((z[far] ** 2).mean())) if far.any() else 1.0
    return PoseScore(peak / max(spread, 1e-9), s0, v0, max(spread, 1e-9))


def _correlate(fixed: Sequence[Plane], moving: Sequence[Plane], n: tuple[int, int]) -> Plane:
    """Correlate pairs of planes, summed, over all shifts."""
    total: Plane | None = None
    for a, b in zip(fixed, moving, strict=True):
        first, second = np.zeros(n, np.float32), np.zeros(n, np.float32)
        first[: a.shape[0], : a.shape[1]] = a
        second[: b.shape[0], : b.shape[1]] = b
        product = cv2.mulSpectrums(cv2.dft(second), cv2.dft(first), 0, conjB=True)
        total = product if total is None else total + product
    return np.asarray(cv2.dft(total, flags=cv2.DFT_INVERSE | cv2.DFT_REAL_OUTPUT | cv2.DFT_SCALE))
