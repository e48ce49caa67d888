"""How far two masks, or two label images, cover the same places."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["dice", "iou", "label_overlap"]


def dice(first: ArrayLike, second: ArrayLike) -> float:
    """Return twice the common area over the sum of the areas (Dice [1]_).

    Parameters
    ----------
    first, second : (Y, X) array_like of bool
        On one frame.

    Returns
    -------
    float
        0 to 1; NaN where both are empty.

    References
    ----------
    .. [1] L. R. Dice, Ecology 26(3), 297-302, 1945. doi:10.2307/1932409

    Examples
    --------
    >>> round(dice([[1, 1, 0]], [[0, 1, 0]]), 3)
    0.667
    """
    a, b = _masks(first, second)
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else float("nan")


def iou(first: ArrayLike, second: ArrayLike) -> float:
    """Return the common area over the united area (Jaccard [1]_).

    Parameters
    ----------
    first, second : (Y, X) array_like of bool
        On one frame.

    Returns
    -------
    float
        0 to 1; NaN where both are empty.

    References
    ----------
    .. [1] P. Jaccard, New Phytologist 11(2), 37-50, 1912. doi:10.1111/j.1469-8137.1912.tb05611.x

    Examples
    --------
    >>> iou([[1, 1, 0]], [[0, 1, 0]])
    0.5
    """
    a, b = _masks(first, second)
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else float("nan")


def label_overlap(first: ArrayLike, second: ArrayLike) -> Mapping[int, float]:
    """Return the Dice overlap of each label that occurs in either image; 0 is background.

    Parameters
    ----------
    first, second : (Y, X) array_like of int
        On one frame.

    Returns
    -------
    mapping of int to float
        Label to Dice, in rising order of labels.

    Examples
    --------
    >>> label_overlap([[1, 1, 2]], [[1, 2, 2]])
    {1: 0.6666666666666666, 2: 0.6666666666666666}
    """
    a, b = np.asarray(first), np.asarray(second)
    if a.shape != b.shape:
        raise ValueError(f"The label images are {a.shape} and {b.shape}; lay them on one frame first.")
    # One pass over the pixels, however many labels there are.
    labels, index = np.unique(np.concatenate([a.ravel(), b.ravel()]), return_inverse=True)
    left, right = index[: a.size], index[a.size :]
    common = np.bincount(left[left == right], minlength=len(labels))
    total = np.bincount(left, minlength=len(labels)) + np.bincount(right, minlength=len(labels))
    return {int(label): float(2 * common[k] / total[k]) for k, label in enumerate(labels) if label != 0}


def _masks(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    a, b = np.asarray(first, bool), np.asarray(second, bool)
    if a.shape != b.shape:
        raise ValueError(f"The masks are {a.shape} and {b.shape}; lay them on one frame first.")
    return a, b
