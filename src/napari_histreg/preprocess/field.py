"""Where a picture is picture: borders that a scanner, a crop or a rotation filled in are told apart."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["valid_field"]

CHECK_PX = 512
"""Side of the reduced picture on which the shape of what remains is judged."""

CONVEX = 0.975
"""Least share of its convex hull that a rotated, padded or round field fills on the pixel grid;
tissue outlines on flat glass stay below."""

CONTACT = 0.04
"""Least length of a filled area along the border, as a share of the longer side; less is chance."""

SMALLEST = 0.2
"""Least share of the frame that a picture inside borders takes; less is an object on a background."""


def valid_field(planes: ArrayLike) -> NDArray[np.bool_]:
    """Find the pixels that belong to the picture.

    Constant areas that touch the border (the corners of a rotated picture, padding) are left out,
    but only where what remains is convex: flat white glass or a black background around tissue is
    part of the picture. NaN and infinite pixels are left out always.

    Parameters
    ----------
    planes : (C, Y, X) array_like
        All channels of the picture.

    Returns
    -------
    (Y, X) ndarray of bool
        True where the picture is.

    Examples
    --------
    >>> picture = np.random.default_rng(0).uniform(1, 9, (1, 60, 80))
    >>> picture[:, :, :20] = 0
    >>> field = valid_field(picture)
    >>> bool(field[:, :20].any()), bool(field[:, 21:].all())
    (False, True)
    """
    array = np.asarray(planes, np.float32)
    if array.ndim != 3:
        raise ValueError(f"Expected channels first, (C, Y, X), not an array of shape {array.shape}.")
    finite = np.asarray(np.isfinite(array).all(axis=0), bool)
    if not finite.any():
        return finite
    clean = np.where(finite, array, 0)
    from scipy.ndimage import binary_dilation

    field = finite
    for fill in _border_fills(clean, finite):
        rest = field & ~fill
        if rest.mean() >= SMALLEST and _has_content(clean, rest) and _is_convex(rest):
            # Pixels next to a border are mixtures of picture and border.
            field = np.asarray(field & ~binary_dilation(fill, iterations=1), bool)
    return field


def _border_fills(planes: NDArray[np.float32], finite: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """Yield, for each value that is frequent along the border, the constant areas that touch it."""
    import cv2

    low, high = np.percentile(planes[:, finite], [0.5, 99.5])
    tolerance = max(float(high - low), 1e-6) * 2e-3
    edge = np.concatenate([planes[:, 0], planes[:, -1], planes[:, :, 0], planes[:, :, -1]], axis=1)
    for value in _frequent(edge, tolerance):
        same = (np.abs(planes - value[:, None, None]) <= tolerance).all(0) & finite
        _, labels = cv2.connectedComponents(_opened(same), connectivity=8)
        border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        contact = np.bincount(border[border > 0], minlength=1)
        fill = np.isin(labels, np.flatnonzero(contact >= CONTACT * max(finite.shape)))
        if fill.any():
            yield fill


def _opened(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Drop what is thinner than 5 px, as chance paths through noise are; keep strips at the edge."""
    import cv2

    wide = cv2.copyMakeBorder(mask.astype(np.uint8), 8, 8, 8, 8, cv2.BORDER_REPLICATE)
    kernel = np.ones((5, 5), np.uint8)
    opened = cv2.dilate(cv2.erode(wide, kernel), kernel)
    # Sharp tips that the opening cut are taken back where they continue what was kept.
    opened = cv2.dilate(opened, np.ones((3, 3), np.uint8)) & wide
    return np.asarray(opened[8:-8, 8:-8], np.uint8)


def _frequent(edge: NDArray[np.float32], tolerance: float) -> list[NDArray[np.float32]]:
    """Return the values that at least 2 % of the edge pixels share, most frequent first, at most three."""
    steps = np.round(np.clip(edge / max(tolerance, 1e-12), -1e18, 1e18)).astype(np.int64)
    values, counts = np.unique(steps, axis=1, return_counts=True)
    order = np.argsort(counts)[::-1][:3]
    return [(values[:, k] * tolerance).astype(np.float32) for k in order if counts[k] >= 0.02 * edge.shape[1]]


def _has_content(planes: NDArray[np.float32], rest: NDArray[np.bool_]) -> bool:
    """Tell whether there is more in a mask, off its rim, than one flat value, as a shape on paper has."""
    import cv2

    inner = cv2.erode(rest.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=1) > 0
    if not inner.any():
        return False
    values = planes[:, inner]
    return bool((values.max(axis=1) > values.min(axis=1)).any())


def _is_convex(rest: NDArray[np.bool_]) -> bool:
    """Tell whether the main part of a mask, holes filled, fills its convex hull."""
    import cv2

    step = max(1, int(np.ceil(max(rest.shape) / CHECK_PX)))
    small = np.ascontiguousarray(rest[::step, ::step], np.uint8)
    contours, _ = cv2.findContours(small, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return False
    main = max(contours, key=len)
    body = cv2.drawContours(np.zeros_like(small), [main], -1, 1, cv2.FILLED)
    hull = cv2.drawContours(np.zeros_like(small), [cv2.convexHull(main)], -1, 1, cv2.FILLED)
    stray = int(np.count_nonzero(small & ~body))
    return bool(body.sum() >= CONVEX * hull.sum() and stray <= 0.01 * body.sum())
