"""The list of keys, in a window of its own that may stay open."""

from qtpy.QtWidgets import QDialog, QGridLayout, QLabel, QWidget

__all__ = ["KEYS", "KeyList"]

KEYS = (
    ("K", "Click pairs, on and off"),
    ("G", "Snap the partner to the best local match"),
    ("N", "Where next?"),
    ("Escape", "Forget the point that waits for its partner"),
    ("Ctrl+Z", "Undo"),
    ("Ctrl+Shift+Z", "Redo"),
    ("Delete", "Delete the pairs chosen in the table"),
    ("Wheel", "Zoom, about the mouse"),
    ("Drag", "Pan; while Drag is on: shift the moving slide, with Shift: turn it"),
    ("Drag a point", "Move it, while Click pairs is on"),
    ("Click a point", "Select its pair in the table"),
    ("Double-click a name", "Rename the pair, in the table"),
)


class KeyList(QDialog):
    """What keys and mouse do while pairs are placed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys for landmarks")
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 12, 14, 12)
        grid.setHorizontalSpacing(18)
        for row, (keys, what) in enumerate(KEYS):
            grid.addWidget(QLabel(f"<b>{keys}</b>"), row, 0)
            grid.addWidget(QLabel(what), row, 1)
