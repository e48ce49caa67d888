"""Frames that are no views of the body: told from their neighbours, and from where they lie."""

import numpy as np

from napari_histreg.projections.arrays import Floats, Mask
from napari_histreg.projections.work import WorkStack

__all__ = ["far_off", "screened"]

NEIGHBOURS = 9
EMPTY_SHARE = 0.25
MASS_SHARE = 0.15
FARTHER = 6.0
FARTHEST_PX = 4.0


def screened(stack: WorkStack) -> dict[int, str]:
    """Name the frames that show nothing, or another mass than their neighbours.

    Parameters
    ----------
    stack : WorkStack
        Line integrals.

    Returns
    -------
    dict of int to str
        Number of the frame, and what is wrong with it.
    """
    spread = stack.frames.std((1, 2), dtype=np.float64)
    mass = stack.frames.sum((1, 2), dtype=np.float64)
    usual = float(np.median(spread[stack.used])) if stack.used.any() else 0.0
    found = {}
    for view in np.flatnonzero(stack.used):
        if spread[view] <= EMPTY_SHARE * usual or usual == 0:
            found[int(view)] = "shows nothing: the shutter was closed, or the beam was gone"
    shown = stack.used.copy()
    shown[list(found)] = False
    if shown.sum() < NEIGHBOURS:
        return found
    near = _local_median(mass, stack.angles_rad, shown)
    off = np.abs(mass - near)
    limit = max(8 * 1.4826 * float(np.median(off[shown])), MASS_SHARE * abs(float(np.median(mass[shown]))))
    for view in np.flatnonzero(shown & (off > limit)):
        share = 100 * (mass[view] - near[view]) / max(abs(near[view]), 1e-12)
        found[int(view)] = (
            f"holds {share:+.0f} % mass against its neighbours: another body, or the beam changed"
        )
    return found


def far_off(shifts: Floats, angles_rad: Floats, used: Mask) -> Mask:
    """Tell which frames lie off much farther than all others.

    Parameters
    ----------
    shifts : (A, 2) ndarray
        In pixels of the detector.
    angles_rad : (A,) ndarray
        The views.
    used : (A,) ndarray of bool
        Those that set the standard.

    Returns
    -------
    (A,) ndarray of bool
    """
    out = np.zeros(len(shifts), bool)
    if used.sum() < NEIGHBOURS:
        return out
    for axis in (0, 1):
        off = np.abs(shifts[:, axis] - _local_median(shifts[:, axis], angles_rad, used))
        out |= off > max(FARTHER * float(np.median(off[used])), FARTHEST_PX)
    return out & used


def _local_median(values: Floats, angles_rad: Floats, used: Mask) -> Floats:
    """Return for each view the median over the views in use that are nearest to it in angle."""
    views = np.flatnonzero(used)
    views = views[np.argsort(angles_rad[views], kind="stable")]
    out = np.empty(len(values))
    for view in range(len(values)):
        rank = int(np.searchsorted(angles_rad[views], angles_rad[view]))
        low = min(max(0, rank - NEIGHBOURS // 2), max(0, len(views) - NEIGHBOURS))
        out[view] = np.median(values[views[low : low + NEIGHBOURS]])
    return out
