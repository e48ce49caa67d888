"""Sessions in napari's menus, and dropped onto the canvas."""

import os
from collections.abc import Callable, Sequence
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
    """Return the reader of sessions, or None where a file is none."""
    return read_sessions if all(_is_session(name) for name in _listed(path)) else None


def read_sessions(path: Paths) -> list[LayerData]:
    """Open a session in the present viewer; its slides are added on the way."""
    bar = _bar()
    if bar is not None:
        for name in _listed(path):
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


def _is_session(path: str | os.PathLike[str]) -> bool:
    from napari_histreg.errors import ReadError
    from napari_histreg.files.reading import opened
    from napari_histreg.plugin.models.session_file import FORMAT

    try:
        with opened(path) as stream:
            return FORMAT.encode() in stream.read(200)
    except (OSError, ReadError):
        return False


def _listed(path: Paths) -> list[str | os.PathLike[str]]:
    return [path] if isinstance(path, str | os.PathLike) else list(path)
