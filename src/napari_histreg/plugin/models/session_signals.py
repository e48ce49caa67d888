"""What a session tells those who show it."""

from collections.abc import Callable
from typing import Any

from psygnal import EmitLoopError, SignalInstance

from napari_histreg.plugin.models.session_state import SessionState

__all__ = ["Announcement", "SessionSignals", "tell_all"]


class Announcement:
    """A signal that every listener hears, whatever becomes of the others.

    Methods are held weakly, as psygnal does.

    Parameters
    ----------
    *types : type
        Of what is told.

    Examples
    --------
    >>> heard = []
    >>> announcement = Announcement(int)
    >>> _ = announcement.connect(lambda number: 1 / 0)
    >>> _ = announcement.connect(heard.append)
    >>> try:
    ...     announcement.emit(3)
    ... except EmitLoopError:
    ...     print(heard)
    [3]
    """

    def __init__(self, *types: type) -> None:
        self._types = types
        # psygnal leaves off at the first listener that fails, so each has a line of its own.
        self._lines: list[SignalInstance] = []

    def connect(self, slot: Callable[..., Any]) -> Callable[..., Any]:
        """Call `slot` at each `emit`."""
        line = SignalInstance(self._types)
        line.connect(slot)
        self._lines.append(line)
        return slot

    def disconnect(self, slot: Callable[..., Any], missing_ok: bool = True) -> None:
        """Call `slot` no more."""
        found = [line for line in self._lines if slot in line]
        if not found and not missing_ok:
            raise ValueError(f"{slot} does not listen.")
        self._lines = [line for line in self._lines if line not in found]

    def emit(self, *values: Any) -> None:
        """Tell all listeners.

        Raises
        ------
        EmitLoopError
            A listener failed; raised once all have heard, with the first error as its cause.
        """
        self._lines = [line for line in self._lines if len(line)]
        lines = list(self._lines)
        tell_all(*(lambda line=line: line.emit(*values) for line in lines if line in self._lines))


class SessionSignals:
    """What a session tells those who show it.

    Attributes
    ----------
    slides_changed : Announcement
        Other slides were chosen; `Session.fixed` and `Session.moving` hold them.
    state_changed : Announcement of SessionState
        Anything in the state changed, by an edit, an undo or a restored session.
    transform_changed : Announcement of Transform
        The moving slide lies elsewhere, fixed to moving; also while it is being dragged.
    side_changed : Announcement of str
        Another side is to be clicked next ("fixed" or "moving").
    """

    def __init__(self) -> None:
        self.slides_changed = Announcement()
        self.state_changed = Announcement(SessionState)
        self.transform_changed = Announcement(object)
        self.side_changed = Announcement(str)


def tell_all(*calls: Callable[[], Any]) -> None:
    """Make all calls, even where one fails, and raise the first error afterwards."""
    problem: EmitLoopError | None = None
    for call in calls:
        try:
            call()
        except EmitLoopError as error:
            problem = problem or error
    if problem is not None:
        raise problem
