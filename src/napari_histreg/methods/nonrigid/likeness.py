"""How alike two planes are, and how that changes with each pixel of the moving one."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np

from napari_histreg.matching.block_correlation import Plane

__all__ = [
    "LIKENESS",
    "Likeness",
    "descriptor",
    "edge_product",
    "local_correlation",
    "mutual_information",
    "squared_difference",
]

Likeness = Callable[[Plane, Plane, Plane, float], tuple[float, Plane]]
"""From fixed, moving, weight and window (px) to the loss, and its derivative by each moving pixel."""

BINS = 32
RANGE = 3.0  # standard deviations of a plane that the bins span
LEAST_VARIANCE = 1e-2  # of planes whose standard deviation is about 1


def squared_difference(fixed: Plane, moving: Plane, weight: Plane, window_px: float) -> tuple[float, Plane]:
    """Return the weighted mean squared difference and its derivative; the window plays no part.

    Examples
    --------
    >>> ones = np.ones((4, 4), np.float32)
    >>> squared_difference(ones, 3 * ones, ones, 1.0)[0]
    4.0
    """
    total = max(float(weight.sum()), 1e-9)
    off = moving - fixed
    return float((weight * off * off).sum()) / total, np.asarray(2 * weight * off / total, np.float32)


def edge_product(fixed: Plane, moving: Plane, weight: Plane, window_px: float) -> tuple[float, Plane]:
    """Return the negative sum of products, and its derivative; of planes of length 1 it is their correlation.

    Both planes of `orientation_planes` together give the correlation of the squared gradient fields, in which
    an edge counts the same from bright to dark and from dark to bright. Weight and window play no part: where
    there is no edge nothing pulls.

    Examples
    --------
    >>> plane = np.full((4, 4), 0.25, np.float32)
    >>> edge_product(plane, plane, plane, 1.0)[0]
    -1.0
    """
    return -float((fixed * moving).sum()), -fixed


def local_correlation(fixed: Plane, moving: Plane, weight: Plane, window_px: float) -> tuple[float, Plane]:
    """Return the negative mean squared correlation within Gaussian windows, and its derivative.

    References
    ----------
    .. [1] B. B. Avants et al., Symmetric diffeomorphic image registration with cross-correlation, Medical
       Image Analysis 12(1), 2008. doi:10.1016/j.media.2007.06.004

    Examples
    --------
    >>> plane = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    >>> -0.9 > local_correlation(plane, -2 * plane, np.ones_like(plane), 3.0)[0] >= -1.0
    True
    """
    sigma = max(window_px, 1.0)

    def local(plane: Plane) -> Plane:
        # Zero beyond the border makes the window its own transpose, so that the derivative is exact.
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT))

    total = max(float(weight.sum()), 1e-9)
    mean_f, mean_m = local(fixed), local(moving)
    cross = local(fixed * moving) - mean_f * mean_m
    spread_f = np.maximum(local(fixed * fixed) - mean_f * mean_f, 0) + np.float32(LEAST_VARIANCE)
    spread_m = np.maximum(local(moving * moving) - mean_m * mean_m, 0) + np.float32(LEAST_VARIANCE)
    squared = cross * cross / (spread_f * spread_m)
    by_cross = weight * 2 * cross / (spread_f * spread_m)
    by_spread = weight * squared / spread_m
    slope = fixed * local(by_cross) - local(by_cross * mean_f)
    slope -= 2 * (moving * local(by_spread) - local(by_spread * mean_m))
    return -float((weight * squared).sum()) / total, np.asarray(-slope / np.float32(total), np.float32)


def mutual_information(fixed: Plane, moving: Plane, weight: Plane, window_px: float) -> tuple[float, Plane]:
    """Return the negative mutual information in nats, and its derivative; the window plays no part.

    The joint histogram has linear bins on both axes [1]_.

    References
    ----------
    .. [1] F. Maes et al., Multimodality image registration by maximization of mutual information, IEEE TMI
       16(2), 1997. doi:10.1109/42.563664

    Examples
    --------
    >>> plane = np.random.default_rng(0).normal(size=(60, 60)).astype(np.float32)
    >>> ones, other = np.ones_like(plane), plane[::-1].copy()
    >>> mutual_information(plane, -plane, ones, 1.0)[0] < mutual_information(plane, other, ones, 1.0)[0] - 1
    True
    """
    total = max(float(weight.sum()), 1e-9)
    (row, up, _), (column, right, inside) = _binned(fixed), _binned(moving)
    joint = np.zeros((BINS, BINS))
    for i, share_i in ((0, 1 - up), (1, up)):
        for j, share_j in ((0, 1 - right), (1, right)):
            index = (row + i) * BINS + column + j
            joint += np.bincount(index.ravel(), (weight * share_i * share_j).ravel(), BINS * BINS).reshape(
                BINS, BINS
            )
    joint = joint / total
    of_f, of_m = joint.sum(1, keepdims=True), joint.sum(0, keepdims=True)
    ratio = np.log(np.maximum(joint, 1e-12) / np.maximum(of_f * of_m, 1e-12))
    value = float((joint * ratio).sum())
    # The derivative of the sum is the logarithm of the ratio, less one that the marginals take back.
    along = np.diff(ratio, axis=1) * (BINS - 1) / (2 * RANGE)
    table = along[:, np.minimum(np.arange(BINS), BINS - 2)]
    slope = (1 - up) * table[row, column] + up * table[row + 1, column]
    return -value, np.asarray(-(weight * inside * slope) / total, np.float32)


def _binned(plane: Plane) -> tuple[np.ndarray, Plane, Plane]:
    """Return the lower bin of each pixel, how far it lies towards the next, and whether it is within all."""
    place = (plane + RANGE) * np.float32((BINS - 1) / (2 * RANGE))
    inside = ((place > 0) & (place < BINS - 1)).astype(np.float32)
    place = np.clip(place, 0, BINS - 1)
    lower = np.minimum(np.floor(place).astype(np.intp), BINS - 2)
    return lower, np.asarray(place - lower, np.float32), inside


def descriptor(plane: Plane, window_px: float) -> list[Plane]:
    """Return MIND-SSC: how unlike neighbouring patches round each pixel are, four planes from 0 to 1.

    What differs between stains, brightness and contrast, does not change it [1]_. In the plane there are
    four neighbours, and four pairs of them that do not lie opposite.

    Parameters
    ----------
    plane : (Y, X) ndarray of float32
        A signal.
    window_px : float
        Standard deviation of a patch in pixels.

    References
    ----------
    .. [1] M. P. Heinrich et al., Towards realtime multimodal fusion for image-guided interventions using
       self-similarities, MICCAI 2013. doi:10.1007/978-3-642-40811-3_24

    Examples
    --------
    >>> plane = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    >>> bool(np.allclose(descriptor(plane, 1.5), descriptor(-3 * plane, 1.5), atol=1e-3))
    True
    """
    reach = max(1, round(window_px))
    wide = cv2.copyMakeBorder(plane, *(reach,) * 4, cv2.BORDER_REPLICATE)
    h, w = plane.shape
    around = [
        wide[reach + dy : reach + dy + h, reach + dx : reach + dx + w]
        for dy, dx in ((-reach, 0), (0, reach), (reach, 0), (0, -reach))
    ]
    unlike = np.stack(
        [cv2.GaussianBlur((around[k] - around[k - 1]) ** 2, (0, 0), max(window_px, 1.0)) for k in range(4)]
    )
    unlike -= unlike.min(0)
    typical = unlike.mean(0)
    middle = float(np.median(typical))
    scale = np.clip(typical, 1e-3 * middle + 1e-12, 1e3 * middle + 1e-12)
    return list(np.exp(-unlike / scale).astype(np.float32))


LIKENESS: Mapping[str, Likeness] = MappingProxyType(
    {
        "edges": edge_product,
        "lncc": local_correlation,
        "mind": squared_difference,
        "mi": mutual_information,
        "mse": squared_difference,
    }
)
"""What each similarity compares planes by; "mind" compares the planes of `descriptor`."""
