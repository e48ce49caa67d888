"""The state of a session as a folder of results holds it."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_histreg.errors import HistregError
from napari_histreg.landmarks.agreement import AUTO, LANDMARK_MODELS
from napari_histreg.plugin.models.session_file import SESSION_NAME, read_session
from napari_histreg.plugin.models.session_state import SessionState
from napari_histreg.records.record import Registration

__all__ = ["reopened_state"]

SAME = 1e-6
"""Share of the slide's diagonal within which two transforms are the same."""


def reopened_state(record: Registration, folder: Path, state: SessionState) -> SessionState:
    """Return where a session stood when the folder of its results was written.

    Parameters
    ----------
    record : Registration
        Of the folder, with its landmarks.
    folder : Path
        Where a session lies too, if the window wrote it.
    state : SessionState
        The present one.

    Returns
    -------
    SessionState
        With the pairs. A fit of landmarks is one again; any other result is an automatic one.
    """
    saved = _session_of(record, folder)
    if saved is not None:
        return saved
    if record.method == "landmarks" and record.landmarks is not None and record.verdict != "refused":
        model = str(record.parameters.get("model", AUTO))
        pairs = state.with_landmarks(record.landmarks)
        return replace(
            pairs,
            model=model if model in (AUTO, *LANDMARK_MODELS) else AUTO,
            follow=True,
            placement=record.fixed_to_moving,
        )
    return replace(
        state,
        placement=record.fixed_to_moving,
        placement_origin="automatic",
        registration=record,
        follow=False,
        handover="third pair" if record.verdict == "refused" else "ask",
    )


def _session_of(record: Registration, folder: Path) -> SessionState | None:
    """Return the session that lies in the folder, if it belongs to the record still."""
    try:
        saved = read_session(folder / SESSION_NAME)
    except HistregError:
        return None
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) * record.fixed.shape * record.fixed.world_pixel_size
    away = np.abs(saved.state.fixed_to_moving(corners) - record.fixed_to_moving(corners)).max()
    of_slides = (saved.fixed.fingerprint, saved.moving.fingerprint)
    same = of_slides == (record.fixed.fingerprint, record.moving.fingerprint)
    return saved.state if same and away <= SAME * float(np.hypot(*corners[-1])) else None
