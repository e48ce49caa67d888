"""Room for the canvases: the columns of the window made narrow, hidden, and given back as they were."""

from typing import Any

from qtpy.QtCore import QSettings, Qt, QTimer
from qtpy.QtWidgets import QDockWidget

from napari_histreg.plugin.user_folders import session_folder

__all__ = ["NAPARI_LISTS", "LeftColumn", "remembered", "share_width"]

NAPARI_LISTS = ("layer list", "layer controls")
"""What napari calls the docks of its left column."""
_SHARE_MS = 50


class LeftColumn:
    """napari's lists of layers and their controls.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: Any) -> None:
        self._main = viewer.window._qt_window
        self._hidden: list[QDockWidget] = []
        self._width = self._measured()

    def hide(self) -> None:
        """Take the column away."""
        self._hidden = [dock for dock in self._docks() if dock.isVisible()]
        for dock in self._hidden:
            dock.hide()

    def restore(self) -> None:
        """Give it back, as wide as it was."""
        for dock in self._hidden:
            dock.show()
        self._hidden = []
        docks = self._docks()
        if docks and self._width:
            main, width = self._main, self._width
            # Qt hands out the room that has become free first.
            timer = QTimer(main)
            timer.setSingleShot(True)
            timer.timeout.connect(
                lambda: main.resizeDocks(docks, [width] * len(docks), Qt.Orientation.Horizontal)
            )
            timer.start(_SHARE_MS)

    def _docks(self) -> list[QDockWidget]:
        docks = (self._main.findChild(QDockWidget, name) for name in NAPARI_LISTS)
        return [dock for dock in docks if dock is not None]

    def _measured(self) -> int:
        return max((dock.width() for dock in self._docks() if dock.isVisible()), default=0)


def share_width(main: Any, dock: QDockWidget) -> None:
    """Make a dock and the canvas beside it equally wide."""
    width = (dock.width() + main.centralWidget().width()) // 2
    main.resizeDocks([dock], [width], Qt.Orientation.Horizontal)


def remembered(name: str, value: bool | None = None) -> bool:
    """Return what was remembered of the window, after remembering `value` where one is given."""
    settings = QSettings(str(session_folder().parent / "window.ini"), QSettings.Format.IniFormat)
    if value is not None:
        settings.setValue(name, value)
    return bool(settings.value(name, False, type=bool))
