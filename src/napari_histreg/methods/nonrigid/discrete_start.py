"""A rough displacement from all shifts at once: where an optimisation by gradients can begin."""

import cv2
import numpy as np

from napari_histreg.matching.block_correlation import Plane
from napari_histreg.methods.nonrigid.dense import DenseField

__all__ = ["discrete_start"]

SIDE = 128  # pixels of the longest side that is worked at
CELL = 4  # pixels between places that choose a shift
COUPLINGS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""How strongly a choice is drawn to the smoothed field, from hardly to wholly."""

SMOOTHING = 1.5  # cells


def discrete_start(fixed: list[Plane], moving: list[Plane], weight: Plane, reach_px: float) -> DenseField:
    """Choose for each place the best of all shifts that also suits its neighbours.

    The cost of each shift is the squared difference of the planes. Choosing and smoothing take turns,
    coupled ever more strongly [1]_, as ConvexAdam begins [2]_.

    Parameters
    ----------
    fixed, moving : list of (Y, X) ndarray of float32
        Planes that belong together in pairs.
    weight : (Y, X) ndarray of float32
        How much each pixel counts, 0 to 1.
    reach_px : float
        Largest shift along y and x, in pixels.

    Returns
    -------
    (Y, X, 2) ndarray of float32
        Displacement (y, x) in pixels.

    References
    ----------
    .. [1] M. P. Heinrich, B. W. Papiez, J. A. Schnabel and H. Handels, Non-parametric discrete registration
       with convex optimisation, WBIR 2014. doi:10.1007/978-3-319-08554-8_6
    .. [2] H. Siebert et al., ConvexAdam: self-configuring dual-optimisation-based 3D multitask medical image
       registration, IEEE TMI 44(2), 2025. doi:10.1109/TMI.2024.3462248

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(96, 96)).astype(np.float32)
    >>> plane = cv2.GaussianBlur(noise, (0, 0), 2.0)
    >>> field = discrete_start([plane], [np.roll(plane, 3, axis=1)], np.ones_like(plane), 5.0)
    >>> np.median(field, axis=(0, 1)).round().tolist()
    [0.0, 3.0]
    """
    h, w = weight.shape
    factor = max(1.0, max(h, w) / SIDE)
    size = (max(16, round(w / factor)), max(16, round(h / factor)))
    reach = max(1, int(np.ceil(reach_px / factor)))
    small = [
        [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in planes] for planes in (fixed, moving)
    ]
    seen = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    cells = (max(4, round(size[0] / CELL)), max(4, round(size[1] / CELL)))
    shifts = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    cost = np.stack([_cost(small[0], small[1], seen, shift, reach, cells) for shift in shifts])
    share = np.clip(cv2.resize(seen, cells, interpolation=cv2.INTER_AREA), 1e-3, 1)
    cost /= max(float(np.median(cost.mean(0))), 1e-9)
    field = _smoothed(shifts[cost.argmin(0)].astype(np.float32), share)
    for coupling in COUPLINGS:
        apart = ((shifts[:, None, None] - field[None]) ** 2).sum(-1)
        field = _smoothed(shifts[(cost + coupling * apart).argmin(0)].astype(np.float32), share)
    ratio = np.array([h / size[1], w / size[0]], np.float32)
    return np.asarray(cv2.resize(field, (w, h), interpolation=cv2.INTER_CUBIC) * ratio)


def _cost(
    fixed: list[Plane],
    moving: list[Plane],
    weight: Plane,
    shift: "np.ndarray",
    reach: int,
    cells: tuple[int, int],
) -> Plane:
    """Return what a shift costs at each cell."""
    h, w = weight.shape
    top, left = reach + shift
    total = np.zeros_like(weight)
    for a, b in zip(fixed, moving, strict=True):
        there = cv2.copyMakeBorder(b, *(reach,) * 4, cv2.BORDER_REPLICATE)[top : top + h, left : left + w]
        total += (a - there) ** 2
    blurred = cv2.GaussianBlur(total * weight, (0, 0), CELL / 2)
    return np.asarray(cv2.resize(blurred, cells, interpolation=cv2.INTER_AREA))


def _smoothed(field: DenseField, share: Plane) -> DenseField:
    """Average over neighbours, those counting more that see more."""
    total = cv2.GaussianBlur(field * share[..., None], (0, 0), SMOOTHING, borderType=cv2.BORDER_REFLECT)
    return np.asarray(
        total / cv2.GaussianBlur(share, (0, 0), SMOOTHING, borderType=cv2.BORDER_REFLECT)[..., None]
    )
