"""ProjectionAlignment: what was found about a series, as it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_histreg.projections.arrays import Floats, Mask
from napari_histreg.projections.filtering import moved
from napari_histreg.projections.judging import VerdictWord

__all__ = ["GAUGE", "ProjectionAlignment"]

GAUGE = (
    "y shifts have the mean 0; x shifts hold no constant, cosine or sine of the angle, which belong to the "
    "rotation axis and to where the body stands and cannot be known otherwise."
)


@dataclass(frozen=True, eq=False)
class ProjectionAlignment:
    """How far each projection lies off, and how far that can be trusted.

    Parameters
    ----------
    name : str
        Of the series.
    shape : (int, int)
        Rows and columns of a frame.
    angles_deg : (A,) ndarray
        The views.
    shifts_px : (A, 2) ndarray
        How far each frame lies off, (y, x) in pixels of the detector: ``aligned[y, x] = frame[y + shift_y,
        x + shift_x]``. 0 for frames left out. Their convention is `GAUGE`.
    axis_px : float or None
        Column of the rotation axis in the middle row of the aligned frames.
    tilt_deg : float
        Lean of the axis towards larger columns from row to row; `aligned` turns it upright.
    tilt_error_deg : float or None
        Its standard error; None where no views from opposite sides tell it.
    axis_ways : mapping of str to float
        The column by each way that could be gone.
    left_out : mapping of int to str
        Frames that are no views of the body, and why.
    remaining_px, noise_px : (A, 2) ndarray
        What is left of each frame against its prediction from all others, and the standard error of that.
    likeness : (A,) ndarray
        Correlation of each frame with its prediction.
    error_px : (float, float)
        Expected error of a shift along y and x: both, and a smooth drift from what the mass asks for.
    verdict : "accepted", "doubtful" or "refused"
        Whether to trust it.
    reasons : tuple of str
        What the verdict rests on.
    notes : tuple of str
        Remarks on data and method.
    method : str
        Name in the table.
    parameters : mapping of str to object
        Of the method.
    pixel_um : float or None
        Size of a detector pixel at the body.
    bin : int
        Detector pixels in a pixel that was worked at.
    seconds : float
        How long it took.
    figures : mapping of str to float
        Countable findings.
    """

    name: str
    shape: tuple[int, int]
    angles_deg: Floats
    shifts_px: Floats
    axis_px: float | None
    tilt_deg: float
    tilt_error_deg: float | None
    axis_ways: Mapping[str, float]
    left_out: Mapping[int, str]
    remaining_px: Floats
    noise_px: Floats
    likeness: Floats
    error_px: tuple[float, float]
    verdict: VerdictWord
    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()
    method: str = "joint"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    pixel_um: float | None = None
    bin: int = 1
    seconds: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def used(self) -> Mask:
        """True for the frames that are views of the body, (A,)."""
        out = np.ones(len(self.angles_deg), bool)
        out[list(self.left_out)] = False
        return out

    @property
    def shifts_um(self) -> Floats | None:
        """The shifts in µm, (A, 2); None where the pixel size is unknown."""
        return None if self.pixel_um is None else self.shifts_px * self.pixel_um

    def aligned(self, frame: Floats, view: int) -> Floats:
        """Move a frame to its place and turn the axis upright.

        Parameters
        ----------
        frame : (Y, X) ndarray
            As it was taken.
        view : int
            Its number.

        Returns
        -------
        (Y, X) ndarray of float32
        """
        return np.asarray(moved(frame, self.shifts_px[view], float(np.radians(self.tilt_deg))), np.float32)
