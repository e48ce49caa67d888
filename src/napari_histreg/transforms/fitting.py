"""Point pairs → the transform that fits them best, by least squares."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import DegenerateFit
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.matrix import Affine, MatrixTransform
from napari_histreg.transforms.point_pairs import (
    FLAT,
    MINIMUM_PAIRS,
    MODELS,
    checked_pairs,
    refuse_coincident,
    refuse_lines,
)
from napari_histreg.transforms.projective_fit import fit_projective
from napari_histreg.transforms.similarity import Rigid, Similarity, Translation

__all__ = [
    "MINIMUM_PAIRS",
    "MODELS",
    "fit_affine",
    "fit_projective",
    "fit_rigid",
    "fit_similarity",
    "fit_transform",
    "fit_translation",
]


def fit_translation(fixed: ArrayLike, moving: ArrayLike, weights: ArrayLike | None = None) -> Translation:
    """Fit the shift that maps fixed points onto moving points: the mean difference.

    Parameters
    ----------
    fixed, moving : (N, 2) array_like
        Corresponding points (y, x) in world units, N >= 1.
    weights : (N,) array_like, optional
        How much each pair counts, 0 or more; all alike by default.

    Returns
    -------
    Translation
        Fixed to moving.

    Raises
    ------
    DegenerateFit
        There is no pair, or a coordinate is not finite.

    Examples
    --------
    >>> fit_translation([[0, 0], [2, 0]], [[5, 5], [7, 5]])
    Translation(shift=(5, 5))
    """
    f, m, w = checked_pairs("translation", fixed, moving, weights)
    return Translation.of(w @ (m - f))


def fit_rigid(
    fixed: ArrayLike, moving: ArrayLike, weights: ArrayLike | None = None, *, allow_mirror: bool = False
) -> Rigid:
    """Fit the turn and shift that map fixed points onto moving points.

    Closed-form least squares [1]_.

    Parameters
    ----------
    fixed, moving : (N, 2) array_like
        Corresponding points (y, x) in world units, N >= 2, not all at one place.
    weights : (N,) array_like, optional
        How much each pair counts, 0 or more; all alike by default.
    allow_mirror : bool
        Whether the tissue may be turned over, where that fits better.

    Returns
    -------
    Rigid
        Fixed to moving.

    Raises
    ------
    DegenerateFit
        Fewer than two distinct points, or a coordinate that is not finite.

    References
    ----------
    .. [1] S. Umeyama, IEEE TPAMI 13(4), 1991. doi:10.1109/34.88573

    Examples
    --------
    >>> fit_rigid([[0, 0], [0, 10]], [[5, 5], [-5, 5]]).angle_deg
    90.0
    """
    linear, _, f, m = _procrustes("rigid", fixed, moving, weights, allow_mirror)
    return Rigid(_about_means(linear, f, m))


def fit_similarity(
    fixed: ArrayLike, moving: ArrayLike, weights: ArrayLike | None = None, *, allow_mirror: bool = False
) -> Similarity:
    """Fit the turn, scale and shift that map fixed points onto moving points.

    Closed-form least squares [1]_.

    Parameters
    ----------
    fixed, moving : (N, 2) array_like
        Corresponding points (y, x) in world units, N >= 2, not all at one place.
    weights : (N,) array_like, optional
        How much each pair counts, 0 or more; all alike by default.
    allow_mirror : bool
        Whether the tissue may be turned over, where that fits better.

    Returns
    -------
    Similarity
        Fixed to moving.

    Raises
    ------
    DegenerateFit
        Fewer than two distinct points on either side, or a coordinate that is not finite.

    References
    ----------
    .. [1] S. Umeyama, IEEE TPAMI 13(4), 1991. doi:10.1109/34.88573

    Examples
    --------
    >>> round(fit_similarity([[0, 0], [0, 10]], [[5, 5], [5, 25]]).scale, 6)
    2.0
    """
    linear, scale, f, m = _procrustes("similarity", fixed, moving, weights, allow_mirror)
    if not scale > 0:
        raise DegenerateFit(
            "The point pairs determine no similarity: no turn brings the two sets of points nearer to "
            "one another. Check that the pairs belong together."
        )
    return Similarity(_about_means(scale * linear, f, m))


def fit_affine(fixed: ArrayLike, moving: ArrayLike, weights: ArrayLike | None = None) -> Affine:
    """Fit the affine transform that maps fixed points onto moving points, by least squares.

    Parameters
    ----------
    fixed, moving : (N, 2) array_like
        Corresponding points (y, x) in world units, N >= 3, not all on one line.
    weights : (N,) array_like, optional
        How much each pair counts, 0 or more; all alike by default.

    Returns
    -------
    Affine
        Fixed to moving; mirrored where the points say so.

    Raises
    ------
    DegenerateFit
        Fewer than three pairs, points on one line, or a coordinate that is not finite.

    Examples
    --------
    >>> fit_affine([[0, 0], [0, 1], [1, 0]], [[1, 1], [1, 3], [4, 1]])([[1, 1]]).round(9).tolist()
    [[4.0, 3.0]]
    """
    f, m, w = checked_pairs("affine", fixed, moving, weights)
    refuse_lines("affine", f, m, w)
    f_mean, m_mean, root = w @ f, w @ m, np.sqrt(w)[:, None]
    solved = np.linalg.lstsq(root * (f - f_mean), root * (m - m_mean), rcond=None)[0]
    return Affine(_about_means(np.asarray(solved.T, float), f_mean, m_mean))


def fit_transform(
    model: str,
    fixed: ArrayLike,
    moving: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    allow_mirror: bool = False,
) -> MatrixTransform:
    """Fit a transform of a named model; see `fit_similarity` and its siblings.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    fixed, moving : (N, 2) array_like
        Corresponding points (y, x) in world units.
    weights : (N,) array_like, optional
        How much each pair counts, 0 or more; all alike by default.
    allow_mirror : bool
        Whether a rigid transform or a similarity may turn the tissue over. Translations never do,
        affine and projective transforms always may.

    Returns
    -------
    MatrixTransform
        Fixed to moving, of the class that belongs to the model.

    Raises
    ------
    ValueError
        There is no such model.
    DegenerateFit
        The points do not determine the transform.

    Examples
    --------
    >>> fit_transform("translation", [[0, 0]], [[1, 2]])
    Translation(shift=(1, 2))
    """
    if model == "rigid":
        return fit_rigid(fixed, moving, weights, allow_mirror=allow_mirror)
    if model == "similarity":
        return fit_similarity(fixed, moving, weights, allow_mirror=allow_mirror)
    plain: dict[str, Callable[[ArrayLike, ArrayLike, ArrayLike | None], MatrixTransform]] = {
        "translation": fit_translation,
        "affine": fit_affine,
        "projective": fit_projective,
    }
    if model not in plain:
        raise ValueError(f"There is no model {model!r}. Those known are: {', '.join(MODELS)}.")
    return plain[model](fixed, moving, weights)


def _procrustes(
    model: str, fixed: ArrayLike, moving: ArrayLike, weights: ArrayLike | None, allow_mirror: bool
) -> tuple[FloatArray, float, FloatArray, FloatArray]:
    """Return the turn (2, 2), the scale, and the two means (Umeyama 1991, equations 40 to 42)."""
    f, m, w = checked_pairs(model, fixed, moving, weights)
    refuse_coincident(model, f, m, w)
    f_mean, m_mean = w @ f, w @ m
    f, m = f - f_mean, m - m_mean
    u, values, vt = np.linalg.svd((w[:, None] * m).T @ f)
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    # Points on a line fit as well mirrored as not: then the second singular value is rounding noise,
    # and the plain turn is the answer.
    if allow_mirror and values[1] > FLAT * values[0]:
        sign = 1.0
    flip = np.array([1.0, sign])
    linear = (u * flip) @ vt
    scale = float(values @ flip) / float(w @ (f**2).sum(1))
    return linear, scale, f_mean, m_mean


def _about_means(linear: FloatArray, f_mean: FloatArray, m_mean: FloatArray) -> FloatArray:
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = m_mean - linear @ f_mean
    return matrix
