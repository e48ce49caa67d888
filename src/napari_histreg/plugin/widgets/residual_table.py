"""The table of pairs."""

from typing import Any

from qtpy.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QSignalBlocker,
    Qt,
    Signal,
)
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from napari_histreg.plugin.models.pair_table import PairRow, error_text
from napari_histreg.plugin.widgets.theme import tone_colour
from napari_histreg.units import unit_sign

__all__ = ["ResidualTable"]

_NUMBER, _NAME, _RESIDUAL, _LEFT_OUT = range(4)
_HELP = (
    "Whether the pair counts. Its colour, as that of its points, is how far it is left out: "
    "blue up to a quarter of a nucleus (2 µm), then half, one, two, and red beyond.",
    "Name of the pair. Double-click to change it.",
    "Distance between the fixed point and where the moving point comes to lie.",
    "The same if the pair itself is left out of the fit: how well the other pairs predict it. "
    "The error to trust.",
)


class _PairTableModel(QAbstractTableModel):
    """Rows of the table for Qt."""

    switched = Signal(int, bool)
    renamed = Signal(int, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[PairRow] = []
        self.unit = "um"

    def set_rows(self, rows: list[PairRow], unit: str) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows, self.unit = rows, unit
        self.endResetModel()

    def rowCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else 4

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole:
            return _HELP[section]
        if role == Qt.ItemDataRole.DisplayRole:
            units = "µm / px" if self.unit == "um" else unit_sign(self.unit)
            return ("", "Pair", f"Residual\n{units}", f"Left out\n{units}")[section]
        return None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], index.column()
        checked = Qt.CheckState.Checked if row.enabled else Qt.CheckState.Unchecked
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        answers: dict[Any, Any] = {
            Qt.ItemDataRole.DisplayRole: self._text(row, column),
            Qt.ItemDataRole.ToolTipRole: self._tip(row),
        }
        if column == _NUMBER:
            answers[Qt.ItemDataRole.CheckStateRole] = checked
        elif column == _NAME:
            answers[Qt.ItemDataRole.EditRole] = row.name
            answers[Qt.ItemDataRole.DecorationRole] = QColor(row.colour)
        else:
            answers[Qt.ItemDataRole.TextAlignmentRole] = right
        if not row.enabled:
            answers[Qt.ItemDataRole.ForegroundRole] = QColor(tone_colour("off"))
        return answers.get(role)

    def flags(self, index: QModelIndex) -> Any:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == _NUMBER:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        if index.column() == _NAME:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: QModelIndex, value: Any, role: int = 0) -> bool:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole:
            self.switched.emit(row.pair_id, Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        if role == Qt.ItemDataRole.EditRole:
            self.renamed.emit(row.pair_id, str(value))
            return True
        return False

    def _text(self, row: PairRow, column: int) -> str:
        if column == _NUMBER:
            return ""
        if column == _NAME:
            return f"{row.name} ⚠" if row.doubt else row.name
        if not row.placed:
            return "waits" if column == _RESIDUAL else ""
        world, px = (
            (row.residual, row.residual_px)
            if column == _RESIDUAL
            else (row.leave_one_out, row.leave_one_out_px)
        )
        text, text_px = error_text(world), error_text(px)
        return text if self.unit != "um" or text == "–" else f"{text} / {text_px}"

    def _tip(self, row: PairRow) -> str:
        if row.doubt:
            return f"Likely wrong: {row.doubt}"
        return "" if row.placed else "Its second point is still to be clicked."


class ResidualTable(QTableView):
    """Pairs with their errors.

    Attributes
    ----------
    switched : Signal(int, bool)
        A pair, by its id, is to count or not.
    renamed : Signal(int, str)
        A pair is to get another name.
    chosen : Signal(int)
        The row of a pair was chosen by the user.
    selection_changed : Signal()
        Other rows are selected than before.
    delete_asked : Signal(list)
        The pairs chosen are to be deleted.
    """

    switched = Signal(int, bool)
    renamed = Signal(int, str)
    chosen = Signal(int)
    selection_changed = Signal()
    delete_asked = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _PairTableModel(self)
        self._model.switched.connect(self.switched)
        self._model.renamed.connect(self.renamed)
        self.setModel(self._model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMinimumHeight(140)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(26)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        self.selectionModel().currentRowChanged.connect(self._on_current)
        self.selectionModel().selectionChanged.connect(lambda *_: self.selection_changed.emit())

    @property
    def rows(self) -> list[PairRow]:
        """The rows that are shown."""
        return self._model.rows

    @property
    def selected_ids(self) -> list[int]:
        """Ids of the pairs whose rows are selected."""
        return [self.rows[index.row()].pair_id for index in self.selectionModel().selectedRows()]

    def show_rows(self, rows: list[PairRow], unit: str) -> None:
        """Show these rows; the selection stays with its pairs."""
        if rows == self.rows and unit == self._model.unit:
            return
        kept = set(self.selected_ids)
        with QSignalBlocker(self.selectionModel()):
            self._model.set_rows(rows, unit)
            wanted = QItemSelection()
            for index, row in enumerate(rows):
                if row.pair_id in kept:
                    wanted.select(self._model.index(index, 0), self._model.index(index, 3))
            # One after the other, each row would take the place of the one before.
            self.selectionModel().select(wanted, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.viewport().update()

    def select_pair(self, pair_id: int) -> None:
        """Select the row of a pair, without telling anybody."""
        for index, row in enumerate(self.rows):
            if row.pair_id == pair_id:
                with QSignalBlocker(self.selectionModel()):
                    self.selectRow(index)
                self.scrollTo(self._model.index(index, 0))
                self.viewport().update()
                self.selection_changed.emit()

    def keyPressEvent(self, event: Any) -> None:
        """Delete the pairs chosen, by the usual keys."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.selected_ids:
            self.delete_asked.emit(self.selected_ids)
            return
        super().keyPressEvent(event)

    def _on_current(self, current: QModelIndex, previous: QModelIndex) -> None:
        del previous
        if current.isValid():
            self.chosen.emit(self.rows[current.row()].pair_id)
