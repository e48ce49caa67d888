"""`align_projections`: from a series to shifts, axis and verdict."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from napari_histreg.errors import NoTissue, RegistrationError
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.projections.alignment import ProjectionAlignment
from napari_histreg.projections.arrays import Mask
from napari_histreg.projections.axis import AxisEstimates, find_axis
from napari_histreg.projections.gauge import fix_gauge
from napari_histreg.projections.judging import Evidence, expected_error, judge, weigh
from napari_histreg.projections.lean import Lean, find_lean, turned_back, turned_shifts
from napari_histreg.projections.method import ProjectionMethod, ShiftEstimate
from napari_histreg.projections.moments import profile_shifts, sinusoid_shifts
from napari_histreg.projections.opening import Source, open_projections
from napari_histreg.projections.registry import find_projection_method, projection_method_class
from napari_histreg.projections.reprojection import aligned_frames, misfits
from napari_histreg.projections.screening import far_off, screened
from napari_histreg.projections.series import ProjectionSeries
from napari_histreg.projections.stacking import stacked
from napari_histreg.projections.work import WorkStack

__all__ = ["align_projections", "made_method"]

WORKING_PX = 256
PASSES = 3
SMOOTH_ORDER = 4


def align_projections(
    series: "ProjectionSeries | Source",
    angles: "str | Path | NDArray[Any] | None" = None,
    *,
    method: str = "joint",
    working_px: int = WORKING_PX,
    must_find: bool = True,
    progress: Progress = silent,
    **parameters: Any,
) -> ProjectionAlignment:
    """Find how far each projection of a series lies off, and say how far that can be trusted.

    Parameters
    ----------
    series : ProjectionSeries, path-like, sequence of path-like, or (A, Y, X) array-like
        The projections; all but a `ProjectionSeries` is opened by `open_projections`.
    angles : str, path-like or array-like, optional
        As in `open_projections`; not with a `ProjectionSeries`, which has its own.
    method : str
        Name in the table of methods for projections.
    working_px : int
        Frames are binned until neither side is longer.
    must_find : bool
        Raise where the verdict is "refused"; otherwise return the record with it.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.
    **parameters
        Of the method.

    Returns
    -------
    ProjectionAlignment

    Raises
    ------
    RegistrationError
        The frames could not be aligned; the message says why.
    ReadError
        The series cannot be read.
    ValueError
        There is no such method, or no such parameter.

    Examples
    --------
    >>> from napari_histreg.samples import phantom_projections
    >>> scan = phantom_projections(40, (48, 48), jitter_px=2, noise=0.01)
    >>> found = align_projections(scan.frames, scan.angles_deg)
    >>> found.verdict, max(found.error_px) < 0.2
    ('accepted', True)
    """
    started = time.perf_counter()
    chosen = made_method(method, parameters)
    opened = series if isinstance(series, ProjectionSeries) else open_projections(series, angles)
    if isinstance(series, ProjectionSeries) and angles is not None:
        raise ValueError("An opened series has its angles already: leave them out.")
    try:
        found = _align(opened, chosen, working_px, progress, started)
    finally:
        if opened is not series:
            opened.close()
    if must_find and found.verdict == "refused":
        raise RegistrationError(f"{found.name} could not be aligned. {found.reasons[0]}")
    return found


def made_method(name: str, parameters: Mapping[str, Any]) -> ProjectionMethod:
    """Make a method from its name and its parameters.

    Raises
    ------
    ValueError
        There is no such method or parameter, or a value is not allowed.
    """
    try:
        return projection_method_class(name)(**parameters)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        known = ", ".join(projection_method_class(name).model_fields) or "none"
        raise ValueError(
            f"Parameter {where} of {name}: {first['msg']}. Its parameters are: {known}."
        ) from None


@dataclass(frozen=True, eq=False)
class _Pass:
    """One run of the method over the frames in use."""

    stack: WorkStack
    upright: WorkStack
    estimate: ShiftEstimate
    axis: AxisEstimates
    lean: Lean | None
    evidence: Evidence


def _align(
    series: ProjectionSeries, method: ProjectionMethod, working_px: int, progress: Progress, started: float
) -> ProjectionAlignment:
    if working_px < 32:
        raise ValueError(f"Frames cannot be worked at {working_px} pixels: take 32 or more.")
    made = stacked(series, working_px, progress=portion(progress, 0.0, 0.1))
    left_out = dict.fromkeys(made.unusable, "has too few pixels that are measurements")
    left_out |= screened(made.stack)
    for number in range(PASSES):
        stack = made.stack.without(_mask(left_out, made.stack.count))
        if stack.used.sum() < max(5, 0.3 * stack.count):
            raise NoTissue(
                f"{len(left_out)} of the {stack.count} frames of {series.name} are no views of a body, the "
                f"first: {next(iter(left_out.values()), 'shows nothing')}. Check files, dark and flat field."
            )
        part = portion(progress, 0.1 + 0.85 * (1 - 0.5**number), 0.1 + 0.85 * (1 - 0.5 ** (number + 1)))
        run = _run(stack, method, part)
        more = _strangers(run)
        if not more or number == PASSES - 1:
            break
        left_out |= more
    progress(0.97, "judging")
    return _record(series, method, run, made.notes, left_out | _strangers(run), time.perf_counter() - started)


def _run(stack: WorkStack, method: ProjectionMethod, progress: Progress) -> _Pass:
    estimate = method.estimate(stack, progress=portion(progress, 0.0, 0.5))
    lean = find_lean(stack, estimate.shifts)
    upright = stack
    if lean is not None and lean.matters:
        upright = turned_back(stack, lean.tilt_deg)
        estimate = method.estimate(upright, progress=portion(progress, 0.5, 0.8))
    lost = dict.fromkeys(estimate.lost, "shares no points with other views")
    stack, upright = (each.without(_mask(lost, each.count)) for each in (stack, upright))
    whole = estimate.axis if stack.is_whole else None
    axis = find_axis(upright, aligned_frames(upright, estimate.shifts), mass=whole)
    at = axis.chosen
    evidence = weigh(
        upright,
        estimate.shifts,
        (stack.frames.shape[2] - 1) / 2 if at is None else at,
        progress=portion(progress, 0.8, 1.0),
    )
    return _Pass(stack, upright, estimate, axis, lean, evidence)


def _strangers(run: _Pass) -> dict[int, str]:
    """Name the frames in use that fit nowhere, or lie off much farther than all others."""
    stack, likeness = run.stack, run.evidence.likeness
    usual = float(np.median(likeness[stack.used]))
    found = dict.fromkeys(run.estimate.lost, "shares no points with other views")
    found |= {
        int(view): f"fits no view of the body (correlation {likeness[view]:.2f}, others {usual:.2f})"
        for view in np.flatnonzero(misfits(likeness, stack.used) & stack.used)
    }
    shifts = run.estimate.shifts * stack.bin
    for view in np.flatnonzero(far_off(shifts, stack.angles_rad, stack.used)):
        y, x = shifts[view]
        found.setdefault(int(view), f"lies {np.hypot(y, x):.0f} px off, far more than the others")
    return found


def _record(
    series: ProjectionSeries,
    method: ProjectionMethod,
    run: _Pass,
    repaired: tuple[str, ...],
    left_out: dict[int, str],
    seconds: float,
) -> ProjectionAlignment:
    stack, evidence, factor = run.stack.without(_mask(left_out, run.stack.count)), run.evidence, run.stack.bin
    drift = _drift(run)
    judgement = judge(stack, evidence, run.axis, drift_px=drift)
    tilt = run.lean.tilt_deg if run.lean is not None and run.lean.matters else 0.0
    shifts = turned_shifts(run.estimate.shifts, tilt) * factor
    shifts[~stack.used] = 0
    notes = [*series.notes, *repaired, *run.estimate.notes]
    if tilt:
        notes.append(f"The rotation axis leans by {tilt:.2f} degrees; the frames were turned upright.")
    elif run.lean is not None and abs(run.lean.tilt_deg) > 2 * run.lean.error_deg:
        notes.append(
            f"The rotation axis may lean by {run.lean.tilt_deg:.2f} ± {run.lean.error_deg:.2f} degrees, too "
            "little or too unsure to be taken out."
        )
    if run.axis.mass is not None and not {"vo", "opposite"} & set(run.axis.all):
        notes.append(
            "The angles span no half turn: the rotation axis is known from the centre of mass alone."
        )
    error = expected_error(stack, evidence, drift)

    def on_detector(column: float) -> float:
        return column * factor + (factor - 1) / 2

    chosen = run.axis.chosen
    return ProjectionAlignment(
        name=series.name,
        shape=series.shape[1:],
        angles_deg=series.angles_deg,
        shifts_px=shifts,
        axis_px=None if chosen is None else on_detector(chosen),
        tilt_deg=tilt,
        tilt_error_deg=None if run.lean is None else run.lean.error_deg,
        axis_ways={name: on_detector(value) for name, value in run.axis.all.items()},
        left_out=dict(sorted(left_out.items())),
        remaining_px=evidence.remaining * factor,
        noise_px=evidence.noise * factor,
        likeness=evidence.likeness,
        error_px=error,
        verdict=judgement.word,
        reasons=judgement.reasons,
        notes=tuple(dict.fromkeys(notes)),
        method=find_projection_method(method.name).name,
        parameters=method.model_dump(),
        pixel_um=series.pixel_um,
        bin=factor,
        seconds=seconds,
        figures=dict(run.estimate.figures),
    )


def _drift(run: _Pass) -> tuple[float, float] | None:
    """Return how far the shifts lie, smoothly over the angles, from what the mass asks for, along y and x.

    Views predict one another so well over small angles that all can drift together; the mass cannot.
    """
    if not run.stack.is_whole:
        return None
    stack, shifts = run.upright, run.estimate.shifts
    y, _ = profile_shifts(stack)
    x, _ = sinusoid_shifts(stack, shifts[:, 0])
    off, _ = fix_gauge(shifts - np.stack([y, x], 1), stack.angles_rad, stack.used)
    place = 2 * (stack.angles_rad - stack.angles_rad.min()) / max(float(np.ptp(stack.angles_rad)), 1e-9) - 1
    basis = np.polynomial.legendre.legvander(place, SMOOTH_ORDER)[stack.used]
    smooth = basis @ np.linalg.lstsq(basis, off[stack.used], rcond=None)[0]
    found = np.sqrt((smooth**2).mean(0)) * stack.bin
    return float(found[0]), float(found[1])


def _mask(left_out: Mapping[int, str], count: int) -> Mask:
    out = np.zeros(count, bool)
    out[list(left_out)] = True
    return out
