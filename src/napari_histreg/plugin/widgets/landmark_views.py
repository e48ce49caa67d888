"""Where pairs are clicked: one canvas or two, with napari's lists or without."""

from typing import Any

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QDockWidget

from napari_histreg.plugin.canvas.landmark_canvases import LandmarkCanvases
from napari_histreg.plugin.widgets.keys import Keys
from napari_histreg.plugin.widgets.landmark_controls import LandmarkControls
from napari_histreg.plugin.widgets.side_by_side import SideBySide, open_beside
from napari_histreg.plugin.widgets.window_room import LeftColumn, remembered, share_width

__all__ = ["LandmarkViews"]


class LandmarkViews(LandmarkControls):
    """The controls of the landmarks, with the second canvas; whoever inherits it binds the buttons.

    Attributes
    ----------
    canvases : LandmarkCanvases
    keys : Keys
    beside : SideBySide or None
        The second canvas, while it is open.
    """

    canvases: LandmarkCanvases
    keys: Keys
    beside: SideBySide | None = None
    _column: LeftColumn | None = None

    def sizeHint(self) -> QSize:
        """Ask for no more width than is needed: the canvas comes first."""
        return QSize(self.minimumSizeHint().width(), super().sizeHint().height())

    def _main_viewer(self) -> Any:
        """Return the viewer, or None once it has gone."""
        raise TypeError(f"{type(self).__name__} does not say which viewer is its own.")

    def _on_beside(self, on: bool) -> None:
        viewer = self._main_viewer()
        if on and self.beside is None and viewer is not None:
            self._column = self._column or LeftColumn(viewer)
            self.beside = open_beside(viewer, self.canvases, self._on_beside_closed)
            self.keys.hold(self.beside.viewer)
        elif not on and self.beside is not None:
            self._close_beside()

    def _close_beside(self) -> None:
        viewer, beside = self._main_viewer(), self.beside
        if beside is None:
            return
        if viewer is not None and beside.parent() is not None:
            viewer.window.remove_dock_widget(beside)
        beside.close_down()
        beside.deleteLater()

    def _on_beside_closed(self) -> None:
        if self.beside is not None:
            self.keys.release(self.beside.viewer)
            self.beside = None
        self.beside_button.setChecked(False)
        self.focus_button.setChecked(False)
        if self._column is not None:
            self._column.restore()
            self._column = None

    def _on_focus(self, on: bool) -> None:
        """Give the room of napari's lists to two canvases, or take it back."""
        viewer = self._main_viewer()
        remembered("focus", on)
        if viewer is None or not on:
            self.beside_button.setChecked(False)
            return
        self._column = self._column or LeftColumn(viewer)
        self._column.hide()
        if self.beside is None:
            self.beside_button.setChecked(True)
        elif isinstance(self.beside.parentWidget(), QDockWidget):
            share_width(viewer.window._qt_window, self.beside.parentWidget())
