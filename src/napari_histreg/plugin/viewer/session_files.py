"""Sessions of a viewer as files: save, and open again with the slides that belong to it."""

from pathlib import Path
from typing import Any

from napari_histreg.plugin.models.session_file import (
    SavedSession,
    read_session,
    write_session,
)
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.plugin.viewer.recorded_slides import AskWhere, open_recorded
from napari_histreg.records.record import SlideRecord
from napari_histreg.slides import Slide

__all__ = ["open_session", "save_session"]


def save_session(sync: LayerSync, path: str | Path) -> None:
    """Write the session of a viewer.

    Raises
    ------
    ValueError
        No two slides are chosen.
    WriteError
        The file cannot be written.
    """
    if sync.fixed is None or sync.moving is None:
        raise ValueError("Choose a fixed and a moving slide first.")
    write_session(path, SlideRecord.of(sync.fixed), SlideRecord.of(sync.moving), sync.session.state)


def open_session(viewer: Any, sync: LayerSync, path: str | Path, ask: AskWhere) -> bool:
    """Open a session: its slides, unless the viewer shows them already, and everything else.

    Parameters
    ----------
    viewer : napari.Viewer
    sync : LayerSync
        Of this viewer.
    path : path-like
        The session's file.
    ask : callable
        Called for each slide that is not where it was.

    Returns
    -------
    bool
        False where the user gave up.

    Raises
    ------
    ReadError
        The session or a slide cannot be read, or a slide is another one.
    """
    saved = read_session(path)
    slides = open_recorded(
        viewer, sync, [("fixed", saved.fixed), ("moving", saved.moving)], Path(path).resolve().parent, ask
    )
    if slides is None:
        return False
    restore(sync, saved, *slides)
    return True


def restore(sync: LayerSync, saved: SavedSession, fixed: Slide, moving: Slide) -> None:
    """Choose the slides and take over the state of a saved session."""
    sync.choose(fixed, moving)
    sync.session.restore(saved.state)
