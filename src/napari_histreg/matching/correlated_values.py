"""Values that resemble one another the more the closer they lie: their correlation, and leaving some out."""

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["group_table", "inverted", "leave_out", "matern"]


def matern(a: FloatArray, b: FloatArray, length: float) -> FloatArray:
    """Return the correlation of displacements at (N, 2) and (M, 2) points, (N, M): twice differentiable."""
    square = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T
    r = np.sqrt(np.maximum(square, 0.0)) * (np.sqrt(5.0) / length)
    return np.asarray((1 + r + r * r / 3) * np.exp(-r))


def inverted(kernel: FloatArray, ratios: FloatArray) -> FloatArray:
    """Invert a correlation to which each value adds a variance of its own, (N, N)."""
    from scipy.linalg import cho_factor, cho_solve

    factor = cho_factor(kernel + np.diag(ratios), lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, np.eye(len(ratios)), overwrite_b=True, check_finite=False))


def group_table(groups: NDArray[np.intp] | None, count: int) -> NDArray[np.intp]:
    """List the members of each group, (G, size of the largest); -1 pads."""
    if groups is None:
        return np.arange(count)[:, None]
    order = np.argsort(groups, kind="stable")
    _, first, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    place = np.arange(sizes.max(initial=1))
    members = np.where(place < sizes[:, None], first[:, None] + place, 0)
    return np.asarray(np.where(place < sizes[:, None], order[members], -1))


def leave_out(
    inverse: FloatArray, pull: FloatArray, table: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    """Return what each value is off from what those outside its group say, and its variance there."""
    index, real = np.maximum(table, 0), table >= 0
    both = real[:, :, None] & real[:, None, :]
    among = np.where(both, inverse[index[:, :, None], index[:, None, :]], np.eye(table.shape[1]))
    covariance = np.linalg.inv(among)
    missed = covariance @ np.where(real[..., None], pull[index], 0.0)
    residuals, variances = np.empty_like(pull), np.empty(len(pull))
    residuals[index[real]] = missed[real]
    variances[index[real]] = np.einsum("gii->gi", covariance)[real]
    return residuals, np.maximum(variances, 1e-18)
