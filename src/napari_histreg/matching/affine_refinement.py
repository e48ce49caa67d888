"""Refine a pose by blocks: local shifts, a robust affine fit through them, coarse to fine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.block_correlation import Plane, Shifts, correlate_blocks
from napari_histreg.matching.orientation import orientation_field
from napari_histreg.matching.picture import Picture, corners, overlap_frame

__all__ = [
    "COARSE",
    "FINE",
    "MOST_CHANGE",
    "RefineLevel",
    "fit_affine",
    "is_plausible",
    "orientation_planes",
    "refine_affine",
]

Describe = Callable[[Picture, Picture], tuple[Sequence[Plane], Sequence[Plane]]]


@dataclass(frozen=True)
class RefineLevel:
    """One level of the refinement.

    Parameters
    ----------
    side : int
        Longest side of the overlap in pixels.
    block : int
        Side of a block in pixels.
    reach : int
        Largest shift looked at, in pixels.
    rounds : int
        How often shifts are measured and fitted.
    """

    side: int
    block: int
    reach: int
    rounds: int = 3


CHANCE_Z = 4.0
"""Height that the best of all shifts of an unrelated block reaches."""

MOST_CHANGE = 1.25  # an update enlarges or reduces by no more
BEND = 1.5
"""Width of the robust fit, at least, in units of the median residual of clear blocks."""

COARSE = (RefineLevel(160, 48, 10, 3),)
FINE = (RefineLevel(224, 56, 6, 2), RefineLevel(384, 64, 5, 2))


def orientation_planes(fixed: Picture, moving: Picture) -> tuple[Sequence[Plane], Sequence[Plane]]:
    """Describe two pictures on one frame by their orientation fields, as real and imaginary planes."""
    f, m = orientation_field(fixed), orientation_field(moving)
    both = (fixed.mask & moving.mask).astype(np.float32)
    f, m = f * both, m * both
    return [f.real.copy(), f.imag.copy()], [m.real.copy(), m.imag.copy()]


def refine_affine(
    fixed: Picture,
    moving: Picture,
    fixed_to_moving: FloatArray,
    levels: Sequence[RefineLevel] = COARSE,
    *,
    describe: Describe = orientation_planes,
) -> FloatArray:
    """Refine an affine matrix by block matching, coarse to fine.

    Parameters
    ----------
    fixed, moving : Picture
        The two pictures.
    fixed_to_moving : (3, 3) ndarray
        Start, affine in world units, (y, x, 1).
    levels : sequence of RefineLevel
        From coarse to fine.
    describe : callable
        Turns the two pictures, once on one frame, into planes that are correlated in pairs.

    Returns
    -------
    (3, 3) ndarray
        The refined matrix; the start itself where the blocks do not determine a plausible update.
    """
    matrix = np.array(fixed_to_moving, float)
    for level in levels:
        for k in range(level.rounds):
            frame = overlap_frame(fixed, moving, matrix, level.side)
            if frame is None or min(frame.shape) < 16:
                return matrix
            planes = describe(fixed.sampled(frame, np.eye(3)), moving.sampled(frame, matrix))
            maps = correlate_blocks(
                *planes, block=level.block, reach=level.reach if k == 0 else max(3, level.reach // 2)
            )
            shifts = maps.pooled(0.5).shifts()
            update = fit_affine(shifts, width=float(level.reach), ends=1.0)
            step = matrix @ frame.matrix @ update @ np.linalg.inv(frame.matrix)
            if not is_plausible(update, scale=MOST_CHANGE) or not is_plausible(step):
                break
            matrix = step
            extent = np.array([[0, 0], [0, frame.shape[1]], [frame.shape[0], 0], frame.shape], float)
            if np.linalg.norm(corners(extent, update) - extent, axis=1).max() < 0.02:
                break
    return matrix


def fit_affine(shifts: Shifts, *, width: float, ends: float = 1.0, ridge: float = 0.05) -> FloatArray:
    """Fit an affine update through block shifts, robustly.

    Reweighted least squares with Geman and McClure's function [1]_, whose width shrinks while the fit
    goes on. Each block pulls only as far as its peak is sharp, so an edge pulls across and not along.

    Parameters
    ----------
    shifts : Shifts
        Measured shifts in pixels.
    width : float
        First width in pixels: the largest shift expected.
    ends : float
        Last width in pixels.
    ridge : float
        How strongly the affine part is held to none where few blocks speak, as a share of all weights.

    Returns
    -------
    (3, 3) ndarray
        Maps pixels of the frame to where their blocks are found, (y, x, 1).

    References
    ----------
    .. [1] S. Geman and D. E. McClure, Statistical methods for tomographic image reconstruction,
       Bulletin of the International Statistical Institute 52, 1987.
    """
    out = np.eye(3)
    if not len(shifts.z):
        return out
    middle = shifts.centres.mean(0)
    size = max(float(np.ptp(shifts.centres, axis=0).max()) / 2, 1.0)
    basis = np.c_[np.ones(len(shifts.z)), (shifts.centres - middle) / size]
    # d = (a0 + a1 u + a2 v, b0 + b1 u + b2 v): design (N, 2, 6)
    design = np.zeros((len(basis), 2, 6))
    design[:, 0, :3] = basis
    design[:, 1, 3:] = basis
    # Each block speaks as loud as its peak is high, wherever the tissue has more or fewer edges.
    sharpness = np.maximum(np.trace(shifts.information, axis1=1, axis2=2), 1e-6)
    information = shifts.information * (np.maximum(shifts.z, 0) / sharpness)[:, None, None]
    x = np.zeros(6)
    clear = np.maximum(shifts.z - CHANCE_Z, 0.0)
    for now in np.geomspace(max(width, ends), ends, 8):
        for _ in range(2):
            residual = shifts.offsets - design @ x
            # Where tissue bends, clear blocks scatter: then the middle of all is wanted, not of a few.
            scatter = BEND * _weighted_median(np.linalg.norm(residual, axis=1), clear)
            weight = 1.0 / (1.0 + (residual**2).sum(1) / max(now, min(scatter, width / 2)) ** 2) ** 2
            w = information * weight[:, None, None]
            normal = np.einsum("nik,nij,njl->kl", design, w, design)
            right = np.einsum("nik,nij,nj->k", design, w, shifts.offsets)
            hold = ridge * np.trace(normal) / 6 * np.diag([1e-6, 1, 1, 1e-6, 1, 1])
            x = np.linalg.solve(normal + hold + 1e-12 * np.eye(6), right)
    linear = x.reshape(2, 3)[:, 1:] / size
    out[:2, :2] += linear
    out[:2, 2] = x[[0, 3]] - linear @ middle
    return out


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    """Return the value that halves the weights; 0 where all weights are 0."""
    total = float(weights.sum())
    if total <= 0:
        return 0.0
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), total / 2)])


def is_plausible(matrix: FloatArray, *, scale: float | None = None, anisotropy: float = 1.35) -> bool:
    """Tell whether an update or a whole pose can be a specimen's.

    Parameters
    ----------
    matrix : (3, 3) ndarray
        Affine matrix.
    scale : float, optional
        It may not enlarge or reduce by more; any scale will do where none is given, as for whole poses
        of slides whose pixel sizes are unknown.
    anisotropy : float
        One direction may not be enlarged more than another by more than this ratio.

    Examples
    --------
    >>> is_plausible(np.diag([100.0, 100.0, 1.0])), is_plausible(np.diag([100.0, 100.0, 1.0]), scale=1.25)
    (True, False)
    """
    if not np.isfinite(matrix).all():
        return False
    values = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    if not (values[1] > 1e-9 and values[0] / values[1] <= anisotropy):
        return False
    return scale is None or bool(1 / scale <= np.sqrt(values[0] * values[1]) <= scale)
