"""On which transform do the most matched points agree, and how many would by chance?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DegenerateFit
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms import MatrixTransform, fit_robust

__all__ = ["Consensus", "agree", "chance_inliers"]

FEWEST = 5


@dataclass(frozen=True, eq=False)
class Consensus:
    """A transform and the matched points that agree on it.

    Parameters
    ----------
    fixed_to_moving : MatrixTransform
        In world units.
    inliers : (N,) ndarray of bool
        Which matches agree.
    places : int
        How many distinct places of both images the inliers lie at; detectors often report one place
        several times.
    anisotropy : float
        Largest over smallest stretch of the transform where the inliers are.
    """

    fixed_to_moving: MatrixTransform
    inliers: NDArray[np.bool_]
    places: int
    anisotropy: float

    def spread(self, fixed: FloatArray) -> float:
        """Give the standard deviation of the agreeing fixed points along the direction where it is least."""
        points = fixed[self.inliers]
        values = np.linalg.svd(points - points.mean(0), compute_uv=False)
        return float(values[-1] / np.sqrt(len(points)))


def agree(
    model: str, fixed: FloatArray, moving: FloatArray, *, tolerance: float, mirrored: bool, seed: int
) -> Consensus | None:
    """Find the transform on which the most matches agree.

    Parameters
    ----------
    model : str
        "rigid", "similarity", "affine" or "projective".
    fixed, moving : (N, 2) ndarray
        Matched points (y, x) in world units.
    tolerance : float
        Distance up to which a match agrees, in world units of the fixed frame.
    mirrored : bool
        Whether the transform turns the image over; one of the other sort counts as none.
    seed : int
        Of the random draws.

    Returns
    -------
    Consensus or None
        None where no sample of matches agrees with any other.

    Examples
    --------
    >>> points = np.random.default_rng(0).random((30, 2)) * 100
    >>> found = agree("rigid", points, points + 5, tolerance=1, mirrored=False, seed=0)
    >>> found.places, found.fixed_to_moving.matrix[:2, 2].round(6).tolist()
    (30, [5.0, 5.0])
    """
    if len(fixed) < FEWEST:
        return None
    sign = np.array([1.0, -1.0 if mirrored else 1.0])
    try:
        # The tolerance is one of the fixed frame, so the fit runs towards it; its inverse is the answer.
        fit = fit_robust(model, moving * sign, fixed, tolerance=tolerance, rng=seed)
        to_moving = fit.fixed_to_moving.inverse()
    except DegenerateFit:
        return None
    flip = np.diag([1.0, sign[1], 1.0])
    matrix = flip @ to_moving.matrix
    inliers = fit.inliers
    local = type(to_moving)(matrix).jacobian(fixed[inliers])
    determinant = np.linalg.det(local)
    if not np.isfinite(local).all() or not (determinant * sign[1] > 0).all():
        return None
    values = np.linalg.svd(local, compute_uv=False)
    anisotropy = float((values[:, 0] / np.maximum(values[:, 1], 1e-12)).max())
    seen = fit.fixed_to_moving(moving[inliers] * sign)
    places = min(_places(fixed[inliers], tolerance), _places(seen, tolerance))
    return Consensus(type(to_moving)(matrix), inliers, places, anisotropy)


def _places(points: FloatArray, tolerance: float) -> int:
    """Count the cells of side `tolerance` that hold a point."""
    return len(np.unique(np.floor(points / tolerance), axis=0))


def chance_inliers(model: str, fixed: FloatArray, moving: FloatArray, *, tolerance: float, seed: int) -> int:
    """Count how many places agree where the same points are paired at random.

    Parameters
    ----------
    model, fixed, moving, tolerance, seed
        As in `agree`.

    Returns
    -------
    int
        The most of three random pairings.

    Examples
    --------
    >>> points = np.random.default_rng(0).random((30, 2)) * 100
    >>> chance_inliers("rigid", points, points + 5, tolerance=1, seed=0) < 8
    True
    """
    rng = np.random.default_rng(seed)
    most = 0
    for _ in range(3):
        found = agree(
            model, fixed, moving[rng.permutation(len(moving))], tolerance=tolerance, mirrored=False, seed=seed
        )
        most = max(most, 0 if found is None else found.places)
    return most
