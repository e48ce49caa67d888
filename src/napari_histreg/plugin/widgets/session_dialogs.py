"""Questions for files of sessions: where to save one, which to open, where a slide is now."""

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_histreg.records.record import SlideRecord

__all__ = ["ask_for_slide", "ask_what_to_open", "ask_where_to_save"]


def ask_where_to_save(parent: QWidget, what: str, start: Path, suffix: str) -> str:
    """Ask where a session goes, proposing a name without its suffix; empty where the user gave up."""
    path, _ = QFileDialog.getSaveFileName(parent, f"Save {what}", f"{start}{suffix}", _filter(suffix))
    return str(path)


def ask_what_to_open(parent: QWidget, what: str, folder: Path, suffix: str) -> str:
    """Ask which session is opened; empty where the user gave up."""
    path, _ = QFileDialog.getOpenFileName(parent, f"Open {what}", str(folder), _filter(suffix))
    return str(path)


def ask_for_slide(parent: QWidget, side: str, record: SlideRecord, folder: Path) -> str | None:
    """Ask where a slide is that is not where it was; None where the user gave up."""
    title = f"Where is the {side} slide {record.name} now?"
    path, _ = QFileDialog.getOpenFileName(parent, title, str(folder))
    return str(path) or None


def _filter(suffix: str) -> str:
    return f"Sessions (*{suffix});;JSON (*.json)"
