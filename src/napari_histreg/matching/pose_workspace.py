"""The sums of the pose search: correlation of two orientation fields over all shifts, in reused arrays."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["POOL", "Spectra", "Workspace"]

POOL = 4
"""The variance is smooth: a grid this much coarser than the correlation describes it."""

LEAST_OVERLAP = 0.12
"""Share of a pose's largest variance below which a shift overlaps too little to be looked at."""

Spectra = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Packed spectra of a field's real part, imaginary part and pooled squared length."""


class Workspace:
    """Arrays that one thread uses again and again: asking for new ones would cost more than the sums."""

    def __init__(self, n: tuple[int, int]) -> None:
        coarse = n[0] // POOL, n[1] // POOL
        self.rows = n[0]
        self.real, self.imaginary = np.zeros(n, np.float32), np.zeros(n, np.float32)
        self.energy, self.square = np.empty(n, np.float32), np.empty(n, np.float32)
        self.pooled = np.empty(coarse, np.float32)
        self.spectra = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(coarse, np.float32)
        self.product, self.other = np.empty(n, np.float32), np.empty(n, np.float32)
        self.s, self.z = np.empty(n, np.float32), np.empty(n, np.float32)
        self.small = np.empty(coarse, np.float32)
        self.v = np.empty(coarse, np.float32)

    def transform(self, rows: int) -> None:
        """Fill the spectra of both parts and of the pooled squared length from the first `rows` rows."""
        cv2.multiply(self.real, self.real, dst=self.energy)
        cv2.multiply(self.imaginary, self.imaginary, dst=self.square)
        cv2.add(self.energy, self.square, dst=self.energy)
        cv2.resize(self.energy, self.pooled.shape[::-1], dst=self.pooled, interpolation=cv2.INTER_AREA)
        cv2.dft(self.real, dst=self.spectra[0], nonzeroRows=rows)
        cv2.dft(self.imaginary, dst=self.spectra[1], nonzeroRows=rows)
        cv2.dft(self.pooled, dst=self.spectra[2])

    def peak(self, still: Spectra, half: bool) -> tuple[float, float, tuple[int, int]]:
        """Return the best score over all shifts, the spread over shifts and the place (row, column)."""
        inverse = cv2.DFT_INVERSE | cv2.DFT_REAL_OUTPUT | cv2.DFT_SCALE
        turned = self.spectra
        cv2.mulSpectrums(turned[0], still[0], 0, self.product, not half)
        cv2.mulSpectrums(turned[1], still[1], 0, self.other, not half)
        cv2.add(self.product, self.other, dst=self.product)
        cv2.dft(self.product, dst=self.s, flags=inverse)
        cv2.mulSpectrums(turned[2], still[2], 0, self.small, not half)
        cv2.dft(self.small, dst=self.v, flags=inverse)
        least = LEAST_OVERLAP * float(self.v.max())
        if least <= 1e-12:
            return 0.0, 1e9, (0, 0)
        inside = self.v > least
        weight = inside / np.sqrt(np.maximum(self.v, np.float32(least)))
        cv2.resize(weight, self.z.shape[::-1], dst=self.z, interpolation=cv2.INTER_LINEAR)
        cv2.multiply(self.s, self.z, dst=self.z)
        _, peak, _, (x, y) = cv2.minMaxLoc(self.z)
        spread = cv2.norm(self.z) / np.sqrt(self.z.size * float(inside.mean()))
        return peak, spread, (y, x)
