"""How far the rotation axis leans in the plane of the detector."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_histreg.projections.arrays import Floats
from napari_histreg.projections.filtering import moved
from napari_histreg.projections.opposite import opposite_pairs, pair_shift
from napari_histreg.projections.work import WorkStack

__all__ = ["Lean", "find_lean", "turned_back", "turned_shifts"]

FINE_PX, COARSE_PX = 1.5, 4.0
FARTHEST_STEPS = 2.6
MOST_PAIRS = 8
FIELDS = 8
LEAST_LIKENESS = 0.6
LEAST_ERROR_DEG = 0.1
LEAST_PX = 0.5
SIGMAS = 4.0
STEEPEST_DEG = 10.0


@dataclass(frozen=True)
class Lean:
    """The axis leans.

    Parameters
    ----------
    tilt_deg : float
        Towards larger columns from row to row.
    error_deg : float
        Standard error.
    matters : bool
        Whether it is sure, and half a pixel or more at the borders.
    """

    tilt_deg: float
    error_deg: float
    matters: bool


def find_lean(stack: WorkStack, shifts: Floats) -> Lean | None:
    """Measure how far views from opposite sides are turned against one another: twice the lean [1]_.

    Nothing else tells it: a body sheared and turned from slice to slice shows all but the same from less
    than a half turn.

    Parameters
    ----------
    stack : WorkStack
        Line integrals.
    shifts : (A, 2) ndarray
        How far each frame lies off.

    Returns
    -------
    Lean or None
        None where no two views lie about 180 degrees apart, or they do not resemble one another.

    References
    ----------
    .. [1] G. D. Evangelidis and E. Z. Psarakis, Parametric image alignment using enhanced correlation
       coefficient maximization, IEEE TPAMI 30(10), 2008. doi:10.1109/TPAMI.2008.113
    """
    pairs = opposite_pairs(stack.angles_rad, stack.used, farthest_steps=FARTHEST_STEPS)[:MOST_PAIRS]
    found, errors = [], []
    for first, last in pairs:
        a = moved(stack.frames[first], shifts[first])
        b = moved(stack.frames[last], shifts[last])[:, ::-1]
        white, black = _chequered(a.shape)
        whole, left, right = (_turn(a, b, mask) for mask in (None, white, black))
        if whole is not None and left is not None and right is not None:
            found.append(whole / 2)
            errors.append(abs(left - right) / 4)
    if not found:
        return None
    tilt = float(np.median(found))
    # Pairs share their views: their agreement says less than their number. Halves of a frame do not.
    error = max(float(np.std(found)), float(np.sqrt(np.mean(np.square(errors)))), LEAST_ERROR_DEG)
    reach = np.radians(abs(tilt)) * max(stack.frames.shape[1:]) / 2 * stack.bin
    sure = abs(tilt) > SIGMAS * error and reach > LEAST_PX and abs(tilt) < STEEPEST_DEG
    return Lean(tilt, error, bool(sure))


def turned_back(stack: WorkStack, tilt_deg: float) -> WorkStack:
    """Turn all frames so that an axis that leans stands upright."""
    turn = np.radians(tilt_deg)
    return replace(stack, frames=np.stack([moved(frame, np.zeros(2), turn) for frame in stack.frames]))


def turned_shifts(shifts: Floats, tilt_deg: float) -> Floats:
    """Give shifts found in frames that were turned back as shifts on the detector."""
    c, s = np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))
    return np.asarray(shifts @ np.array([[c, -s], [s, c]]).T)


def _chequered(shape: tuple[int, ...]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return masks of two halves of a frame, as the fields of a chessboard."""
    y, x = (np.arange(n) * FIELDS // n for n in shape)
    white = ((y[:, None] + x[None]) % 2 == 0).astype(np.uint8)
    return white, 1 - white


def _turn(still: Floats, turned: Floats, mask: NDArray[np.uint8] | None) -> float | None:
    """Return the angle, in degrees, between two frames; None where they do not resemble one another."""
    import cv2
    from scipy import ndimage

    # Fine detail only: an outline that is round looks the same however it is turned.
    pair = [
        np.asarray(ndimage.gaussian_filter(f, FINE_PX) - ndimage.gaussian_filter(f, COARSE_PX), np.float32)
        for f in (still, turned)
    ]
    matrix = np.eye(2, 3, dtype=np.float32)
    matrix[:, 2] = pair_shift(turned, still)[::-1]
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-6)
    try:
        likeness, matrix = cv2.findTransformECC(pair[0], pair[1], matrix, cv2.MOTION_EUCLIDEAN, stop, mask, 5)
    except cv2.error:
        return None
    return float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))) if likeness > LEAST_LIKENESS else None
