"""Mass: one centre a frame. Profile and moments: all bands of rows together."""

from typing import ClassVar

import numpy as np

from napari_histreg.progress import Progress, silent
from napari_histreg.projections.gauge import fix_gauge
from napari_histreg.projections.method import ProjectionMethod, ShiftEstimate
from napari_histreg.projections.moments import (
    centres,
    profile_shifts,
    second_moment_misfit,
    sinusoid_shifts,
)
from napari_histreg.projections.work import WorkStack

__all__ = ["Mass", "Moments", "cut_notes"]


class Mass(ProjectionMethod):
    """Put each frame's centre of mass on its sinusoid along x and on a constant along y."""

    name: ClassVar[str] = "mass"

    def estimate(self, stack: WorkStack, *, progress: Progress = silent) -> ShiftEstimate:
        """Find the shifts; see `ProjectionMethod.estimate`."""
        progress(0.0, "weighing")
        shifts, axis = fix_gauge(centres(stack), stack.angles_rad, stack.used)
        return ShiftEstimate(shifts, axis, notes=cut_notes(stack))


class Moments(ProjectionMethod):
    """Lay the vertical mass profiles onto one another, then put every band of rows on its sinusoid."""

    name: ClassVar[str] = "moments"

    def estimate(self, stack: WorkStack, *, progress: Progress = silent) -> ShiftEstimate:
        """Find the shifts; see `ProjectionMethod.estimate`."""
        progress(0.0, "comparing profiles")
        y, likeness = profile_shifts(stack)
        progress(0.5, "weighing bands")
        x, misfit = sinusoid_shifts(stack, y)
        places = np.stack([y, x], 1)
        shifts, axis = fix_gauge(places, stack.angles_rad, stack.used)
        figures = {
            "profile_likeness": float(np.median(likeness[stack.used])),
            "bands_off_sinusoid_px": misfit * stack.bin,
            "second_moment_misfit": second_moment_misfit(stack, places),
        }
        return ShiftEstimate(shifts, axis, notes=cut_notes(stack), figures=figures)


def cut_notes(stack: WorkStack) -> tuple[str, ...]:
    """Say what a body that leaves the field does to its mass."""
    if stack.is_whole:
        return ()
    return (
        f"The body leaves the field at the sides ({100 * stack.cut[1]:.0f} % of its largest value stands "
        "there): its mass changes from view to view, and a slow drift along x cannot be told from it.",
    )
