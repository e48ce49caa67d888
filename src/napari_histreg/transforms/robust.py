"""Point pairs with wrong ones among them → the transform on which most agree."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.errors import DegenerateFit
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.chance import hit_probability, log_false_alarms
from napari_histreg.transforms.fitting import fit_transform
from napari_histreg.transforms.matrix import MatrixTransform
from napari_histreg.transforms.minimal import minimal_matrices
from napari_histreg.transforms.point_pairs import MINIMUM_PAIRS, MODELS
from napari_histreg.transforms.transform import as_points

__all__ = ["RobustFit", "fit_robust"]

BATCH = 128
CONFIDENCE = 0.9999


@dataclass(frozen=True, eq=False)
class RobustFit:
    """What `fit_robust` found.

    Parameters
    ----------
    fixed_to_moving : MatrixTransform
        Fitted by least squares to the pairs that agree.
    inliers : (N,) ndarray of bool
        Which pairs agree: those it maps to within the tolerance.
    """

    fixed_to_moving: MatrixTransform
    inliers: NDArray[np.bool_]


def fit_robust(
    model: str,
    fixed: ArrayLike,
    moving: ArrayLike,
    *,
    tolerance: float,
    allow_mirror: bool = False,
    rng: int | np.random.Generator | None = 0,
    max_trials: int = 5000,
) -> RobustFit:
    """Fit a transform to the largest set of point pairs that agree with one another.

    Random sample consensus [1]_ with the truncated squared error as score [2]_ and refits of the best
    sample on its inliers until they no longer change [3]_. Ends when a better sample has become unlikely.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    fixed, moving : (N, 2) array_like
        Supposedly corresponding points (y, x) in world units; pairs that are not finite count as wrong.
    tolerance : float
        How far a mapped fixed point may lie from its moving point, in world units of the moving side.
    allow_mirror : bool
        Whether a rigid transform or a similarity may turn the tissue over.
    rng : int or Generator, optional
        Seed: the same one gives the same answer.
    max_trials : int
        Most samples to draw.

    Returns
    -------
    RobustFit

    Raises
    ------
    DegenerateFit
        Too few pairs, or no more of them agree than chance explains [4]_.

    References
    ----------
    .. [1] M. A. Fischler, R. C. Bolles, CACM 24(6), 1981. doi:10.1145/358669.358692
    .. [2] P. H. S. Torr, A. Zisserman, CVIU 78(1), 2000. doi:10.1006/cviu.1999.0832
    .. [3] O. Chum, J. Matas, J. Kittler, DAGM 2003. doi:10.1007/978-3-540-45243-0_31
    .. [4] L. Moisan, B. Stival, IJCV 57(3), 2004. doi:10.1023/B:VISI.0000013094.38752.54

    Examples
    --------
    >>> fixed = [[0, 0], [0, 9], [9, 0], [9, 9], [4, 4]]
    >>> moving = [[5, 5], [5, 14], [14, 5], [14, 14], [90, 4]]
    >>> fit = fit_robust("rigid", fixed, moving, tolerance=1)
    >>> fit.inliers.tolist()
    [True, True, True, True, False]
    """
    f, m = as_points(fixed), as_points(moving)
    if model not in MODELS:
        raise ValueError(f"There is no model {model!r}. Those known are: {', '.join(MODELS)}.")
    if len(f) != len(m):
        raise ValueError(f"There are {len(f)} fixed and {len(m)} moving points; they must come in pairs.")
    if not (np.isfinite(tolerance) and tolerance > 0):
        raise ValueError(f"The tolerance must be a number above 0 in world units, not {tolerance}.")
    usable = np.flatnonzero(np.isfinite(f).all(1) & np.isfinite(m).all(1))
    needed = MINIMUM_PAIRS[model] + 1
    if len(usable) < needed:
        raise DegenerateFit(
            f"A robust fit of the model {model} needs at least {needed} point pairs, one more than "
            f"determine it; there are {len(usable)}."
        )
    matrix = _best_sample(
        model, f[usable], m[usable], tolerance, allow_mirror, np.random.default_rng(rng), max_trials
    )
    agreed = _polished(model, f, m, usable, matrix, tolerance, allow_mirror)
    sample, chance = MINIMUM_PAIRS[model], hit_probability(m[usable], tolerance)
    if agreed is None or log_false_alarms(int(agreed.inliers.sum()), len(usable), sample, chance) > 0:
        raise DegenerateFit(
            f"The {len(usable)} point pairs agree on no transform of the model {model} within {tolerance:g} "
            "units any better than random pairs would. Check the pairs, allow a mirror or another tolerance."
        )
    return agreed


def _errors(matrices: FloatArray, f: FloatArray, m: FloatArray) -> FloatArray:
    """Return the squared distances (B, N) of mapped fixed points from their moving points."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        v, u, w = np.moveaxis(matrices[:, :, :2] @ f.T + matrices[:, :, 2:], 1, 0)
        squared = (v / w - m[:, 0]) ** 2 + (u / w - m[:, 1]) ** 2
    return np.asarray(np.where(np.isfinite(squared), squared, np.inf))


def _best_sample(
    model: str,
    f: FloatArray,
    m: FloatArray,
    tolerance: float,
    allow_mirror: bool,
    rng: np.random.Generator,
    max_trials: int,
) -> FloatArray:
    """Return the (3, 3) matrix of the sample with the least truncated error."""
    size, count = MINIMUM_PAIRS[model], len(f)
    best, best_cost, drawn, wanted = np.eye(3), np.inf, 0, float(max_trials)
    while drawn < min(wanted, max_trials):
        # The first `size` places of a random order of all pairs: a sample without repetition.
        picks = rng.random((BATCH, count)).argpartition(size - 1, axis=1)[:, :size]
        drawn += BATCH
        matrices = minimal_matrices(model, f[picks], m[picks], allow_mirror)
        if not len(matrices):
            continue
        squared = _errors(matrices, f, m)
        costs = np.minimum(squared, tolerance**2).sum(1)
        winner = int(costs.argmin())
        if costs[winner] < best_cost:
            best, best_cost = matrices[winner], float(costs[winner])
            share = float((squared[winner] <= tolerance**2).mean())
            wanted = np.log1p(-CONFIDENCE) / np.log1p(-min(share**size, 1 - 1e-12)) if share > 0 else np.inf
    return best


def _polished(
    model: str,
    f: FloatArray,
    m: FloatArray,
    usable: NDArray[np.intp],
    matrix: FloatArray,
    tolerance: float,
    allow_mirror: bool,
) -> RobustFit | None:
    """Refit to the inliers until they stay the same; None where too few agree."""
    inliers = np.zeros(len(f), bool)
    inliers[usable] = _errors(matrix[None], f[usable], m[usable])[0] <= tolerance**2
    best: RobustFit | None = None
    for _ in range(20):
        if inliers.sum() <= MINIMUM_PAIRS[model]:
            break
        try:
            fitted = fit_transform(model, f[inliers], m[inliers], allow_mirror=allow_mirror)
        except DegenerateFit:
            break
        again = np.zeros(len(f), bool)
        again[usable] = _errors(fitted.matrix[None], f[usable], m[usable])[0] <= tolerance**2
        if again.sum() <= MINIMUM_PAIRS[model]:
            break
        if best is None or again.sum() >= best.inliers.sum():
            best = RobustFit(fitted, again)
        if np.array_equal(again, inliers):
            break
        inliers = again
    return best
