"""Point pairs → the thin-plate spline that fits them, with as much smoothing as their noise asks for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import DegenerateFit
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.matrix import Affine
from napari_histreg.transforms.point_pairs import checked_pairs, refuse_lines
from napari_histreg.transforms.thin_plate import ThinPlate, kernel

__all__ = ["ThinPlateSmoother", "fit_thin_plate"]

# Smoothing weights tried, from as good as none to as good as affine.
CANDIDATES = np.geomspace(1e-8, 1e2, 41)


@dataclass(frozen=True, eq=False)
class ThinPlateSmoother:
    """Everything about a thin-plate fit that depends on the fixed points alone.

    Parameters
    ----------
    fixed : (N, 2) ndarray of float64
        (y, x) in world units, N >= 3, not on one line, all different.
    smoothing : float
        Weight of the bending against the mean squared error, in units where the points spread by 1.
    """

    fixed: FloatArray
    smoothing: float

    @property
    def centre(self) -> FloatArray:
        """Middle of the points (2,)."""
        return np.asarray(self.fixed.mean(0))

    @property
    def scale(self) -> float:
        """Root mean square distance of the points from their middle."""
        return float(np.sqrt(((self.fixed - self.centre) ** 2).sum(1).mean()))

    def matrix(self) -> FloatArray:
        """Return the (N + 3, N) matrix from values at the points to spline weights and affine part."""
        count = len(self.fixed)
        unit = self._unit(self.fixed)
        flat = np.hstack([np.ones((count, 1)), unit])
        system = np.zeros((count + 3, count + 3))
        system[:count, :count] = kernel(unit, unit) + count * self.smoothing * np.eye(count)
        system[:count, count:], system[count:, :count] = flat, flat.T
        return np.asarray(np.linalg.solve(system, np.eye(count + 3, count)))

    def influence(self, points: FloatArray) -> FloatArray:
        """Return how much the value at each fixed point counts for the spline at (M, 2) points, (M, N)."""
        unit = self._unit(points)
        rows = np.hstack([kernel(unit, self._unit(self.fixed)), np.ones((len(unit), 1)), unit])
        return np.asarray(rows @ self.matrix())

    def spline(self, moving: FloatArray) -> ThinPlate:
        """Return the spline for values (N, 2) at the points."""
        numbers = self.matrix() @ moving
        count = len(self.fixed)
        linear = numbers[count + 1 :].T / self.scale
        matrix = np.eye(3)
        matrix[:2, :2], matrix[:2, 2] = linear, numbers[count] - linear @ self.centre
        return ThinPlate(self.fixed, numbers[:count], Affine(matrix), self.scale, self.smoothing)

    def _unit(self, points: FloatArray) -> FloatArray:
        return np.asarray((points - self.centre) / self.scale)


def fit_thin_plate(fixed: ArrayLike, moving: ArrayLike, *, smoothing: float | None = None) -> ThinPlate:
    """Fit the thin-plate spline that maps fixed points onto, or near, moving points.

    Least mean squared error plus `smoothing` times the bending energy [1]_.

    Parameters
    ----------
    fixed, moving : (N, 2) array_like
        Corresponding points (y, x) in world units, N >= 3, not on one line, fixed ones all different.
    smoothing : float, optional
        0 goes exactly through the points, large numbers give the affine fit. It is relative to the extent
        of the points, so it needs no unit. By default generalised cross-validation [2]_ finds how
        much the noise of the pairs asks for.

    Returns
    -------
    ThinPlate
        Fixed to moving.

    Raises
    ------
    DegenerateFit
        Fewer than three pairs, points on one line, two fixed points at one place, or a coordinate that is
        not finite.
    ValueError
        The smoothing is negative.

    References
    ----------
    .. [1] G. Wahba, Spline Models for Observational Data, SIAM, 1990. doi:10.1137/1.9781611970128
    .. [2] P. Craven, G. Wahba, Numerische Mathematik 31, 1978. doi:10.1007/BF01404567

    Examples
    --------
    >>> square = [[0, 0], [0, 9], [9, 0], [9, 9]]
    >>> fit_thin_plate(square, [[y + 5, x] for y, x in square])([[3, 3]]).round(6).tolist()
    [[8.0, 3.0]]
    """
    if smoothing is not None and not (smoothing >= 0 and np.isfinite(smoothing)):
        raise ValueError(f"The smoothing must be 0 or more, not {smoothing}.")
    f, m, w = checked_pairs("affine", fixed, moving, None)
    refuse_lines("thin_plate", f, m, w)
    spread = float(np.abs(f - f.mean(0)).max())
    order = np.lexsort(f.T)
    steps = np.linalg.norm(np.diff(f[order], axis=0), axis=1)
    if len(np.unique(f, axis=0)) < len(f) or steps.min() <= 1e-9 * spread:
        raise DegenerateFit(
            "Two fixed points lie at the same place, so a thin-plate spline cannot go through both. "
            "Remove one of them."
        )
    if smoothing is None:
        smoothing = _cross_validated(f, m)
    try:
        return ThinPlateSmoother(f, float(smoothing)).spline(m)
    except np.linalg.LinAlgError as error:
        raise DegenerateFit(
            "The point pairs determine no thin-plate spline: some lie too close together. Remove one of them."
        ) from error


def _cross_validated(fixed: FloatArray, moving: FloatArray) -> float:
    """Return the smoothing with the least generalised cross-validation score (Wahba 1990, chapter 4)."""
    count = len(fixed)
    if count <= 4:
        # Hardly anything to learn the noise from: keep to the affine part.
        return float(CANDIDATES[-1])
    unit = ThinPlateSmoother(fixed, 0.0)._unit(fixed)
    flat = np.hstack([np.ones((count, 1)), unit])
    # In the space that no affine map can fill, the smoother is diagonal.
    rest = np.linalg.qr(flat, mode="complete")[0][:, 3:]
    values, vectors = np.linalg.eigh(rest.T @ kernel(unit, unit) @ rest)
    parts = ((vectors.T @ rest.T @ moving) ** 2).sum(1)
    shrink = count * CANDIDATES[:, None] / (np.maximum(values, 0) + count * CANDIDATES[:, None])
    scores = (shrink**2 * parts).sum(1) / shrink.sum(1) ** 2
    # Where scores tie, as for pairs that an affine map fits, the smoother one.
    best = np.flatnonzero(scores <= scores.min() * (1 + 1e-6) + np.finfo(float).tiny)
    return float(CANDIDATES[best[-1]])
