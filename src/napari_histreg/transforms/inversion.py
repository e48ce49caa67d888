"""Solving a map for the point that it maps to a given one."""

from collections.abc import Callable

import numpy as np

from napari_histreg.errors import NotInvertible
from napari_histreg.geometry import FloatArray

__all__ = ["solve_inverse"]

ITERATIONS = 80

Evaluate = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""Maps (N, 2) points to their images, (N, 2), and the local matrices there, (N, 2, 2)."""


def solve_inverse(
    evaluate: Evaluate, points: FloatArray, start: FloatArray, tolerance: float, what: str
) -> FloatArray:
    """Solve ``f(p) = q`` by damped Newton steps.

    Parameters
    ----------
    evaluate : callable
        Returns ``f(p)``, (N, 2), and its local matrices, (N, 2, 2), at (N, 2) points.
    points : (N, 2) ndarray of float64
        The q, (y, x) in world units; NaN stays NaN.
    start : (N, 2) ndarray of float64
        First guesses of p.
    tolerance : float
        How near ``f(p)`` must come to q, in world units of q.
    what : str
        What f is, for the sentence of the error.

    Returns
    -------
    (N, 2) ndarray of float64

    Raises
    ------
    NotInvertible
        For some q no p was found.

    Examples
    --------
    >>> def doubled(points):
    ...     return 2 * points, np.tile(2 * np.eye(2), (len(points), 1, 1))
    >>> solve_inverse(doubled, np.array([[2.0, 4]]), np.array([[9.0, 9]]), 1e-9, "doubling").tolist()
    [[1.0, 2.0]]
    """
    found = np.full(points.shape, np.nan)
    active = np.flatnonzero(np.isfinite(points).all(1))
    target, guess = points[active], start[active]
    value, local = evaluate(guess)
    miss = np.linalg.norm(value - target, axis=1)
    damping = np.ones(len(active))
    for _ in range(ITERATIONS):
        # No closer than rounding of the numbers involved allows.
        done = miss <= np.maximum(tolerance, 8 * np.spacing(np.abs(target).max(axis=1, initial=0)))
        found[active[done]] = guess[done]
        rest = ~done
        if not rest.any():
            return found
        active, target, guess, value = active[rest], target[rest], guess[rest], value[rest]
        local, miss, damping = local[rest], miss[rest], damping[rest]
        tried = guess + damping[:, None] * _newton_step(local, target - value)
        tried_value, tried_local = evaluate(tried)
        tried_miss = np.linalg.norm(tried_value - target, axis=1)
        better = tried_miss < miss
        guess, value = (
            np.where(better[:, None], new, old) for new, old in ((tried, guess), (tried_value, value))
        )
        local = np.where(better[:, None, None], tried_local, local)
        miss = np.where(better, tried_miss, miss)
        damping = np.where(better, np.minimum(1.0, 2 * damping), damping / 2)
    raise NotInvertible(
        f"For {len(active)} of {len(points)} points {what} maps nothing there "
        f"(first: {np.round(target[0], 3).tolist()}): it folds over. Make it stiffer."
    )


def _newton_step(local: FloatArray, miss: FloatArray) -> FloatArray:
    """Solve (N, 2, 2) systems; a singular one takes a step that is long but finite."""
    determinant = local[:, 0, 0] * local[:, 1, 1] - local[:, 0, 1] * local[:, 1, 0]
    size = (local**2).sum((1, 2))
    safe = np.where(np.abs(determinant) > 1e-9 * size, determinant, 1e-9 * size + np.finfo(float).tiny)
    y = local[:, 1, 1] * miss[:, 0] - local[:, 0, 1] * miss[:, 1]
    x = local[:, 0, 0] * miss[:, 1] - local[:, 1, 0] * miss[:, 0]
    return np.asarray(np.stack([y, x], 1) / safe[:, None])
