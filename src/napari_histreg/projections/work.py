"""WorkStack: what the methods work on, a stack in memory, corrected, levelled and binned."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from napari_histreg.projections.arrays import Floats, Mask

__all__ = ["WorkStack", "binned", "field_fit", "levelled", "line_levelled"]

BORDER = 0.04
CUT_SHARE = 0.08


@dataclass(frozen=True, eq=False)
class WorkStack:
    """Line integrals of all views.

    Parameters
    ----------
    frames : (A, Y, X) ndarray of float32
        0 where the beam is open.
    angles_rad : (A,) ndarray
        The views.
    used : (A,) ndarray of bool
        False for frames that are no views of the body.
    bin : int
        Pixels of the detector in a pixel of the stack.
    """

    frames: Floats
    angles_rad: Floats
    used: Mask
    bin: int = 1

    @property
    def count(self) -> int:
        """How many views there are."""
        return len(self.frames)

    @cached_property
    def cut(self) -> tuple[float, float]:
        """How much of the body's largest mean value stands at the borders: (above or below, beside)."""
        return field_fit(self.frames[self.used])

    @property
    def is_whole(self) -> bool:
        """Whether the body keeps inside the field, left and right."""
        return self.cut[1] < CUT_SHARE

    def coarser(self) -> "WorkStack":
        """Return the stack at half the size."""
        frames = np.stack([binned(frame, 2) for frame in self.frames])
        return WorkStack(frames, self.angles_rad, self.used, self.bin * 2)

    def without(self, left_out: Mask) -> "WorkStack":
        """Return the stack with more frames left out."""
        return replace(self, used=self.used & ~left_out)


def binned(frame: Floats, factor: int) -> Floats:
    """Average squares of pixels; what is left over at the far borders is dropped.

    Examples
    --------
    >>> binned(np.array([[1.0, 3, 9], [5, 7, 9]]), 2).tolist()
    [[4.0]]
    """
    if factor == 1:
        return np.asarray(frame, np.float32)
    rows, columns = (n // factor for n in frame.shape)
    cut = frame[: rows * factor, : columns * factor]
    blocks = cut.reshape(rows, factor, columns, factor)
    return np.asarray(blocks.mean((1, 3), dtype=np.float32), np.float32)


def levelled(frame: Floats) -> Floats:
    """Take out what an open beam that is brighter or darker than the flat field adds.

    Parameters
    ----------
    frame : (Y, X) ndarray
        Line integrals, with open beam in the columns at both sides.

    Returns
    -------
    (Y, X) ndarray of float32
        Less a ramp from the median of one side to that of the other.
    """
    width = frame.shape[1]
    side = max(2, round(BORDER * width))
    left, right = float(np.median(frame[:, :side])), float(np.median(frame[:, -side:]))
    x = (np.arange(width) - (side - 1) / 2) / max(width - side, 1)
    return np.asarray(frame - (left + (right - left) * x), np.float32)


def line_levelled(lines: Floats) -> Floats:
    """Do the same to each line of a sinogram by itself, (A, X)."""
    return np.concatenate([levelled(line[None]) for line in lines])


def field_fit(frames: Floats) -> tuple[float, float]:
    """Tell how much of the body stands at the borders.

    Parameters
    ----------
    frames : (A, Y, X) ndarray
        Line integrals.

    Returns
    -------
    (float, float)
        Mean value at the worse of the upper and lower border, and of the sides, each less the frame's
        lowest mean, as a share of the largest. Near 0 where the field holds the whole body.
    """
    if not len(frames):
        return 0.0, 0.0
    from scipy import ndimage

    mean = ndimage.gaussian_filter(frames.mean(0, dtype=np.float64), 1.5)
    low, high = float(np.percentile(mean, 1)), float(np.percentile(mean, 99.5))
    span = max(high - low, 1e-12)
    side = [max(2, round(BORDER * n)) for n in mean.shape]

    def share(edge: Floats) -> float:
        return float((np.percentile(edge, 90) - low) / span)

    above = max(share(mean[: side[0]].mean(0)), share(mean[-side[0] :].mean(0)))
    beside = max(share(mean[:, : side[1]].mean(1)), share(mean[:, -side[1] :].mean(1)))
    return above, beside
