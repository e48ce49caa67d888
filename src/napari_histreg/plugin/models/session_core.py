"""SessionCore: the slides chosen in one viewer, the history of each pairing, and the results kept for it."""

from collections.abc import Callable
from dataclasses import replace

from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.models.chosen_slide import ChosenSlide
from napari_histreg.plugin.models.history import History
from napari_histreg.plugin.models.session_signals import SessionSignals, tell_all
from napari_histreg.plugin.models.session_state import Origin, SessionState, Side
from napari_histreg.registration import Registration
from napari_histreg.transforms import Affine, Transform

__all__ = ["SessionCore", "fingerprints_of"]

_Pairing = tuple[str, str]


class SessionCore:
    """What is chosen, how far it has come, and the way back and forth; edits are up to `Session`.

    Attributes
    ----------
    events : SessionSignals
        Connect to these to hear of changes.
    """

    def __init__(self) -> None:
        self.events = SessionSignals()
        self._fixed: ChosenSlide | None = None
        self._moving: ChosenSlide | None = None
        self._history = History(SessionState().fitted())
        self._histories: dict[_Pairing, History[SessionState]] = {}
        self._kept: dict[_Pairing, Registration] = {}
        self._side: Side = "fixed"
        self._preview: Transform | None = None

    @property
    def fixed(self) -> ChosenSlide | None:
        """The slide that stays."""
        return self._fixed

    @property
    def moving(self) -> ChosenSlide | None:
        """The slide that is brought onto the fixed one."""
        return self._moving

    @property
    def is_ready(self) -> bool:
        """Whether two different slides are chosen."""
        return self._fixed is not None and self._moving is not None and self._fixed.key != self._moving.key

    @property
    def fingerprints(self) -> _Pairing:
        """What tells the fixed and the moving slide from all others; empty where none is chosen."""
        if self._fixed is None or self._moving is None:
            return ("", "")
        return self._fixed.record.fingerprint, self._moving.record.fingerprint

    @property
    def unit(self) -> str:
        """Unit of the fixed slide's world, in which errors are measured: "um" or "px"."""
        return "px" if self._fixed is None else self._fixed.slide.unit

    @property
    def state(self) -> SessionState:
        """The present state."""
        return self._history.present

    @property
    def landmarks(self) -> Landmarks:
        """The pairs, in world units of each slide."""
        return self.state.landmarks

    @property
    def fixed_to_moving(self) -> Transform:
        """Where the moving slide lies, in world units; while it is dragged, where the mouse holds it."""
        return self.state.fixed_to_moving if self._preview is None else self._preview

    @property
    def is_dragged(self) -> bool:
        """Whether the mouse holds the moving slide."""
        return self._preview is not None

    @property
    def bends(self) -> bool:
        """Whether moving layers cannot show the transform whole: it bends or has perspective."""
        return not isinstance(self.fixed_to_moving, Affine)

    @property
    def origin(self) -> Origin:
        """What decides where the moving slide lies."""
        return self.state.origin

    @property
    def registration(self) -> Registration | None:
        """The record of the automatic result that the state rests on, where there is one."""
        return self.state.registration

    @property
    def next_side(self) -> Side:
        """The side to be clicked next."""
        waiting = self.state.waiting
        return self._side if waiting is None else waiting[1]

    @property
    def undo_label(self) -> str | None:
        """What undo would take back, such as "add pair 3"; None where there is nothing."""
        return self._history.undo_label

    @property
    def redo_label(self) -> str | None:
        """What redo would do again; None where there is nothing."""
        return self._history.redo_label

    def choose(
        self, fixed: ChosenSlide | None, moving: ChosenSlide | None, *, initial: Transform | None = None
    ) -> None:
        """Choose the slides.

        Parameters
        ----------
        fixed, moving : ChosenSlide or None
            None where nothing is chosen yet.
        initial : Transform or None
            Where the moving slide lies now, fixed to moving in world units; by default both worlds are
            taken for one. Only heeded when this pairing is chosen for the first time.
        """
        if self.is_ready:
            self._histories[self._pairing()] = self._history
        self._fixed, self._moving = fixed, moving
        start = SessionState(placement=Affine.identity() if initial is None else initial)
        self._history = self._histories.get(self._pairing(), History(start.fitted()))
        self._preview = None
        tell_all(self.events.slides_changed.emit, self._tell)
        kept = self._kept.pop(self.fingerprints, None) if self._kept else None
        if kept is not None:
            self.accept_registration(kept)

    def accept_registration(self, registration: Registration) -> None:
        """Put an automatic result in place; the pairs then only measure it, until they are to be followed.

        After a refused result, which is only a guess, pairs placed by hand decide from the third on.

        Raises
        ------
        RegistrationError
            It holds no transform.
        """
        self._do(
            replace(
                self.state,
                placement=registration.fixed_to_moving,
                placement_origin="automatic",
                registration=registration,
                follow=False,
                handover="third pair" if registration.verdict == "refused" else "ask",
            ),
            f"{'guess' if registration.verdict == 'refused' else 'automatic result'} ({registration.method})",
        )

    def is_of_chosen(self, registration: Registration) -> bool:
        """Whether a result was computed from the two slides that are chosen now, by their fingerprints."""
        return self.is_ready and self.fingerprints == fingerprints_of(registration)

    def keep_for_later(self, registration: Registration) -> None:
        """Keep a result until its two slides are chosen, which then lie as it says."""
        self._kept[fingerprints_of(registration)] = registration

    def pairings(self) -> dict[_Pairing, SessionState]:
        """Return how far every two slides have come that were ever chosen together, by their keys."""
        known = {pairing: history.present for pairing, history in self._histories.items()}
        return {**known, self._pairing(): self.state} if self.is_ready else known

    def remember(self, fixed: ChosenSlide, moving: ChosenSlide, state: SessionState) -> None:
        """Take over how far two slides have come that are not chosen, for when they are."""
        self._histories[fixed.key, moving.key] = History(state.fitted())

    def undo(self) -> None:
        """Take back the last edit."""
        self._travel(self._history.undo)

    def redo(self) -> None:
        """Do again what was undone last."""
        self._travel(self._history.redo)

    def restore(self, state: SessionState, label: str = "restore session") -> None:
        """Take over a state, from a file for example, as one edit that can be undone."""
        self._do(state, label)

    def _pairing(self) -> _Pairing:
        return (
            "" if self._fixed is None else self._fixed.key,
            "" if self._moving is None else self._moving.key,
        )

    def _do(self, state: SessionState, label: str) -> None:
        self._preview = None
        self._history.push(state.fitted(self.state), label)
        self._tell()

    def _travel(self, step: Callable[[], SessionState]) -> None:
        self._preview = None
        before = self.state
        if step() is not before:
            self._tell()

    def _tell(self) -> None:
        tell_all(
            lambda: self.events.state_changed.emit(self.state),
            lambda: self.events.transform_changed.emit(self.fixed_to_moving),
            lambda: self.events.side_changed.emit(self.next_side),
        )


def fingerprints_of(registration: Registration) -> _Pairing:
    """Return the fingerprints of the two slides that a result was computed from."""
    return registration.fixed.fingerprint, registration.moving.fingerprint
