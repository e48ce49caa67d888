"""Random smooth deformations: truth by construction for training and for trials."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["inverse_of", "random_deformation", "shown"]

Field = NDArray[np.float32]
"""(Y, X, 2): displacement (y, x) in pixels."""

ROUNDS = 30
AFFINE_SHARE = 0.3  # of the largest displacement


def random_deformation(shape: tuple[int, int], largest_px: float, rng: np.random.Generator) -> Field:
    """Draw a displacement without folds: two sizes of waves, and a small affine part.

    Parameters
    ----------
    shape : (int, int)
        In pixels.
    largest_px : float
        Length that no displacement exceeds.
    rng : numpy.random.Generator

    Returns
    -------
    (Y, X, 2) ndarray of float32

    Examples
    --------
    >>> field = random_deformation((64, 64), 4.0, np.random.default_rng(0))
    >>> field.shape, bool(np.linalg.norm(field, axis=-1).max() <= 4.0)
    ((64, 64, 2), True)
    """
    h, w = shape
    total = np.zeros((h, w, 2), np.float32)
    for cells, weight in ((int(rng.integers(2, 4)), 1.0), (int(rng.integers(4, 7)), 0.4)):
        knots = rng.uniform(-1, 1, (cells + 1, cells + 1, 2)).astype(np.float32)
        total += np.float32(weight) * cv2.resize(knots, (w, h), interpolation=cv2.INTER_CUBIC)
    y, x = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
    slopes = rng.uniform(-AFFINE_SHARE, AFFINE_SHARE, (2, 3))
    total += np.stack([s[0] * y + s[1] * x + s[2] for s in slopes], -1).astype(np.float32)
    total *= np.float32(rng.uniform(0.4, 1.0) * largest_px / max(np.linalg.norm(total, axis=-1).max(), 1e-6))
    # What is drawn on few pixels may fold: it is made smaller until it does not.
    while _least_jacobian(total) < 0.3:
        total *= np.float32(0.8)
    return total


def inverse_of(field: Field) -> Field:
    """Return the displacement that takes another one back, by a fixed point."""
    back = np.zeros_like(field)
    for _ in range(ROUNDS):
        back = -np.stack([shown(np.ascontiguousarray(field[..., k]), back) for k in range(2)], -1)
    return np.asarray(back, np.float32)


def shown(plane: NDArray[np.float32], field: Field, *, nearest: bool = False) -> NDArray[np.float32]:
    """Return what a plane shows at p + u(p); beyond its border what lies on it."""
    y, x = np.indices(field.shape[:2], np.float32)
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    return np.asarray(
        cv2.remap(plane, x + field[..., 1], y + field[..., 0], how, borderMode=cv2.BORDER_REPLICATE)
    )


def jacobian(field: Field) -> NDArray[np.float32]:
    """Return the determinant of the local matrices of p + u(p), (Y - 1, X - 1)."""
    dy = np.diff(field, axis=0)[:, :-1]
    dx = np.diff(field, axis=1)[:-1]
    return np.asarray((1 + dy[..., 0]) * (1 + dx[..., 1]) - dy[..., 1] * dx[..., 0])


def _least_jacobian(field: Field) -> float:
    return float(jacobian(field).min())
