"""From a series on disk to the stack that is worked on."""

from dataclasses import dataclass

import numpy as np

from napari_histreg.progress import Progress, silent
from napari_histreg.projections.arrays import Floats, Mask
from napari_histreg.projections.series import ProjectionSeries
from napari_histreg.projections.work import CUT_SHARE, WorkStack, binned, field_fit, levelled

__all__ = ["Stacked", "stacked"]


@dataclass(frozen=True, eq=False)
class Stacked:
    """The stack, and what was repaired on the way.

    Parameters
    ----------
    stack : WorkStack
        Line integrals, binned.
    notes : tuple of str
        What was repaired.
    unusable : tuple of int
        Frames with too few pixels that are measurements.
    """

    stack: WorkStack
    notes: tuple[str, ...]
    unusable: tuple[int, ...]


def stacked(series: ProjectionSeries, working_px: int, *, progress: Progress = silent) -> Stacked:
    """Read, correct and bin all frames, one at a time.

    Parameters
    ----------
    series : ProjectionSeries
        The frames.
    working_px : int
        Frames are binned until neither side is longer.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    Stacked
        Takes ``A * (working_px squared) * 4`` bytes at most, whatever the size of the frames.
    """
    count, rows, columns = series.shape
    factor = max(1, -(-max(rows, columns) // working_px))
    frames = np.empty((count, rows // factor, columns // factor), np.float32)
    missing = np.zeros(count, int)
    zingers = np.zeros(count, int)
    unusable = []
    for view in range(count):
        progress(view / count, "reading")
        done = series.line_integrals(view)
        missing[view], zingers[view] = done.missing, done.zingers
        if not done.usable:
            unusable.append(view)
        frames[view] = binned(done.pixels, factor)
    used = np.ones(count, bool)
    used[unusable] = False
    notes = [] if _level(frames, used) else ["The open beam at the sides could not be levelled out."]
    if missing.any():
        notes.append(_said("no measurement (NaN, infinite, dead)", missing, count))
    if zingers.any():
        notes.append(_said("alone far from those around (zingers)", zingers, count))
    stack = WorkStack(frames, np.radians(series.angles_deg), used, factor)
    return Stacked(stack, tuple(notes), tuple(unusable))


def _level(frames: Floats, used: Mask) -> bool:
    """Take the open beam's own brightness out of all frames, in place; False where the body lies there."""
    if not used.any():
        return True
    whole = field_fit(frames[used])[1] < CUT_SHARE
    base = np.float32(np.percentile(frames[used].mean(0), 1))
    for frame in frames:
        frame[:] = levelled(frame) if whole else frame - base
    return whole


def _said(what: str, pixels: np.ndarray, count: int) -> str:
    return (
        f"{int(pixels.sum())} pixels in {int((pixels > 0).sum())} of {count} frames were {what} and were "
        "replaced by what lies around."
    )
