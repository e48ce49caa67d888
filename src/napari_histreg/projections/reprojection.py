"""Iterative re-projection, from nothing or from the mass: reconstruct, project, register, repeat."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from napari_histreg.progress import Progress, portion, silent
from napari_histreg.projections.arrays import Floats, Mask
from napari_histreg.projections.axis import by_opposite_views, by_sinogram
from napari_histreg.projections.filtering import moved
from napari_histreg.projections.gauge import fix_gauge
from napari_histreg.projections.mass import Moments
from napari_histreg.projections.method import ProjectionMethod, ShiftEstimate
from napari_histreg.projections.rounds import run_round
from napari_histreg.projections.work import WorkStack

__all__ = ["Joint", "Reprojection", "aligned_frames", "misfits"]

SMALLEST_PX = 40
SETTLED_PX = 0.02
SMOOTH_ORDER = 6


class Reprojection(ProjectionMethod):
    """Reconstruct, project, register each view against its prediction, and repeat; coarse to fine [1]_.

    Each view is predicted from all others, so that it cannot hold itself in its place.

    References
    ----------
    .. [1] D. Gürsoy et al., Rapid alignment of nanotomography data using joint iterative reconstruction and
       reprojection, Scientific Reports 7, 11818, 2017. doi:10.1038/s41598-017-12141-9
    """

    name: ClassVar[str] = "reprojection"
    levels: int = Field(3, title="Levels", description="Sizes worked at, each half of the next.", ge=1, le=6)
    rounds: int = Field(12, title="Rounds", description="At most so many a level.", ge=1, le=200)

    def estimate(self, stack: WorkStack, *, progress: Progress = silent) -> ShiftEstimate:
        """Find the shifts; see `ProjectionMethod.estimate`."""
        start = np.zeros((stack.count, 2))
        return self.refine(stack, start, None, anchored=False, progress=progress)

    def refine(
        self,
        stack: WorkStack,
        start: Floats,
        axis: float | None,
        *,
        anchored: bool,
        progress: Progress = silent,
    ) -> ShiftEstimate:
        """Go on from shifts that are nearly right.

        Parameters
        ----------
        stack : WorkStack
            Line integrals.
        start : (A, 2) ndarray
            Shifts, in pixels of the stack.
        axis : float, optional
            Column of the rotation axis; found at each level by default.
        anchored : bool
            Keep what is smooth over the angles as the start has it. Re-projection knows a smooth drift along
            x hardly at all; the mass of a whole body knows it well.
        progress : Progress, optional
            Told of the progress; may raise `Cancelled`.

        Returns
        -------
        ShiftEstimate
        """
        pyramid = [stack]
        while len(pyramid) < self.levels and min(pyramid[-1].frames.shape[1:]) >= 2 * SMALLEST_PX:
            pyramid.append(pyramid[-1].coarser())
        shifts, used = start.copy(), stack.used
        done = 0
        for number, level in enumerate(reversed(pyramid)):
            factor = level.bin / stack.bin
            part = portion(progress, number / len(pyramid), (number + 1) / len(pyramid))
            for k in range(self.rounds):
                at = None if axis is None else (axis - (factor - 1) / 2) / factor
                known = WorkStack(level.frames, level.angles_rad, used, level.bin)
                if at is None:
                    at = _axis_now(known, shifts / factor)
                found = run_round(
                    known,
                    shifts / factor,
                    at,
                    reach_px=max(6.0, 0.25 * level.frames.shape[2]) if number == 0 else 4.0,
                    progress=portion(part, k / self.rounds, (k + 1) / self.rounds),
                )
                done += 1
                used = stack.used & ~misfits(found.likeness, stack.used)
                before = shifts
                shifts, _ = fix_gauge(shifts + factor * found.remaining, stack.angles_rad, used)
                if anchored:
                    shifts = start + _rough(shifts - start, stack.angles_rad, used)
                    shifts, _ = fix_gauge(shifts, stack.angles_rad, used)
                if np.sqrt(((shifts - before)[used] ** 2).mean()) < SETTLED_PX * (
                    2 if number < len(pyramid) - 1 else 1
                ):
                    break
        return ShiftEstimate(shifts, axis, figures={"rounds": done})


class Joint(Reprojection):
    """Re-projection started by vertical profile and moments, which also hold what is smooth in the angles.

    References
    ----------
    .. [1] D. Gürsoy et al., Rapid alignment of nanotomography data using joint iterative reconstruction and
       reprojection, Scientific Reports 7, 11818, 2017. doi:10.1038/s41598-017-12141-9
    """

    name: ClassVar[str] = "joint"

    def estimate(self, stack: WorkStack, *, progress: Progress = silent) -> ShiftEstimate:
        """Find the shifts; see `ProjectionMethod.estimate`."""
        start = Moments().estimate(stack, progress=portion(progress, 0.0, 0.1))
        refined = self.refine(
            stack,
            start.shifts,
            start.axis if stack.is_whole else None,
            anchored=stack.is_whole,
            progress=portion(progress, 0.1, 1.0),
        )
        figures = {**start.figures, **refined.figures}
        return ShiftEstimate(refined.shifts, refined.axis, notes=start.notes, figures=figures)


def aligned_frames(stack: WorkStack, shifts: Floats) -> Floats:
    """Return all frames moved to their places."""
    return np.stack([moved(frame, shift) for frame, shift in zip(stack.frames, shifts, strict=True)])


def misfits(likeness: Floats, used: Mask) -> Mask:
    """Tell which views are far less like their predictions than the others.

    Parameters
    ----------
    likeness : (A,) ndarray
        Correlation of each with its prediction.
    used : (A,) ndarray of bool
        Those that set the standard.

    Returns
    -------
    (A,) ndarray of bool

    Examples
    --------
    >>> misfits(np.array([0.9, 0.92, 0.91, 0.2, 0.9]), np.ones(5, bool)).tolist()
    [False, False, False, True, False]
    """
    usual = float(np.median(likeness[used]))
    spread = 1.4826 * float(np.median(np.abs(likeness[used] - usual)))
    return np.asarray(likeness < usual - max(8 * spread, 0.15 * max(usual, 0.2)))


def _axis_now(stack: WorkStack, shifts: Floats) -> float:
    """Find the axis of frames at their present places; the middle where nothing tells."""
    aligned = aligned_frames(stack, shifts)
    found = by_sinogram(stack, aligned)
    if found is None:
        found = by_opposite_views(stack, aligned)
    return (stack.frames.shape[2] - 1) / 2 if found is None else found


def _rough(change: Floats, angles_rad: Floats, used: Mask) -> Floats:
    """Take what is smooth over the angles out of a change along x."""
    low, high = float(angles_rad.min()), float(angles_rad.max())
    place = 2 * (angles_rad - low) / max(high - low, 1e-9) - 1
    order = min(SMOOTH_ORDER, int(used.sum()) // 8)
    basis = np.polynomial.legendre.legvander(place, order)
    factors = np.linalg.lstsq(basis[used], change[used, 1], rcond=None)[0]
    return np.stack([change[:, 0], change[:, 1] - basis @ factors], 1)
