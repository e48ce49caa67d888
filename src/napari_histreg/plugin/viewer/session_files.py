"""Sessions of a viewer as files: save, and open again with the slides that belong to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_histreg.errors import DamagedFile
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.models.session_file import (
    SavedSession,
    is_same_slide,
    read_session,
    write_session,
)
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.records.record import SlideRecord
from napari_histreg.slides import Slide, open_slide

__all__ = ["open_session", "opened_slide", "save_session", "where_now"]

AskWhere = Callable[[str, SlideRecord], str | None]
"""Asks the user where a slide lies now; gets the side and its record, returns a path, or None to give up."""


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
    saved_at = Path(path).resolve().parent
    slides = []
    for side, record in (("fixed", saved.fixed), ("moving", saved.moving)):
        slide = _shown(sync, record)
        if slide is None:
            where = where_now(record, saved_at) or ask(side, record)
            if where is None:
                return False
            slide = opened_slide(where, record, side)
            add_slide(viewer, slide)
        slides.append(slide)
    restore(sync, saved, *slides)
    return True


def restore(sync: LayerSync, saved: SavedSession, fixed: Slide, moving: Slide) -> None:
    """Choose the slides and take over the state of a saved session."""
    sync.choose(fixed, moving)
    sync.session.restore(saved.state)


def _shown(sync: LayerSync, record: SlideRecord) -> Slide | None:
    """Return the slide of the viewer that the record describes."""
    return next((slide for slide in sync.slides if is_same_slide(slide, record)), None)


def where_now(record: SlideRecord, folder: Path) -> str | None:
    """Return where a slide lies: where it was, or beside the session's file."""
    if record.path is None:
        return None
    if Path(record.path).exists():
        return record.path
    beside = folder / Path(record.path).name
    return str(beside) if beside.exists() else None


def opened_slide(path: str, record: SlideRecord, side: str) -> Slide:
    """Open a slide of a session, and make sure that it is the same.

    Raises
    ------
    ReadError
        The file cannot be read, or is another slide.
    """
    slide = open_slide(path, pixel_size_um=record.pixel_size_um)
    if not is_same_slide(slide, record):
        slide.close()
        raise DamagedFile(f"{path} is not the {side} slide of this session: its content is another.")
    return slide
