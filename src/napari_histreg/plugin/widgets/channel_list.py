"""A list of channels, each with a box to tick."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QListWidget, QListWidgetItem

__all__ = ["ChannelList"]

MOST_PX = 110


class ChannelList(QListWidget):
    """Lets channels be chosen; hidden where there is no choice.

    Parameters
    ----------
    tip : str
        What the ticked ones are for.
    """

    def __init__(self, tip: str) -> None:
        super().__init__()
        self.setToolTip(tip)
        self.setMaximumHeight(MOST_PX)

    def offer(self, names: Sequence[str]) -> None:
        """Show these channels, all ticked, unless they are shown already."""
        if list(names) != [item.text() for item in self._items()]:
            self.clear()
            for name in names:
                item = QListWidgetItem(name, self)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked)
        self.setVisible(bool(names))

    @property
    def chosen(self) -> list[int] | None:
        """Places of the ticked channels; None where all are."""
        items = self._items()
        ticked = [k for k, item in enumerate(items) if item.checkState() == Qt.CheckState.Checked]
        return ticked if len(ticked) < len(items) else None

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(k) for k in range(self.count())]
