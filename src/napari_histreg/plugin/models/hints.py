"""What to do next, and why something cannot be done now: the sentences of the widgets."""

import math

from napari_histreg.plugin.models.pair_table import error_text
from napari_histreg.plugin.models.session import Session
from napari_histreg.plugin.models.session_state import PAIRS_TO_TAKE_OVER
from napari_histreg.units import unit_sign

__all__ = ["has_prediction", "is_doubtful", "notes", "obstacle", "summary", "what_next"]

_NOT_READY = "Choose a fixed and a moving slide first."


def what_next(session: Session, *, placing: bool) -> str:
    """Tell the user what to do next.

    Parameters
    ----------
    session : Session
    placing : bool
        Whether clicks on the canvas make pairs.
    """
    if session.fixed is None or session.moving is None:
        return "Open two slides, then choose which one stays (fixed) and which one moves."
    if not session.is_ready:
        return "Fixed and moving are the same slide. Choose another one."
    state = session.state
    if not placing:
        return "Press Click pairs, then click the same spot in both slides."
    waiting = state.waiting
    if waiting is not None:
        name, side = state.name(waiting[0]), waiting[1]
        spot = f"Click the same spot in the {side} slide (pair {name})."
        return (
            f"{spot} The ring shows where to expect it; G snaps to it." if has_prediction(session) else spot
        )
    return _where_to_click(session)


def _where_to_click(session: Session) -> str:
    state = session.state
    first = f"Click a spot in the {session.next_side} slide"
    texts = {
        0: f"{first} that you can find in the other one too.",
        1: f"{first}, far away from the first pair.",
        2: f"{first}, off the line through the first two pairs.",
    }
    if state.handover == "third pair":
        missing = PAIRS_TO_TAKE_OVER - state.usable_count
        more = "one more pair" if missing == 1 else f"{missing} more pairs"
        return f"{first}. With {more} the pairs decide in place of the guess."
    if state.usable_count and not state.follow:
        return f"{first}: the pairs measure how the slides lie, they move nothing."
    return texts.get(state.usable_count, f"{first} to check and improve the fit.")


def summary(session: Session) -> str:
    """Say in one line what decides where the moving slide lies, and how well the pairs agree."""
    state, unit = session.state, unit_sign(session.unit)
    if state.fit is None:
        words = {
            "initial": "as the layers lie",
            "automatic": "a guess that was refused" if state.is_guess else "automatic result",
            "turned": "turned by hand",
            "dragged": "placed by hand",
            "landmarks": "",
        }
        text = f"Placement: {words[state.origin]}"
        if state.usable_count and not state.follow:
            text += "; the pairs only measure it"
        return text + "."
    pairs = "1 pair" if state.usable_count == 1 else f"{state.usable_count} pairs"
    text = f"{model_title(state.fit.model)} by {pairs}"
    left_out = state.fit.median_leave_one_out
    if not math.isfinite(left_out):
        return f"{text}; nothing checks it yet."
    residual = error_text(state.fit.median_residual)
    return f"{text}: residual {residual} {unit}, left out {error_text(left_out)} {unit} (median)."


def model_title(model: str) -> str:
    """Return a model's name for people.

    Examples
    --------
    >>> model_title("thin_plate")
    'Thin plate'
    """
    return model.replace("_", " ").capitalize()


def notes(session: Session) -> tuple[str, ...]:
    """Return what is doubtful about the pairs, in sentences."""
    pair_fit = session.state.pair_fit
    problem = () if pair_fit.problem is None else (pair_fit.problem,)
    return problem + (() if pair_fit.fit is None else pair_fit.fit.notes)


def is_doubtful(session: Session) -> bool:
    """Whether something about the pairs is likely wrong, and not only worth knowing."""
    pair_fit = session.state.pair_fit
    return pair_fit.problem is not None or (pair_fit.fit is not None and bool(pair_fit.fit.outliers))


def has_prediction(session: Session) -> bool:
    """Whether the pairs tell where the partner of a point is to be expected."""
    state = session.state
    return state.usable_count >= 2 or state.placement_origin == "automatic"


def obstacle(session: Session, action: str) -> str:
    """Say why an action is not possible now; empty where it is.

    Parameters
    ----------
    session : Session
    action : str
        "click", "undo", "redo", "turn", "drag", "snap", "where next", "lock", "delete", "save",
        "follow", "automatic pairs".

    Raises
    ------
    KeyError
        There is no such action.
    """
    state = session.state
    reasons = {
        "click": "",
        "undo": "" if session.undo_label else "There is nothing to undo.",
        "redo": "" if session.redo_label else "There is nothing to do again.",
        "turn": _blocked_by_pairs(session, 2),
        "drag": _blocked_by_pairs(session, 1),
        "snap": _snap(session),
        "where next": "" if state.fit and state.usable_count >= 2 else "Place two pairs first.",
        "lock": "" if has_prediction(session) else "Place two pairs first; then both views can move as one.",
        "delete": "" if len(state.landmarks) else "There is no pair to delete.",
        "save": "",
        "follow": "" if state.usable_count else "Place a pair first.",
        "automatic pairs": _automatic_pairs(session),
    }
    reason = reasons[action]
    always = ("undo", "redo")
    return reason if session.is_ready or (action in always and not reason) else reason or _NOT_READY


def _blocked_by_pairs(session: Session, count: int) -> str:
    state = session.state
    if state.follow and state.usable_count >= count:
        return "The pairs hold the moving slide now. Switch them off to place it by hand."
    return ""


def _snap(session: Session) -> str:
    if not has_prediction(session):
        return "Place two pairs first; then the partner of a point can be looked for."
    return ""


def _automatic_pairs(session: Session) -> str:
    record = session.registration
    if record is None:
        return "There is no automatic result."
    if record.landmarks is None or not len(record.landmarks):
        return "The automatic result did not come from pairs."
    return ""
