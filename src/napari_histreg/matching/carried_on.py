"""A smooth displacement carried on where nothing was measured: bounded by what the nearest places show."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.smooth_field import SmoothField

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

__all__ = ["CarriedOn"]

NEAR, FAR = 1.0, 3.0
"""Between these many distances of neighbouring measurements from the nearest one, slopes are given up."""

TRUSTED = 0.15
LEAST_NOISE = 1e-6
BLOCK = 2_000_000


@dataclass(frozen=True, eq=False)
class CarriedOn:
    """A field that follows its measurements, and beyond them keeps what they say instead of their slope.

    A twice differentiable field goes on as it was going when its measurements end, and so may shoot far
    beyond all of them. Here it passes over into one with an exponential correlation, which does not look at
    slopes: it starts from the nearest measurements and runs out to nothing.

    Parameters
    ----------
    field : SmoothField
        The displacement.

    Examples
    --------
    >>> from napari_histreg.matching.smooth_field import Prior
    >>> along = np.linspace(0, 100, 21)
    >>> places = np.stack([np.zeros(21), along], -1)
    >>> ramp = np.stack([along / 10, np.zeros(21)], -1)
    >>> field = SmoothField(places, ramp, np.full(21, 0.01), Prior(100.0, 10.0), np.ones(21))
    >>> beyond = np.array([[0.0, 140.0]])
    >>> bool(field(beyond)[0, 0] > 11), bool(CarriedOn(field)(beyond)[0, 0] < 10)
    (True, True)
    """

    field: SmoothField

    def __call__(self, points: FloatArray) -> FloatArray:
        """Return the displacement at (N, 2) points, (N, 2)."""
        smooth = self.field(points)
        if len(self._places) < 2:
            return smooth
        distance = np.asarray(self._tree.query(points)[0]) / self._pitch
        share = np.clip((distance - NEAR) / (FAR - NEAR), 0.0, 1.0)
        share = share * share * (3 - 2 * share)
        far = share > 0
        kept = np.empty((int(far.sum()), 2))
        step = max(1, BLOCK // len(self._places))
        for start in range(0, len(kept), step):
            near = _exponential(points[far][start : start + step], self._places, self.field.prior.length)
            kept[start : start + step] = near @ self._pull
        smooth[far] += share[far, None] * (kept - smooth[far])
        return smooth

    @cached_property
    def _places(self) -> FloatArray:
        return np.asarray(self.field.places[self.field.weights > TRUSTED])

    @cached_property
    def _tree(self) -> "cKDTree":
        from scipy.spatial import cKDTree

        return cKDTree(self._places)

    @cached_property
    def _pitch(self) -> float:
        nearest = np.asarray(self._tree.query(self._places, k=2)[0])[:, 1]
        return max(float(np.median(nearest)), 1e-9)

    @cached_property
    def _pull(self) -> FloatArray:
        from scipy.linalg import cho_factor, cho_solve

        kernel = _exponential(self._places, self._places, self.field.prior.length)
        kernel[np.diag_indices(len(kernel))] += LEAST_NOISE
        return np.asarray(cho_solve(cho_factor(kernel, overwrite_a=True), self.field(self._places)))


def _exponential(a: FloatArray, b: FloatArray, length: float) -> FloatArray:
    from scipy.spatial.distance import cdist

    return np.asarray(np.exp(cdist(a, b) * (-2.0 / length)))
