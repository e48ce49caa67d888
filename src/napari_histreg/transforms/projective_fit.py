"""Point pairs → the projective transform that fits them, by the direct linear transform."""

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import DegenerateFit
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.matrix import Affine, Projective
from napari_histreg.transforms.point_pairs import FLAT, checked_pairs, refuse_lines

__all__ = ["fit_projective"]


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


def _normaliser(points: FloatArray, weights: FloatArray) -> Affine:
    """Return the map that brings points to mean 0 and mean distance sqrt(2) (Hartley 1997)."""
    mean = weights @ points
    factor = np.sqrt(2) / float(weights @ np.linalg.norm(points - mean, axis=1))
    return Affine(np.array([[factor, 0, -factor * mean[0]], [0, factor, -factor * mean[1]], [0, 0, 1]]))
