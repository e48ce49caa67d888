"""Save the session, open one."""

import weakref
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_histreg.errors import HistregError
from napari_histreg.plugin.models.hints import obstacle
from napari_histreg.plugin.models.session_file import SUFFIX
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.plugin.viewer.session_files import open_session, save_session
from napari_histreg.plugin.widgets.parts import button, follow, set_allowed
from napari_histreg.plugin.widgets.session_dialogs import ask_for_slide, ask_what_to_open, ask_where_to_save
from napari_histreg.records.record import SlideRecord

__all__ = ["SessionBar"]


class SessionBar(QWidget):
    """Two buttons for sessions.

    Parameters
    ----------
    viewer : napari.Viewer
    sync : LayerSync
    """

    def __init__(self, viewer: Any, sync: LayerSync) -> None:
        super().__init__()
        self._viewer = weakref.ref(getattr(viewer, "__wrapped__", viewer))
        self._sync = sync
        self.save_button = button(
            "Save session …", "Write slides, pairs and result to one file, to go on later", self.save
        )
        self.open_button = button("Open session …", "Go on where a saved session ended", self.open)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.save_button)
        row.addWidget(self.open_button)
        follow(self, sync.session.events.slides_changed, self._show)
        self._show()

    def save(self, path: str = "") -> None:
        """Ask where to, unless told, and write the session."""
        if not path:
            path = ask_where_to_save(self, "session", self._folder() / self._name(), SUFFIX)
        if not path:
            return
        if not path.endswith(".json"):
            path += SUFFIX
        try:
            save_session(self._sync, path)
        except HistregError as error:
            show_error(str(error))

    def open(self, path: str = "") -> None:
        """Ask which one, unless told, and open it."""
        if not path:
            path = ask_what_to_open(self, "session", self._folder(), SUFFIX)
        viewer = self._viewer()
        if not path or viewer is None:
            return
        try:
            open_session(viewer, self._sync, path, self._ask)
        except HistregError as error:
            show_error(str(error))

    def _ask(self, side: str, record: SlideRecord) -> str | None:
        return ask_for_slide(self, side, record, self._folder())

    def _folder(self) -> Path:
        fixed = self._sync.fixed
        return Path.home() if fixed is None or fixed.path is None else Path(fixed.path).parent

    def _name(self) -> str:
        return "session" if self._sync.moving is None else Path(self._sync.moving.name).name.split(".")[0]

    def _show(self) -> None:
        set_allowed(self.save_button, obstacle(self._sync.session, "save") or None)
