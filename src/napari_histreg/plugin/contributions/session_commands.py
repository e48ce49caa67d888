"""Sessions in napari's menus, and dropped onto the canvas; groups that were aligned elsewhere too."""

from pathlib import Path
from typing import Any

from napari_histreg.plugin.contributions.given_paths import (
    NOTHING_TO_ADD,
    Paths,
    Reader,
    listed,
    says_format,
)
from napari_histreg.plugin.layers.slides import LayerData

__all__ = ["get_session_reader", "open_session", "read_sessions", "save_session"]


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


def get_session_reader(path: Paths) -> Reader | None:
    """Return the reader of sessions and of group.json, or None where a file is neither."""
    from napari_histreg.plugin.models.session_file import FORMAT

    formats = (FORMAT, *_group_formats())
    known = all(any(_says(name, one) for one in formats) for name in listed(path))
    return read_sessions if known else None


def read_sessions(path: Paths) -> list[LayerData]:
    """Open a session, or a group, in the present viewer; its slides are added on the way."""
    bar = _bar()
    if bar is not None:
        for name in listed(path):
            if any(_says(name, one) for one in _group_formats()):
                _group_files().open(str(name))
            else:
                bar.open(str(name))
        bar.deleteLater()
    return NOTHING_TO_ADD


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


def _says(path: Path, file_format: str) -> bool:
    """Whether a file, or the group.json in a folder, begins by saying that it is of a format."""
    # A pair's folder is opened as a pair, also where a group was written beside it.
    in_folder = path.is_dir() and not (path / "registration.json").exists()
    return says_format(path / "group.json" if in_folder else path, file_format, within=200)
