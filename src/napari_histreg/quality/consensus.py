"""The part of many local shifts that they have in common, whatever a few of them say."""

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.transforms import Affine

__all__ = ["robust_affine"]

FEWEST = 5
NEAR_PX = 4.0
ROUNDS = 10


def robust_affine(
    at: FloatArray, found: FloatArray, judged: NDArray[np.bool_], spacing: float
) -> Affine | None:
    """Fit the affine map that most judged blocks agree on.

    Starts from the similarity of the pair of blocks that most others agree with, then reweights
    (Geman-McClure).

    Parameters
    ----------
    at, found : (..., 2) ndarray
        Centres of blocks and where their content lies, in world units.
    judged : (...) ndarray of bool
        Which blocks count.
    spacing : float
        Size of a pixel, the scale of what counts as agreement.

    Returns
    -------
    Affine or None
        None where fewer than five blocks agree.
    """
    points, targets = at[judged], found[judged]
    if len(points) < FEWEST:
        return None
    errors = _best_similarity_errors(points, targets, spacing)
    weight = (errors < 1.5 * NEAR_PX * spacing).astype(float)
    design = np.c_[points - points.mean(0), np.ones(len(points))]
    for _ in range(ROUNDS):
        if (weight > 1e-3).sum() < FEWEST:
            return None
        root = np.sqrt(weight)[:, None]
        solution, _, rank, _ = np.linalg.lstsq(design * root, targets * root, rcond=None)
        if rank < 3:
            return None
        errors = np.linalg.norm(design @ solution - targets, axis=1)
        weight = 1 / (1 + (errors / (0.5 * NEAR_PX * spacing)) ** 2) ** 2
    matrix = np.eye(3)
    matrix[:2, :2] = solution[:2].T
    matrix[:2, 2] = solution[2] - matrix[:2, :2] @ points.mean(0)
    # What is left after an alignment is small: anything else is a chance agreement.
    scales = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    if not 0.6 < scales[1] <= scales[0] < 1.6 or np.linalg.det(matrix[:2, :2]) < 0:
        return None
    return Affine(matrix)


def _best_similarity_errors(points: FloatArray, targets: FloatArray, spacing: float) -> FloatArray:
    """Return how far each block is from the similarity of the best of many pairs of blocks."""
    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, len(points), 300) for _ in range(2))
    a, b = points @ [1j, 1.0], targets @ [1j, 1.0]
    span = a[second] - a[first]
    usable = np.abs(span) > 2 * spacing
    first, second, span = first[usable], second[usable], span[usable]
    if len(first) == 0:
        return np.full(len(points), np.inf)
    # A similarity without mirror is one complex factor and one complex shift.
    factor = (b[second] - b[first]) / span
    left = np.abs(factor[:, None] * (a[None, :] - a[first][:, None]) + b[first][:, None] - b[None, :])
    best = int((left < NEAR_PX * spacing).sum(1).argmax())
    return np.asarray(left[best], float)
