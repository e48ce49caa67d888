"""What a session tells those who show it."""

from psygnal import Signal, SignalGroup

from napari_histreg.plugin.models.session_state import SessionState

__all__ = ["SessionSignals"]


class SessionSignals(SignalGroup):
    """What a session tells those who show it."""

    slides_changed = Signal()
    """Other slides were chosen; `Session.fixed` and `Session.moving` hold them."""

    state_changed = Signal(SessionState)
    """Anything in the state changed, by an edit, an undo or a restored session."""

    transform_changed = Signal(object)
    """The moving slide lies elsewhere (Transform, fixed to moving); also while it is being dragged."""

    side_changed = Signal(str)
    """Another side is to be clicked next ("fixed" or "moving")."""
