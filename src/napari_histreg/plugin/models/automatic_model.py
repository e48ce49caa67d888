"""AutomaticModel: what the automatic widget thinks — which method, how far, and what came of it."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from psygnal import Signal
from pydantic import BaseModel

from napari_histreg.methods.registry import MethodSpec
from napari_histreg.plugin.models.review import Spot, find_spots
from napari_histreg.plugin.models.session import Session, fingerprints_of
from napari_histreg.plugin.models.thinning import MOST_PAIRS, thin
from napari_histreg.plugin.models.verdict_words import Verdict, verdict_of
from napari_histreg.progress import Progress, portion
from napari_histreg.registration import Registration, register
from napari_histreg.registration.catalogue import list_methods, method_spec
from napari_histreg.transforms import Affine, Transform

__all__ = ["AutomaticModel", "Found", "Start", "Verdict"]

Start = Literal["nothing", "landmarks", "layers", "record"]
"""From where a method starts: from nothing, from the pairs, from how the layers lie, or from what another
run has found."""

State = Literal["idle", "running", "stopping"]

OWN_PROCESS = ("itk",)
"""Modules that methods import in a process of their own."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a run found.

    Parameters
    ----------
    registration : Registration
    spots : tuple of Spot
        Where to look at it.
    """

    registration: Registration
    spots: tuple[Spot, ...] = ()


class AutomaticModel:
    """One automatic alignment after the other, for the slides of a `Session`.

    Parameters
    ----------
    session : Session
        Whose slides are aligned and whose transform and pairs a result becomes.

    Attributes
    ----------
    changed : psygnal Signal
        Anything that is shown has changed.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.method = "auto"
        self.fixed_channel: int | None = None
        self.moving_channel: int | None = None
        self.start: Start = "nothing"
        self.start_record: Registration | None = None
        self.signal: str | None = None
        self.parameters: Mapping[str, Any] = {}
        self.state: State = "idle"
        self.fraction = 0.0
        self.message = ""
        self.problem = ""
        self.elsewhere = ""
        self._results: dict[tuple[str, str], Registration] = {}
        self._spots: dict[tuple[str, str], tuple[Spot, ...]] = {}
        session.events.slides_changed.connect(self._on_slides)

    @property
    def result(self) -> Registration | None:
        """The last result for the slides that are chosen now."""
        return self._results.get(self.session.fingerprints) if self.session.is_ready else None

    @property
    def spots(self) -> tuple[Spot, ...]:
        """Where to look at the result, while it is the one that is shown."""
        shown = self.result is not None and self.session.registration is self.result
        return self._spots.get(self.session.fingerprints, ()) if shown else ()

    @property
    def methods(self) -> tuple[MethodSpec, ...]:
        """All ways of aligning that run by themselves; those that are not installed come last."""
        listed = [spec for spec in list_methods() if spec.name != "landmarks"]
        return tuple(sorted(listed, key=lambda spec: not spec.is_available))

    @property
    def spec(self) -> MethodSpec:
        """The chosen method's line in the table."""
        return method_spec(self.method)

    @property
    def obstacle(self) -> str | None:
        """Why a run cannot be started now, with what to do; None where it can."""
        if self.state != "idle":
            return "It is running. Cancel it first."
        if not self.session.is_ready:
            return "Choose a fixed and a moving slide first."
        if not self.spec.is_available:
            return f"{self.spec.title} is not installed. Install it with: {self.spec.install_line}"
        if self.start == "landmarks" and self.session.state.usable_count < 1:
            return "There are no landmarks to start from. Click a pair, or start from nothing."
        if self.start == "record" and self.start_record is None:
            return "Choose the registration.json to start from."
        return None

    @property
    def landmarks_obstacle(self) -> str | None:
        """Why the result cannot become landmarks; None where it can."""
        if self.result is None or not self.result.has_transform:
            return "There is no result yet. Press Run."
        if self.result.landmarks is None or not len(self.result.landmarks.active()):
            return f"{method_spec(self.result.method).title} works without points, so it has none to give."
        return None

    def choose_method(self, name: str) -> None:
        """Choose a method; its parameters start from their defaults."""
        if name != self.method:
            self.method, self.parameters = method_spec(name).name, {}
            self.changed.emit()

    def load(self) -> type[BaseModel]:
        """Import the chosen method with what it computes with, and return its parameter model.

        Loading a large library stops every thread for a moment. Here nobody waits for a result yet.

        Raises
        ------
        MissingDependency
            The method is not installed.
        """
        model = self.spec.load()
        for module in self.spec.requires:
            if module not in OWN_PROCESS:
                importlib.import_module(module)
        return model

    def begin(self, shown: Transform) -> Callable[[Progress], Found]:
        """Start a run: return the call to be made in a thread, whose result is for `succeed`.

        Parameters
        ----------
        shown : Transform
            How the layers lie now, fixed to moving in world units.

        Raises
        ------
        ValueError
            It cannot be started; the message says why.
        """
        fixed, moving = self.session.fixed, self.session.moving
        if self.obstacle is not None or fixed is None or moving is None:
            raise ValueError(self.obstacle or "Choose a fixed and a moving slide first.")
        landmarks = self.session.landmarks.active() if self.start == "landmarks" else None
        wishes: dict[str, Any] = {
            **self.parameters,
            "method": self.method,
            "fixed_channel": self.fixed_channel,
            "moving_channel": self.moving_channel,
            "initial": self._initial(shown),
            "signal": self.signal,
            "landmarks": landmarks,
            "must_find": False,
        }
        self.state, self.fraction, self.message = "running", 0.0, "starting"
        self.problem = self.elsewhere = ""
        self._results.pop(self.session.fingerprints, None)
        self.changed.emit()

        def call(progress: Progress) -> Found:
            aligning = portion(progress, 0.0, 0.9)
            result = register(fixed.slide, moving.slide, progress=aligning, **wishes)
            if not result.has_transform or result.verdict == "refused":
                return Found(result)
            progress(0.9, "looking where it fits worst")
            checking = portion(progress, 0.9, 1.0)
            return Found(result, find_spots(fixed.slide, moving.slide, result, progress=checking))

        return call

    def report(self, fraction: float, message: str) -> None:
        """Take a report of progress."""
        self.fraction, self.message = fraction, message
        self.changed.emit()

    def stop(self) -> None:
        """Note that the run was asked to stop."""
        if self.state == "running":
            self.state = "stopping"
            self.changed.emit()

    def succeed(self, registration: Registration, spots: tuple[Spot, ...] = ()) -> None:
        """Take the result; unless it was refused, the moving slide goes where it says, to be undone.

        A result belongs to the slides that it was computed from. Where others are chosen by now, it is
        kept until those are chosen again.
        """
        self._rest()
        self._results[fingerprints_of(registration)] = registration
        self._spots[fingerprints_of(registration)] = spots
        counts = registration.has_transform and registration.verdict != "refused"
        if not self.session.is_of_chosen(registration):
            if counts:
                self.session.keep_for_later(registration)
            found = {"refused": "could not be aligned", "doubtful": "was aligned, with doubts,"}
            self.elsewhere = (
                f"{registration.moving.name} {found.get(registration.verdict, 'was aligned')} to "
                f"{registration.fixed.name}, but these are not the slides that are chosen now. The result is "
                "kept: choose them again to see it."
            )
        elif counts:
            self.session.accept_registration(registration)
        self.changed.emit()

    def fail(self, sentence: str) -> None:
        """Take the sentence of an error."""
        self._rest()
        self.problem = sentence
        self.changed.emit()

    def cancel(self) -> None:
        """Note that the run has ended without a result."""
        self._rest()
        self.problem = "Cancelled. The slides lie as before."
        self.changed.emit()

    def accept(self) -> None:
        """Note that the user has looked at the result and taken it."""
        self._spots.pop(self.session.fingerprints, None)
        self.changed.emit()

    def show_guess(self) -> None:
        """Put the best guess of a refused result in place all the same."""
        if self.result is not None and self.result.has_transform:
            self.session.accept_registration(self.result)
            self.changed.emit()

    def take_landmarks(self) -> None:
        """Turn the points that carried the result into pairs of the session, to be edited and refitted.

        Raises
        ------
        ValueError
            There are none.
        """
        if self.landmarks_obstacle is not None or self.result is None or self.result.landmarks is None:
            raise ValueError(self.landmarks_obstacle or "There is no result yet. Press Run.")
        pairs = thin(self.result.landmarks.active(), MOST_PAIRS)
        self.session.replace_landmarks(pairs, f"landmarks of {method_spec(self.result.method).title}")
        self.changed.emit()

    @property
    def bends(self) -> bool:
        """Whether the result cannot be shown whole by moving layers: it bends or has perspective."""
        return (
            self.result is not None
            and self.result.has_transform
            and not isinstance(self.result.fixed_to_moving, Affine)
        )

    @property
    def verdict(self) -> Verdict | None:
        """The result in plain words; None where there is none."""
        if self.problem:
            return Verdict(self.problem, "doubt" if self.problem.startswith("Cancelled") else "bad", ())
        if self.elsewhere:
            return Verdict(self.elsewhere, "doubt", ())
        if self.result is None:
            return None
        return verdict_of(self.result)

    def _initial(self, shown: Transform) -> Transform | None:
        if self.start == "record" and self.start_record is not None:
            return self.start_record.fixed_to_moving
        return shown if self.start == "layers" else None

    def _on_slides(self) -> None:
        """Forget what was said of other slides."""
        self.problem = self.elsewhere = ""
        self.changed.emit()

    def _rest(self) -> None:
        self.state, self.fraction, self.message = "idle", 0.0, ""
