"""Solving a transform for the point that it maps to a given one."""

import numpy as np

from napari_histreg.errors import NotInvertible
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.transform import Transform

__all__ = ["solve_inverse"]

ITERATIONS = 80


def solve_inverse(forward: Transform, points: FloatArray, start: FloatArray, tolerance: float) -> FloatArray:
    """Solve ``forward(p) = q`` by damped Newton steps.

    Parameters
    ----------
    forward : Transform
        With a smooth Jacobian.
    points : (N, 2) ndarray of float64
        The q, (y, x) in world units; NaN stays NaN.
    start : (N, 2) ndarray of float64
        First guesses of p.
    tolerance : float
        How near ``forward(p)`` must come to q, in world units of q.

    Returns
    -------
    (N, 2) ndarray of float64

    Raises
    ------
    NotInvertible
        For some q no p was found.

    Examples
    --------
    >>> from napari_histreg.transforms import Translation
    >>> solve_inverse(Translation.of((1, 2)), np.array([[1.0, 2]]), np.array([[9.0, 9]]), 1e-9).tolist()
    [[0.0, 0.0]]
    """
    found = np.full(points.shape, np.nan)
    active = np.flatnonzero(np.isfinite(points).all(1))
    guess, damping = start[active].copy(), np.ones(len(active))
    miss = forward(guess) - points[active]
    for _ in range(ITERATIONS):
        # No closer than rounding of the numbers involved allows.
        reach = np.maximum(tolerance, 8 * np.spacing(np.abs(points[active]).max(1, initial=0)))
        done = np.linalg.norm(miss, axis=1) <= reach
        found[active[done]] = guess[done]
        active, guess, damping, miss = active[~done], guess[~done], damping[~done], miss[~done]
        if not len(active):
            return found
        tried = guess - damping[:, None] * _newton_step(forward.jacobian(guess), miss)
        tried_miss = forward(tried) - points[active]
        better = np.linalg.norm(tried_miss, axis=1) < np.linalg.norm(miss, axis=1)
        guess = np.where(better[:, None], tried, guess)
        miss = np.where(better[:, None], tried_miss, miss)
        damping = np.where(better, np.minimum(1.0, 2 * damping), damping / 4)
    raise NotInvertible(
        f"For {len(active)} of {len(points)} points the {forward.kind} transform maps nothing there "
        f"(first: {np.round(points[active[0]], 3).tolist()}): it folds over. Use a stiffer transform."
    )


def _newton_step(local: FloatArray, miss: FloatArray) -> FloatArray:
    determinant = local[:, 0, 0] * local[:, 1, 1] - local[:, 0, 1] * local[:, 1, 0]
    size = (local**2).sum((1, 2))
    safe = np.where(np.abs(determinant) > 1e-9 * size, determinant, 1e-9 * size + np.finfo(float).tiny)
    y = local[:, 1, 1] * miss[:, 0] - local[:, 0, 1] * miss[:, 1]
    x = local[:, 0, 0] * miss[:, 1] - local[:, 1, 0] * miss[:, 0]
    return np.asarray(np.stack([y, x], 1) / safe[:, None])
