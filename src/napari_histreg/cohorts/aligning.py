"""What is done for one case: aligned, judged, pictured, and written into its own folder."""

import errno
import time
import traceback
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from napari_histreg.cohorts.beginning import begun, method_of
from napari_histreg.cohorts.case import CaseOptions
from napari_histreg.cohorts.identity import with_fingerprints
from napari_histreg.cohorts.layout import REPORT
from napari_histreg.cohorts.leftovers import digest_of_record, take_away
from napari_histreg.cohorts.note import CaseNote, State, write_note
from napari_histreg.cohorts.task import Task
from napari_histreg.cohorts.thumbnail import shrink, write_thumbnail
from napari_histreg.errors import HistregError, RegistrationError
from napari_histreg.groups import register_group
from napari_histreg.groups.document import write_group
from napari_histreg.groups.report import write_group_report
from napari_histreg.groups.views import view_group
from napari_histreg.landmarks import Landmarks, read_landmarks
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.quality.assessment import Assessment, assess
from napari_histreg.quality.report import write_report
from napari_histreg.records.document import read_registration
from napari_histreg.registration import register
from napari_histreg.registration.folder import check_folder, write_folder
from napari_histreg.slides import Slide, open_slide

__all__ = ["align_case"]

_CAN_PASS = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY, errno.ENETDOWN,
             errno.ENETUNREACH, errno.ECONNRESET, errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # fmt: skip


@dataclass
class _Found:
    """What a case gave, filled in as far as it comes."""

    state: State = "failed"
    reasons: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)


def align_case(task: Task, progress: Progress = silent) -> CaseNote:
    """Align one case and write all of its results; whatever goes wrong stands in the note.

    Parameters
    ----------
    task : Task
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    CaseNote
        As it was written into the case's folder, as the last of its files.

    Raises
    ------
    WriteError
        Not even the note can be written.
    """
    note = begun(task)
    start, cpu = time.perf_counter(), time.process_time()
    found = _Found()
    try:
        check_folder(task.folder, inputs=[task.here(path) for path in task.case.inputs])
        task.folder.mkdir(parents=True, exist_ok=True)
        take_away(task.folder)
        work = _align_group if task.case.is_group else _align_pair
        work(task, found, progress)
    except Exception as error:  # noqa: BLE001 - one case never ends the others
        traceback.print_exc()
        state, reason, can_pass = _said(error)
        note = note.model_copy(update={"state": state, "reason": reason, "can_pass": can_pass})
    else:
        reason = " ".join(found.reasons)
        note = note.model_copy(update={"state": found.state, "reason": reason, **found.figures})
    ended: dict[str, Any] = {
        "inputs": with_fingerprints(note.inputs, found.fingerprints),
        "seconds": round(time.perf_counter() - start, 3),
        "record_digest": digest_of_record(task.folder),
        "cpu_seconds": round(time.process_time() - cpu, 3),
    }
    note = note.model_copy(update=ended)
    task.folder.mkdir(parents=True, exist_ok=True)
    write_note(note, task.folder)
    return note


def _align_pair(task: Task, found: _Found, progress: Progress) -> None:
    options = task.case.options
    paths = [slide.path for slide in task.case.slides]
    with ExitStack() as opened:
        fixed = opened.enter_context(open_slide(task.here(paths[0]), pixel_size_um=options.fixed_pixel_size))
        moving = opened.enter_context(
            open_slide(task.here(paths[1]), pixel_size_um=options.moving_pixel_size)
        )
        result = register(
            fixed,
            moving,
            method=method_of(options),
            fixed_channel=_channel(options.fixed_channel),
            moving_channel=_channel(options.moving_channel),
            signal=options.signal,
            initial=_initial(task),
            landmarks=_pairs(task, options.landmarks, fixed, moving),
            must_find=False,
            progress=portion(progress, 0.0, 0.6),
            **_parameters(options),
        )
        found.fingerprints = dict(
            zip(paths, (result.fixed.fingerprint, result.moving.fingerprint), strict=True)
        )
        write_folder(result, task.folder, fixed, moving)
        write_thumbnail(task.folder)
        if task.report:
            truth = _pairs(task, options.truth, fixed, moving)
            assessment = assess(
                fixed, moving, result, landmarks=truth, progress=portion(progress, 0.65, 0.95)
            )
            write_report(result, task.folder / REPORT, fixed, moving, assessment=assessment)
            found.figures = _figures(assessment)
        found.figures |= {"confidence": result.confidence, "unit": result.fixed.unit}
        found.state, found.reasons = result.verdict, result.reasons


def _align_group(task: Task, found: _Found, progress: Progress) -> None:
    options, members = task.case.options, task.case.slides
    sizes = {"fixed": options.fixed_pixel_size, "moving": options.moving_pixel_size}
    frame = next((place for place, slide in enumerate(members) if slide.role == "fixed"), "template")
    with ExitStack() as opened:
        slides = [
            opened.enter_context(open_slide(task.here(slide.path), pixel_size_um=sizes[slide.role]))
            for slide in members
        ]
        result = register_group(
            slides,
            frame=frame,
            method=method_of(options),
            channel=_channel(options.moving_channel),
            folder=task.folder,
            progress=portion(progress, 0.0, 0.8),
            **options.parameters,
        )
        found.fingerprints = {
            slide.path: member.slide.fingerprint
            for slide, member in zip(members, result.members, strict=True)
        }
        write_group(result, task.folder)
        at_hand = dict(enumerate(slides))
        if task.report:
            write_group_report(result, task.folder / REPORT, at_hand)
        for shown in [place for place in result.placed if place != result.template][:1]:
            views = view_group(result, {place: at_hand[place] for place in (result.template, shown)})
            shrink(views.tiles[shown], task.folder)
    words = [member.verdict for member in result.members]
    found.state = next(word for word in ("refused", "doubtful", "accepted") if word in words)
    found.reasons = tuple(
        f"{name} is {member.verdict}: {' '.join(member.reasons)}"
        for name, member in zip(result.names, result.members, strict=True)
        if member.verdict != "accepted"
    )
    errors = [member.error for member in result.members if member.error is not None]
    known = [member.confidence for member in result.members if member.confidence is not None]
    found.figures = {
        "error": max(errors, default=None),
        "confidence": min(known, default=None),
        "unit": result.unit,
    }


def _figures(found: Assessment) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if found.check is not None:
        figures |= {"error": found.check.median, "error_p90": found.check.p90}
    if found.target is not None:
        target = found.target.to_dict()
        figures["target_error"] = (target["um"] or target["px"])["median"]
    return figures


def _parameters(options: CaseOptions) -> dict[str, Any]:
    return dict(options.parameters) | ({} if options.model is None else {"model": options.model})


def _channel(name: str | None) -> int | str | None:
    return int(name) if name is not None and name.isdecimal() else name


def _initial(task: Task) -> Any:
    file = task.case.options.initial
    return None if file is None else read_registration(task.here(file)).fixed_to_moving


def _pairs(task: Task, file: str | None, fixed: Slide, moving: Slide) -> Landmarks | None:
    if file is None:
        return None
    return read_landmarks(
        task.here(file),
        fixed_pixel_size=fixed.world_pixel_size,
        moving_pixel_size=moving.world_pixel_size,
    )


def _said(error: Exception) -> tuple[State, str, bool]:
    """Say how a case ended that raised, why, and whether another attempt can end otherwise."""
    for kinds, state, sentence, can_pass in _ENDINGS:
        if isinstance(error, kinds):
            cause: BaseException | None = error
            while cause is not None and not can_pass:
                can_pass = isinstance(cause, MemoryError) or getattr(cause, "errno", None) in _CAN_PASS
                cause = cause.__cause__
            return state, " ".join(sentence.format(error=error, kind=type(error).__name__).split()), can_pass
    raise AssertionError("the last row takes every exception")


_ENDINGS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], State, str, bool], ...] = (
    (RegistrationError, "refused", "{error}", False),
    ((HistregError, ValueError, OSError), "failed", "{error}", False),
    (MemoryError, "failed", "There was not enough memory.", True),
    (Exception, "failed", "Unexpected {kind}: {error} - see log.txt.", False),
)
