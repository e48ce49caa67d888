"""One level of the climb to the greatest correlation; the only place that speaks to OpenCV's ECC."""

import math
from typing import Any, Literal

import numpy as np

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import SWAP, FloatArray
from napari_histreg.methods.starts import Prealigned
from napari_histreg.progress import Progress

__all__ = ["Motion", "climb"]

Motion = Literal["translation", "euclidean", "affine", "homography"]

WORK_PER_CALL = 1.5e7
"""Pixels times iterations handed to OpenCV at once: well under a second, so that a cancel is heard."""


def climb(
    pair: Prealigned,
    matrix: FloatArray,
    motion: Motion,
    *,
    iterations: int,
    epsilon: float,
    gaussian_px: int,
    progress: Progress,
) -> tuple[float, FloatArray]:
    """Raise the correlation of two pictures on one level.

    Parameters
    ----------
    pair : Prealigned
        The two pictures on pixels of one size.
    matrix : (3, 3) ndarray
        Where to begin: a map of the fixed frame, (y, x, 1), in world units.
    motion : str
        What may change.
    iterations, epsilon, gaussian_px
        As in `ECC`.
    progress : Progress
        Told between short runs.

    Returns
    -------
    correlation : float
        -1 to 1.
    matrix : (3, 3) ndarray
        As `matrix`.

    Raises
    ------
    NotConverged
        OpenCV found no way up: too little overlap or structure.
    """
    import cv2

    kind = {
        "translation": cv2.MOTION_TRANSLATION,
        "euclidean": cv2.MOTION_EUCLIDEAN,
        "affine": cv2.MOTION_AFFINE,
        "homography": cv2.MOTION_HOMOGRAPHY,
    }[motion]
    planes = [np.ascontiguousarray(p.channels[0]) for p in (pair.fixed, pair.moving)]
    masks = [p.mask.astype(np.uint8) * 255 for p in (pair.fixed, pair.moving)]
    warp = _to_warp(pair.to_pixels(matrix), motion)
    run = max(1, min(iterations, int(WORK_PER_CALL / planes[0].size)))
    done, before = 0, -math.inf
    while done < iterations:
        progress(done / iterations, f"correlating at {planes[0].shape[1]} x {planes[0].shape[0]} px")
        count = min(run, iterations - done)
        stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, count, epsilon)
        try:
            rho, warp = _run(planes, masks, warp, kind, stop, gaussian_px)
        except cv2.error as error:
            raise NotConverged(
                "The correlation could not be raised: the images overlap too little or share no structure "
                "near the start. Give a start (initial) closer to the truth, or use a method that searches "
                "all poses."
            ) from error
        if not (math.isfinite(rho) and np.isfinite(warp).all()):
            raise NotConverged("The correlation of the two images is undefined near the start.")
        done += count
        if rho - before < epsilon * count:
            break
        before = rho
    matrix_px = _from_warp(warp, motion)
    correlation = _correlation(planes, masks, matrix_px)
    progress(1.0, f"correlation {correlation:.3f}")
    return correlation, pair.to_world(matrix_px)


def _run(
    planes: list[Any], masks: list[Any], warp: Any, kind: int, stop: tuple[int, int, float], gaussian_px: int
) -> tuple[float, Any]:
    """Call OpenCV's iterations with both masks."""
    import cv2

    masked = getattr(cv2, "findTransformECCWithMask", None)
    if masked is not None:
        rho, warp = masked(planes[0], planes[1], masks[0], masks[1], warp, kind, stop, gaussian_px)
        return float(rho), warp
    # Before 4.13 there is a mask of the moving picture only: the fixed one is carried over to it.
    both = np.eye(3)
    both[: len(warp)] = warp
    seen = cv2.warpPerspective(masks[0], both, masks[1].shape[::-1], flags=cv2.INTER_NEAREST)
    joint = np.minimum(masks[1], seen)
    rho, warp = cv2.findTransformECC(planes[0], planes[1], warp, kind, stop, joint, gaussian_px)
    return float(rho), warp


def _correlation(planes: list[Any], masks: list[Any], matrix_px: FloatArray) -> float:
    """Give the correlation where both pictures are valid; OpenCV's own figure counts masked borders in."""
    import cv2

    size = planes[0].shape[::-1]
    how = {"M": SWAP @ matrix_px @ SWAP, "dsize": size}
    seen = cv2.warpPerspective(planes[1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, **how)
    valid = cv2.warpPerspective(masks[1], flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, **how)
    both = (valid > 0) & (masks[0] > 0)
    if both.sum() < 2:
        return -1.0
    a, b = planes[0][both].astype(float), seen[both].astype(float)
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / max(math.sqrt(float(a @ a) * float(b @ b)), 1e-12))


def _to_warp(matrix_px: FloatArray, motion: Motion) -> Any:
    """Give OpenCV's warp, float32 on (x, y, 1), of a pixel matrix on (y, x, 1)."""
    warp = SWAP @ matrix_px @ SWAP
    return np.ascontiguousarray(warp if motion == "homography" else warp[:2], np.float32)


def _from_warp(warp: Any, motion: Motion) -> FloatArray:
    """Give the pixel matrix on (y, x, 1) of OpenCV's warp, exactly of its kind in float64."""
    matrix = np.eye(3)
    matrix[: len(warp)] = warp
    if motion == "translation":
        matrix[:2, :2] = np.eye(2)
    elif motion == "euclidean":
        angle = math.atan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1])
        matrix[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    return np.asarray(SWAP @ (matrix / matrix[2, 2]) @ SWAP)
