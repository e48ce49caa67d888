"""Views from opposite sides: the same seen mirrored."""

from typing import Literal

import numpy as np

from napari_histreg.projections.arrays import Floats, Mask

__all__ = ["opposite_pairs", "pair_shift"]

FARTHEST_STEPS = 1.5


def opposite_pairs(
    angles_rad: Floats, used: Mask, *, farthest_steps: float = FARTHEST_STEPS
) -> list[tuple[int, int]]:
    """List pairs of views about 180 degrees apart, the best first.

    Parameters
    ----------
    angles_rad : (A,) ndarray
        The views.
    used : (A,) ndarray of bool
        Those that count.
    farthest_steps : float
        How far from 180 degrees still counts, in steps of the series.

    Returns
    -------
    list of (int, int)
        The one with the smaller angle first.

    Examples
    --------
    >>> opposite_pairs(np.radians([0, 60, 120, 180]), np.ones(4, bool), farthest_steps=0.5)
    [(0, 3)]
    """
    views = np.flatnonzero(used)
    angles = angles_rad[views]
    if len(views) < 3:
        return []
    steps = np.diff(np.sort(angles))
    step = float(np.median(steps[steps > 1e-9])) if (steps > 1e-9).any() else 0.0
    found = []
    off = np.abs(angles[None] - angles[:, None] - np.pi)
    for k, other in np.argwhere(off <= farthest_steps * step + 1e-9):
        found.append((float(off[k, other]), int(views[k]), int(views[other])))
    return [(a, b) for _, a, b in sorted(found)]


def pair_shift(
    moved: Floats,
    still: Floats,
    *,
    normalization: Literal["phase"] | None = None,
    upsampling: int = 20,
) -> Floats:
    """Measure how far one frame lies off from another.

    Parameters
    ----------
    moved, still : (Y, X) ndarray
        The frames.
    normalization : "phase" or None
        Compare the phases only, or the frames as they are.
    upsampling : int
        The shift is found to this part of a pixel.

    Returns
    -------
    (2,) ndarray
        (y, x) in pixels.
    """
    from scipy.signal import windows
    from skimage.registration import phase_cross_correlation

    window = windows.tukey(still.shape[0], 0.2)[:, None] * windows.tukey(still.shape[1], 0.2)
    a, b = ((frame - np.median(frame)) * window for frame in (still, moved))
    shift, _, _ = phase_cross_correlation(a, b, upsample_factor=upsampling, normalization=normalization)
    return -np.asarray(shift, float)
