"""Sessions in napari's menus, and dropped onto the canvas; groups that were aligned elsewhere too."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_histreg.plugin.layers.slides import LayerData

__all__ = ["get_session_reader", "open_session", "read_sessions", "save_session"]

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def save_session() -> None:
    """Ask for a file and write the session of the present viewer."""
    bar = _bar()
    if bar is None:
        return
    if bar.save_button.isEnabled():
        bar.save()
    else:
        from napari.utils.notifications import show_info

        show_info(bar.save_button.toolTip())
    bar.deleteLater()


def open_session() -> None:
    """Ask for a session's file and open it in the present viewer."""
    bar = _bar()
    if bar is not None:
        bar.open()
        bar.deleteLater()


def get_session_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """Return the reader of sessions and of group.json, or None where a file is neither."""
    from napari_histreg.plugin.models.session_file import FORMAT

    formats = (FORMAT, *_group_formats())
    known = all(any(_says(name, one) for one in formats) for name in _listed(path))
    return read_sessions if known else None


def read_sessions(path: Paths) -> list[LayerData]:
    """Open a session, or a group, in the present viewer; its slides are added on the way."""
    bar = _bar()
    if bar is not None:
        for name in _listed(path):
            if any(_says(name, one) for one in _group_formats()):
                _group_files().open(os.fspath(name))
            else:
                bar.open(os.fspath(name))
        bar.deleteLater()
    # What napari takes as: read well, but there is no layer to add.
    return [(None,)]  # type: ignore[list-item]


def _bar() -> Any:
    from napari import current_viewer

    from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
    from napari_histreg.plugin.widgets.session_bar import SessionBar

    viewer = current_viewer()
    return None if viewer is None else SessionBar(viewer, layer_sync_of(viewer))


def _group_formats() -> tuple[str, str]:
    from napari_histreg.groups.schema import FORMAT as RECORD
    from napari_histreg.plugin.models.group_file import FORMAT as SITTING

    return SITTING, RECORD


def _group_files() -> Any:
    """Return what opens groups in the present viewer, whose panel is docked where it is not yet."""
    from napari import current_viewer

    from napari_histreg.plugin.widgets.align_widget import AlignWidget

    window = current_viewer().window
    docked = [dock.inner_widget() for dock in window._wrapped_dock_widgets.values()]
    found = next((widget for widget in docked if isinstance(widget, AlignWidget)), None)
    if found is None:
        _, found = window.add_plugin_dock_widget("napari-histreg", "Align slides")
    found.tabs.setCurrentWidget(found.group)
    return found.group.files


def _says(path: str | os.PathLike[str], file_format: str) -> bool:
    """Whether a file, or the group.json in a folder, begins by saying that it is of a format."""
    from napari_histreg.errors import ReadError
    from napari_histreg.files.reading import opened

    file = Path(path)
    # A pair's folder is opened as a pair, also where a group was written beside it.
    if file.is_dir() and not (file / "registration.json").exists():
        file = file / "group.json"
    try:
        with opened(file) as stream:
            return f'"{file_format}"'.encode() in stream.read(200)
    except (OSError, ReadError):
        return False


def _listed(path: Paths) -> list[str | os.PathLike[str]]:
    return [path] if isinstance(path, str | os.PathLike) else list(path)
