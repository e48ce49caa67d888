"""The matrix of a transform between level-0 pixels (x, y, 1), as most other tools want it."""

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import UnsupportedDialect
from napari_histreg.geometry import SWAP, FloatArray, grid_points
from napari_histreg.transforms.fitting import fit_affine
from napari_histreg.transforms.matrix import Affine, MatrixTransform, Projective
from napari_histreg.transforms.transform import Transform, as_points

__all__ = ["affine_over", "approximate_affine", "from_pixel_matrix", "pixel_matrix"]

SIDE = 9
"""Places along each side of a box at which a transform is looked at: enough for gently bent ones."""


def _to_world(pixel_size: ArrayLike) -> FloatArray:
    """Return the matrix from level-0 pixels (x, y, 1) to world units (y, x, 1)."""
    size = np.broadcast_to(np.asarray(pixel_size, float), (2,))
    if not (np.isfinite(size).all() and (size > 0).all()):
        raise ValueError(f"A pixel size must be two numbers above 0 (y, x), not {np.asarray(pixel_size)}.")
    return np.asarray(np.diag([size[0], size[1], 1.0]) @ SWAP)


def pixel_matrix(
    fixed_to_moving: Transform, fixed_pixel_size: ArrayLike = 1.0, moving_pixel_size: ArrayLike = 1.0
) -> FloatArray:
    """Give the matrix that takes level-0 pixels of the fixed slide to those of the moving slide.

    Parameters
    ----------
    fixed_to_moving : Transform
        In world units; translation, rigid, similarity, affine or projective.
    fixed_pixel_size, moving_pixel_size : float or (2,) array_like
        Size of a level-0 pixel (y, x) in world units; 1 where it is unknown.

    Returns
    -------
    (3, 3) ndarray of float64
        Acts on columns (x, y, 1), with the centre of pixel (0, 0) at 0.

    Raises
    ------
    UnsupportedDialect
        The transform bends, so no matrix holds it; see `approximate_affine`.

    Examples
    --------
    >>> pixel_matrix(Affine([[1, 0, 5], [0, 1, 6], [0, 0, 1]]), 0.5, 0.25).tolist()
    [[2.0, 0.0, 24.0], [0.0, 2.0, 20.0], [0.0, 0.0, 1.0]]
    """
    if not isinstance(fixed_to_moving, MatrixTransform):
        raise UnsupportedDialect(
            f"A {fixed_to_moving.kind} transform bends, so no 3 x 3 matrix can hold it. "
            "Take its affine approximation (approximate_affine) or a format that carries it whole."
        )
    to_moving_pixels = np.linalg.inv(_to_world(moving_pixel_size))
    return np.asarray(to_moving_pixels @ fixed_to_moving.matrix @ _to_world(fixed_pixel_size)) + 0.0


def from_pixel_matrix(
    matrix_xy: ArrayLike, fixed_pixel_size: ArrayLike = 1.0, moving_pixel_size: ArrayLike = 1.0
) -> Affine | Projective:
    """Make a transform in world units from a matrix between level-0 pixels.

    Parameters
    ----------
    matrix_xy : (3, 3) or (2, 3) array_like
        Takes pixels (x, y, 1) of the fixed slide to those of the moving slide.
    fixed_pixel_size, moving_pixel_size : float or (2,) array_like
        Size of a level-0 pixel (y, x) in world units; 1 where it is unknown.

    Returns
    -------
    Affine or Projective
        Fixed to moving in world units; projective only where the matrix has perspective.

    Raises
    ------
    ValueError
        The matrix has another shape or is not finite.

    Examples
    --------
    >>> from_pixel_matrix([[1, 0, 24], [0, 1, 20], [0, 0, 1]], 0.5, 0.5).shift
    (10.0, 12.0)
    """
    matrix = np.asarray(matrix_xy, float)
    if matrix.shape == (2, 3):
        matrix = np.vstack([matrix, [0, 0, 1]])
    if matrix.shape != (3, 3):
        raise ValueError(f"A matrix between pixels is 3 x 3 or 2 x 3, not of shape {matrix.shape}.")
    world = _to_world(moving_pixel_size) @ matrix @ np.linalg.inv(_to_world(fixed_pixel_size))
    if not np.isfinite(world).all():
        raise ValueError("The matrix holds NaN or infinity.")
    if np.abs(world[2, :2]).max() == 0 and world[2, 2] != 0:
        return Affine(world / world[2, 2])
    return Projective(world)


def approximate_affine(transform: Transform, points: ArrayLike) -> Affine:
    """Fit the affine transform that comes closest to a transform at given points.

    Parameters
    ----------
    transform : Transform
        Any.
    points : (N, 2) array_like
        Where it should agree, (y, x) in world units: a grid over the tissue, say. N >= 3.

    Returns
    -------
    Affine

    Raises
    ------
    DegenerateFit
        The points do not determine an affine transform.
    """
    points = as_points(points)
    return fit_affine(points, transform(points))


def affine_over(transform: Transform, low: ArrayLike, high: ArrayLike) -> Affine:
    """Return the affine transform that comes closest to a transform over a box.

    Parameters
    ----------
    transform : Transform
        Any; an affine one comes back as it is.
    low, high : (2,) array_like
        Opposite corners of the box, (y, x) in world units.

    Returns
    -------
    Affine

    Raises
    ------
    DegenerateFit
        The box has no area.

    Examples
    --------
    >>> affine_over(Affine([[1, 0, 5], [0, 1, 0], [0, 0, 1]]), (0, 0), (10, 10)).shift
    (5.0, 0.0)
    """
    if isinstance(transform, Affine):
        return transform
    if isinstance(transform, MatrixTransform) and np.allclose(transform.matrix[2], (0, 0, 1), atol=1e-15):
        return Affine(transform.matrix)
    first, last = np.asarray(low, float), np.asarray(high, float)
    rows, columns = (np.linspace(first[axis], last[axis], SIDE) for axis in range(2))
    return approximate_affine(transform, grid_points(rows, columns).reshape(-1, 2))
