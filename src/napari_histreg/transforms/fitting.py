"""Point pairs → the transform that fits them best, by least squares."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import DegenerateFit
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.matrix import (
    Affine,
    MatrixTransform,
    Projective,
    Rigid,
    Similarity,
    Translation,
)
from napari_histreg.transforms.transform import as_points

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

MODELS = ("translation", "rigid", "similarity", "affine", "projective")
"""Names that `fit_transform` takes, from the stiffest to the most flexible."""

MINIMUM_PAIRS: Mapping[str, int] = MappingProxyType(
    {"translation": 1, "rigid": 2, "similarity": 2, "affine": 3, "projective": 4}
)
"""How many point pairs determine each model."""

# Points closer together than this share of their distance from the origin are one point, and a cloud
# flatter than this share of its length is a line. Clicks are good to a pixel in 100 000 at best.
FLAT = 1e-7


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


def fit_projective(fixed: ArrayLike, moving: ArrayLike, weights: ArrayLike | None = None) -> Projective:
    """Fit the projective transform that maps fixed points onto moving points.

    The normalised direct linear transform [1]_: exact for four pairs; for more, the algebraic error is
    least, which is close to the geometric one when perspective is weak.

    Parameters
    ----------
    fixed, moving : (N, 2) array_like
        Corresponding points (y, x) in world units, N >= 4, four of them with no three on one line.
    weights : (N,) array_like, optional
        How much each pair counts, 0 or more; all alike by default.

    Returns
    -------
    Projective
        Fixed to moving.

    Raises
    ------
    DegenerateFit
        Fewer than four pairs, points that leave it undetermined, pairs that would need a horizon
        between the points, or a coordinate that is not finite.

    References
    ----------
    .. [1] R. I. Hartley, IEEE TPAMI 19(6), 1997. doi:10.1109/34.601246

    Examples
    --------
    >>> corners = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> fit_projective(corners, corners).matrix.round(9).diagonal().tolist()
    [1.0, 1.0, 1.0]
    """
    f, m, w = checked_pairs("projective", fixed, moving, weights)
    refuse_lines("projective", f, m, w)
    norm_f, norm_m = _normaliser(f, w), _normaliser(m, w)
    a, b = norm_f(f), norm_m(m)
    ones, zeros = np.ones((len(a), 1)), np.zeros((len(a), 3))
    source, root = np.hstack([a, ones]), np.sqrt(w * len(w))[:, None]
    rows = np.vstack(
        [
            root * np.hstack([source, zeros, -b[:, :1] * source]),
            root * np.hstack([zeros, source, -b[:, 1:] * source]),
        ]
    )
    # The null vector of 8 rows is only among the full ones; of more rows these would be large for nothing.
    _, values, vectors = np.linalg.svd(rows, full_matrices=len(rows) < 9)
    if not values[7] > FLAT * values[0]:
        raise DegenerateFit(
            "The point pairs determine no projective transform: it needs four points of which no three "
            "lie on one line. Spread them over the tissue, or use an affine transform."
        )
    core = vectors[-1].reshape(3, 3)
    side = source @ core[2]
    if not (side > 0).all() and not (side < 0).all():
        raise DegenerateFit(
            "The point pairs fit only a projective transform whose horizon runs between them. "
            "Check their order, or use an affine transform."
        )
    return Projective(np.linalg.inv(norm_m.matrix) @ core @ norm_f.matrix)


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


def checked_pairs(
    model: str, fixed: ArrayLike, moving: ArrayLike, weights: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return points and weights (summing to 1) of the pairs that count, or say what is wrong with them."""
    f, m = as_points(fixed), as_points(moving)
    if len(f) != len(m):
        raise ValueError(f"There are {len(f)} fixed and {len(m)} moving points; they must come in pairs.")
    w = np.ones(len(f)) if weights is None else np.asarray(weights, float)
    if w.shape != (len(f),) or not np.isfinite(w).all() or (w < 0).any():
        raise ValueError(f"The weights must be {len(f)} finite numbers of 0 or more, one for each pair.")
    f, m, w = f[w > 0], m[w > 0], w[w > 0]
    finite = np.isfinite(f).all(1) & np.isfinite(m).all(1)
    if not finite.all():
        raise DegenerateFit(
            f"{int((~finite).sum())} of {len(f)} point pairs have a coordinate that is not a finite number. "
            "Leave them out or place them."
        )
    needed = MINIMUM_PAIRS[model]
    if len(f) < needed:
        pairs = "1 point pair" if needed == 1 else f"{needed} point pairs"
        raise DegenerateFit(f"A fit of the model {model} needs at least {pairs}; there are {len(f)}.")
    return f, m, w / w.sum()


def _is_one_place(points: FloatArray, weights: FloatArray) -> bool:
    """Tell whether all points coincide, for what a slide's coordinates can resolve."""
    centred = points - weights @ points
    return bool(np.abs(centred).max() <= 1e-9 * max(float(np.abs(points).max()), 1e-300))


def _refuse_coincident(model: str, f: FloatArray, m: FloatArray, w: FloatArray) -> None:
    for side, points in (("fixed", f), ("moving", m)):
        if _is_one_place(points, w):
            raise DegenerateFit(
                f"The {len(points)} {side} points all lie at one place, so they determine no {model} "
                "transform. Spread them over the tissue."
            )


def refuse_lines(model: str, f: FloatArray, m: FloatArray, w: FloatArray) -> None:
    """Raise DegenerateFit where the points of a side lie at one place or on one line."""
    _refuse_coincident(model, f, m, w)
    for side, points in (("fixed", f), ("moving", m)):
        values = np.linalg.svd(points - w @ points, compute_uv=False)
        if not values[1] > FLAT * values[0]:
            raise DegenerateFit(
                f"The {len(points)} {side} points lie on one line, so they determine no {model} "
                "transform. Add a pair beside the line, or use a similarity."
            )


def _procrustes(
    model: str, fixed: ArrayLike, moving: ArrayLike, weights: ArrayLike | None, allow_mirror: bool
) -> tuple[FloatArray, float, FloatArray, FloatArray]:
    """Return the turn (2, 2), the scale, and the two means (Umeyama 1991, equations 40 to 42)."""
    f, m, w = checked_pairs(model, fixed, moving, weights)
    _refuse_coincident(model, f, m, w)
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


def _normaliser(points: FloatArray, weights: FloatArray) -> Affine:
    """Return the map that brings points to mean 0 and mean distance sqrt(2) (Hartley 1997)."""
    mean = weights @ points
    factor = np.sqrt(2) / float(weights @ np.linalg.norm(points - mean, axis=1))
    return Affine(np.array([[factor, 0, -factor * mean[0]], [0, factor, -factor * mean[1]], [0, 0, 1]]))
