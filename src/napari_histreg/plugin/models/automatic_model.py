"""AutomaticModel: what the automatic widget thinks — which method, how far, and what came of it."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from psygnal import Signal
from pydantic import BaseModel

from napari_histreg.landmarks import Landmarks
from napari_histreg.methods.registry import MethodSpec
from napari_histreg.plugin.models.session import Session
from napari_histreg.progress import Progress
from napari_histreg.registration import Registration, register
from napari_histreg.registration.catalogue import list_methods, method_spec
from napari_histreg.transforms import Affine, Transform

__all__ = ["MOST_PAIRS", "AutomaticModel", "Start", "Verdict", "thin"]

Start = Literal["nothing", "landmarks", "layers"]
"""From where a method starts: from nothing, from the pairs, or from how the layers lie."""

State = Literal["idle", "running", "stopping"]

OWN_PROCESS = ("itk",)
"""Modules that methods import in a process of their own."""
MOST_PAIRS = 30
"""So many pairs a person can look through; a method may have found thousands."""


@dataclass(frozen=True)
class Verdict:
    """A result in plain words.

    Parameters
    ----------
    headline : str
        One line.
    colour : str
        #rrggbb: green, amber or red.
    reasons : tuple of str
        Why.
    """

    headline: str
    colour: str
    reasons: tuple[str, ...]


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
        self.parameters: Mapping[str, Any] = {}
        self.state: State = "idle"
        self.fraction = 0.0
        self.message = ""
        self.problem = ""
        self.result: Registration | None = None

    @property
    def methods(self) -> tuple[MethodSpec, ...]:
        """All ways of aligning that run by themselves."""
        return tuple(spec for spec in list_methods() if spec.name != "landmarks")

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

    def begin(self, shown: Transform) -> Callable[[Progress], Registration]:
        """Start a run: return the call to be made in a thread.

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
            "initial": shown if self.start == "layers" else None,
            "landmarks": landmarks,
            "must_find": False,
        }
        self.state, self.fraction, self.message = "running", 0.0, "starting"
        self.problem, self.result = "", None
        self.changed.emit()

        def call(progress: Progress) -> Registration:
            return register(fixed.slide, moving.slide, progress=progress, **wishes)

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

    def succeed(self, registration: Registration) -> None:
        """Take the result; unless it was refused, the moving slide goes where it says, to be undone."""
        self._rest()
        self.result = registration
        if registration.has_transform and registration.verdict != "refused":
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
            return Verdict(self.problem, "#e0a030" if self.problem.startswith("Cancelled") else "#ff6b6b", ())
        if self.result is None:
            return None
        confidence = self.result.confidence
        sure = "" if confidence is None else f" — confidence {confidence:.0%}"
        time = f"{self.result.seconds:.1f} s"
        headlines = {
            "accepted": (f"Aligned{sure} ({time})", "#4cc38a"),
            "doubtful": (f"Aligned, but look at it{sure} ({time})", "#e0a030"),
            "refused": (f"Not aligned{sure} ({time})", "#ff6b6b"),
        }
        headline, colour = headlines[self.result.verdict]
        return Verdict(headline, colour, self.result.reasons)

    def _rest(self) -> None:
        self.state, self.fraction, self.message = "idle", 0.0, ""


def thin(landmarks: Landmarks, count: int) -> Landmarks:
    """Keep at most `count` pairs, spread as widely as can be, the surest first.

    Each next pair is the one farthest from those kept, its distance weighed by its confidence.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.arange(10.0)[:, None] * [0, 1]
    >>> sorted(thin(Landmarks.of(line, line), 3).fixed[:, 1].tolist())
    [0.0, 4.0, 9.0]
    """
    if len(landmarks) <= count:
        return landmarks
    confidence = np.ones(len(landmarks)) if landmarks.confidence is None else landmarks.confidence
    weight = 0.05 + np.nan_to_num(confidence, nan=0.0)
    centre = landmarks.fixed.mean(0)
    chosen = [int(np.argmax(np.linalg.norm(landmarks.fixed - centre, axis=1) * weight))]
    distance = np.full(len(landmarks), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, np.linalg.norm(landmarks.fixed - landmarks.fixed[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(distance * weight)))
    return landmarks.subset(sorted(set(chosen)))
