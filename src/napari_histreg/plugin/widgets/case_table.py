"""The table of a cohort's cases."""

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QTableView, QWidget

from napari_histreg.plugin.models.cohort_model import CaseRow, CohortModel
from napari_histreg.plugin.widgets.theme import tone_colour

__all__ = ["CaseTable"]

HEADS = ("Case", "State", "Shift left", "Confidence", "Why")
_SORT = Qt.ItemDataRole.UserRole


class _CaseTableModel(QAbstractTableModel):
    """Rows of the table for Qt."""

    def __init__(self, parent: QWidget, cohort: CohortModel) -> None:
        super().__init__(parent)
        self._cohort = cohort
        self.rows: list[CaseRow] = []

    def read_all(self) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows = self._cohort.rows
        self.endResetModel()

    def read(self, place: int) -> None:
        """Show one row anew."""
        self.rows[place] = self._cohort.row(place)
        self.dataChanged.emit(self.index(place, 0), self.index(place, len(HEADS) - 1))

    def rowCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(HEADS)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return HEADS[section]
        return None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], index.column()
        words = (row.name, row.state_words, row.error_words, row.confidence_words, row.reason)
        if role == Qt.ItemDataRole.DisplayRole:
            return words[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.reason or "Double-click to open the pair with its result."
        if role == Qt.ItemDataRole.ForegroundRole and column == 1 and row.tone:
            return QColor(tone_colour(row.tone))
        if role == _SORT:
            unknown = float("inf")
            keys = (
                row.name,
                row.order,
                unknown if row.error is None else row.error,
                unknown if row.confidence is None else row.confidence,
                row.reason,
            )
            return keys[column]
        return None


class CaseTable(QTableView):
    """Cases with their states; a click on a head sorts them.

    Parameters
    ----------
    parent : QWidget
    cohort : CohortModel

    Attributes
    ----------
    opened : Signal(int)
        A case was double-clicked, by its place in the cohort.
    """

    opened = Signal(int)

    def __init__(self, parent: QWidget, cohort: CohortModel) -> None:
        super().__init__(parent)
        self._source = _CaseTableModel(self, cohort)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._source)
        self._sorted.setSortRole(_SORT)
        self._sorted.setDynamicSortFilter(True)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)
        self.doubleClicked.connect(self._open)

    def read_all(self) -> None:
        """Show other rows."""
        self._source.read_all()
        for column in range(4):
            self.resizeColumnToContents(column)

    def read(self, place: int) -> None:
        """Show one row anew."""
        self._source.read(place)

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self._sorted.mapToSource(index).row())
