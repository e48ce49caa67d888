"""What a group has to do with files: channels joined, the sitting saved and opened."""

import weakref
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_histreg.errors import HistregError
from napari_histreg.groups.document import is_group
from napari_histreg.plugin.models.group_file import SUFFIX, write_group_session
from napari_histreg.plugin.models.group_model import GroupModel
from napari_histreg.plugin.viewer.group_files import join_channels, open_group_record, open_group_session
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.plugin.widgets.group_table import GroupTable
from napari_histreg.plugin.widgets.parts import button, column, fill, note, row, set_allowed
from napari_histreg.plugin.widgets.session_dialogs import ask_for_slide, ask_what_to_open, ask_where_to_save
from napari_histreg.records.record import SlideRecord

__all__ = ["GroupFiles"]


class GroupFiles(QWidget):
    """Buttons to join channels, and to save and open the sitting.

    Parameters
    ----------
    viewer : napari.Viewer
    sync : LayerSync
    model : GroupModel
    table : GroupTable
        Whose selected rows are joined.

    Attributes
    ----------
    join_row : QWidget
        The button that joins, for beside the list.
    record_opened : Signal()
        A group.json was opened, whose slides are to be laid.
    """

    record_opened = Signal()

    def __init__(self, viewer: Any, sync: LayerSync, model: GroupModel, table: GroupTable) -> None:
        super().__init__()
        self._viewer = weakref.ref(getattr(viewer, "__wrapped__", viewer))
        self._sync, self._model, self._table = sync, model, table
        self.join_button = button(
            "Join as channels",
            "Make one slide of the selected files, a channel each (or drop them with Shift held)",
            self.join,
        )
        self.save_button = button(
            "Save group …", "Write slides, options, pairs and result to one file, to go on later", self.save
        )
        self.open_button = button(
            "Open group …", "Go on where a saved group ended, or open the group.json of a run", self.open
        )
        self.where = note()
        self.join_row = QWidget()
        column(self.join_row, margin=0).addLayout(row(self.join_button))
        layout = column(self, margin=0)
        layout.addLayout(row(self.save_button, self.open_button))
        layout.addWidget(self.where)
        table.itemSelectionChanged.connect(self.show_state)
        self.show_state()

    def show_state(self) -> None:
        """Say which buttons can be pressed, and where the links are kept."""
        running = None if self._model.state == "idle" else "It is running. Cancel it first."
        several = None if len(self._table.chosen) > 1 else "Select the rows of two files or more."
        set_allowed(self.join_button, running or several)
        set_allowed(self.save_button, running or (None if self._model.open else "Open slides first."))
        set_allowed(self.open_button, running)
        folder = self._model.folder
        fill(self.where, "" if folder is None else f"Pairs and group.json are kept in {folder}")

    def join(self) -> None:
        """Make one slide of the selected rows."""
        viewer = self._viewer()
        if viewer is None:
            return
        try:
            join_channels(viewer, self._sync, [self._model.listed[k] for k in self._table.chosen])
        except HistregError as error:
            show_error(str(error))
        self._table.clearSelection()

    def save(self, path: str = "") -> None:
        """Ask where to, unless told, and write the sitting."""
        if not path:
            path = ask_where_to_save(self, "group", self._folder() / "group", SUFFIX)
        if not path:
            return
        if not path.endswith(".json"):
            path += SUFFIX
        try:
            write_group_session(path, self._model)
        except HistregError as error:
            show_error(str(error))

    def open(self, path: str = "") -> None:
        """Ask which sitting or group.json, unless told, and open it."""
        if not path:
            path = ask_what_to_open(self, "group", self._folder(), SUFFIX)
        viewer = self._viewer()
        if not path or viewer is None:
            return
        try:
            if is_group(path):
                opened = open_group_record(viewer, self._sync, self._model, path, self._ask)
                if opened:
                    self.record_opened.emit()
            else:
                open_group_session(viewer, self._sync, self._model, path, self._ask)
        except HistregError as error:
            show_error(str(error))

    def _ask(self, side: str, record: SlideRecord) -> str | None:
        return ask_for_slide(self, side, record, self._folder())

    def _folder(self) -> Path:
        paths = [slide.path for slide in self._model.open if slide.path is not None]
        return Path(paths[0]).parent if paths else Path.home()
