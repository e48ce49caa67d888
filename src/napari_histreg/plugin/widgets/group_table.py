"""The slides of a group as a list: ticked or not, with a state and an error each."""

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QBrush, QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_histreg.plugin.models.group_rows import SlideRow
from napari_histreg.plugin.widgets.theme import tone_colour

__all__ = ["GroupTable"]

COLUMNS = ("Slide", "State", "Error")
TIPS = (
    "Ticked slides take part in the next run",
    "Whether the slide has a place, and how far to trust it",
    "How far its links lie from where it was placed (median)",
)
HEIGHT = 190


class GroupTable(QTableWidget):
    """Shows rows; a tick that is set or taken away is told.

    Attributes
    ----------
    ticked : Signal(int, bool)
        Number of the row, and whether its slide is to take part.
    """

    ticked = Signal(int, bool)

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self._rows: tuple[SlideRow, ...] = ()
        for k, (name, tip) in enumerate(zip(COLUMNS, TIPS, strict=True)):
            item = QTableWidgetItem(name)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(k, item)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setMinimumHeight(HEIGHT)
        self.itemChanged.connect(self._on_item)

    @property
    def chosen(self) -> list[int]:
        """Numbers of the rows that are selected, from top to bottom."""
        return sorted({index.row() for index in self.selectedIndexes()})

    def show_rows(self, rows: Sequence[SlideRow]) -> None:
        """Show other rows; what stays the same is left alone, with its selection."""
        rows = tuple(rows)
        if rows == self._rows:
            return
        blocked = self.blockSignals(True)
        self.setRowCount(len(rows))
        for k, row in enumerate(rows):
            if k >= len(self._rows) or row != self._rows[k]:
                self._fill(k, row)
        self._rows = rows
        self.blockSignals(blocked)
        self.viewport().update()

    def _fill(self, k: int, row: SlideRow) -> None:
        tip = "\n".join((row.name, *row.reasons))
        for column, text in enumerate((row.name, row.state, row.error)):
            item = QTableWidgetItem(text)
            item.setToolTip(tip)
            if column == 0:
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked if row.included else Qt.CheckState.Unchecked)
            elif row.tone:
                item.setForeground(QBrush(QColor(tone_colour(row.tone))))
            self.setItem(k, column, item)

    def _on_item(self, item: QTableWidgetItem) -> None:
        if item.column() == 0:
            self.ticked.emit(item.row(), item.checkState() == Qt.CheckState.Checked)
