"""register: align two slides."""

import os
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike
from pydantic import ValidationError

from napari_histreg.errors import NoTissue, RegistrationError
from napari_histreg.landmarks import Landmarks
from napari_histreg.methods.method import Method
from napari_histreg.preprocess.vessels import Enhancement, enhancement, vessel_slide
from napari_histreg.progress import Progress, silent
from napari_histreg.records.record import Outcome, Registration, SlideRecord, StepLog
from napari_histreg.registration.by_method import ByMethod
from napari_histreg.registration.catalogue import list_methods, method_spec
from napari_histreg.registration.request import Aligner, Request, check_signal
from napari_histreg.registration.scale_remark import scale_remark
from napari_histreg.slides import Slide, open_slide
from napari_histreg.slides.remembered import recall
from napari_histreg.transforms import Transform

__all__ = ["register"]


def register(
    fixed: Slide | str | os.PathLike[str] | ArrayLike,
    moving: Slide | str | os.PathLike[str] | ArrayLike,
    *,
    method: str | Method = "auto",
    fixed_channel: int | str | None = None,
    moving_channel: int | str | None = None,
    signal: str | None = None,
    initial: Transform | None = None,
    landmarks: Landmarks | None = None,
    progress: Progress = silent,
    must_find: bool = True,
    **parameters: Any,
) -> Registration:
    """Align the moving slide to the fixed one, and judge how far the result can be trusted.

    Always look at `Registration.verdict`: with "refused" the transform is only the best guess.

    Parameters
    ----------
    fixed, moving : Slide, path or array
        What `open_slide` takes.
    method : str or Method
        A name from ``list_methods()``, or a method with its parameters. "auto" works across stains, for
        any rotation, mirror and scale.
    fixed_channel, moving_channel : int or str, optional
        The channel to align by, by number or name; the program chooses by default.
    signal : {"nuclear", "grey", "vessels", "frangi"}, optional
        What a single-plane method sees: the signal of the nuclei, or plain grey; by default what
        suits the method. For photographs of the retina, what every method sees: the vessels, by adaptive
        equalisation of the green channel or by Frangi's filter.
    initial : Transform, optional
        Where to start, fixed to moving in world units.
    landmarks : Landmarks, optional
        Point pairs: what the method "landmarks" fits, and what others may start from.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.
    must_find : bool
        Raise where not even a guess was found; otherwise return the refusal as a record.
    **parameters
        Of the method, such as ``nonrigid=True``; text is converted.

    Returns
    -------
    Registration
        With `fixed_to_moving`, `verdict`, `confidence`, `reasons` and the steps taken.

    Raises
    ------
    ReadError
        A slide cannot be read.
    RegistrationError
        Nothing was found and `must_find` is set; the message says why.
    ValueError
        The method, one of its parameters or a channel does not exist or is out of bounds.
    MissingDependency
        The method needs a package that is not installed.

    Examples
    --------
    >>> from napari_histreg.samples import phantom_pair
    >>> pair = phantom_pair(1500, angle_deg=20)
    >>> result = register(pair.fixed, pair.moving)
    >>> result.verdict
    'accepted'
    """
    check_signal(signal)
    aligner, name, used = _aligner(method, parameters)
    log = StepLog()
    with ExitStack() as opened:
        fixed_slide, moving_slide = _opened(fixed, opened), _opened(moving, opened)
        request = Request(
            fixed_channel=_known_channel(fixed_slide, fixed_channel),
            moving_channel=_known_channel(moving_slide, moving_channel),
            signal=signal or _usual_signal(name),
            initial=initial,
            landmarks=landmarks,
        )
        try:
            seen = _seen(fixed_slide, moving_slide, request, log)
            outcome = aligner.align(*seen, log=log, progress=progress)
        except NoTissue as error:
            outcome = Outcome(None, "refused", None, (str(error),))
        remark = scale_remark(outcome, fixed_slide, moving_slide)
        if remark is not None:
            outcome = replace(outcome, reasons=(*outcome.reasons, remark))
        registration = Registration(
            fixed=SlideRecord.of(fixed_slide),
            moving=SlideRecord.of(moving_slide),
            outcome=outcome,
            method=name,
            parameters=used,
            steps=log.steps,
        )
    if must_find and not registration.has_transform:
        raise RegistrationError(" ".join(registration.reasons))
    return registration


def _aligner(method: str | Method, parameters: dict[str, Any]) -> tuple[Aligner, str, dict[str, Any]]:
    """Make the way of aligning from its name and parameters."""
    if isinstance(method, Method):
        if parameters:
            raise ValueError(
                f"{type(method).__name__} has its parameters: {', '.join(parameters)} cannot be added."
            )
        return ByMethod(method=method), method.name, method.model_dump(mode="json")
    model = method_spec(method).load()
    try:
        made = model(**parameters)
    except ValidationError as error:
        raise ValueError(_sentence(method, list(model.model_fields), error)) from error
    aligner = ByMethod(method=made) if isinstance(made, Method) else made
    if not isinstance(aligner, Aligner):
        raise TypeError(f"The row {method!r} of the table names {model.__name__}, which aligns nothing.")
    return aligner, method, made.model_dump(mode="json")


def _sentence(method: str, names: list[str], error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = f"It has: {', '.join(names)}." if names else "It has none."
        return f'The method "{method}" has no parameter {key!r}. {known}'
    return f'The parameter {key!r} of the method "{method}" cannot be {first["input"]!r}: {first["msg"]}.'


def _opened(slide: Slide | str | os.PathLike[str] | ArrayLike, opened: ExitStack) -> Slide:
    """Open what is no slide yet, to be closed at the end; a slide belongs to the caller."""
    return slide if isinstance(slide, Slide) else opened.enter_context(open_slide(slide))


def _seen(fixed: Slide, moving: Slide, request: Request, log: StepLog) -> tuple[Slide, Slide, Request]:
    """Return what is compared: the slides, or the vessels in them where these are asked for."""
    how = enhancement(request.signal)
    if how is None:
        return fixed, moving, request
    with log.step("vessels", signal=how):
        shown = (
            _vessels(fixed, how, request.fixed_channel),
            _vessels(moving, how, request.moving_channel),
        )
    return *shown, replace(request, signal="grey", fixed_channel=None, moving_channel=None)


def _vessels(slide: Slide, how: Enhancement, channel: int | None) -> Slide:
    """See the vessels of a slide; each slide of a group is in several pairs."""
    return recall(slide, ("vessels", how, channel), lambda: vessel_slide(slide, how, channel=channel))


def _usual_signal(method: str) -> str:
    return next((spec.signal for spec in list_methods() if spec.name == method), "nuclear")


def _known_channel(slide: Slide, channel: int | str | None) -> int | None:
    return None if channel is None else slide.channel_index(channel)
