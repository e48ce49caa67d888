"""Everything for one pair of slides in one dock: landmarks, automatic, inspect, export."""

from typing import Any

from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget

from napari_histreg.plugin.widgets.export_widget import ExportWidget
from napari_histreg.plugin.widgets.inspection_widget import InspectionWidget
from napari_histreg.plugin.widgets.landmark_widget import LandmarkWidget
from napari_histreg.plugin.widgets.parts import column
from napari_histreg.plugin.widgets.registration_widget import RegistrationWidget
from napari_histreg.plugin.widgets.slide_chooser import SlideChooser

__all__ = ["AlignWidget"]


class AlignWidget(QWidget):
    """The slides at the top, the ways to work on them as tabs.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self._narrowed = False
        self.chooser = SlideChooser(napari_viewer, self)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.landmarks = LandmarkWidget(napari_viewer, with_chooser=False)
        self.automatic = RegistrationWidget(napari_viewer, with_chooser=False)
        self.inspection = InspectionWidget(napari_viewer, with_chooser=False)
        self.tabs.addTab(self.landmarks, "Landmarks")
        self.tabs.addTab(self.automatic, "Automatic")
        self.export = ExportWidget(napari_viewer, with_chooser=False)
        self.tabs.addTab(self.inspection, "Inspect")
        self.tabs.addTab(self.export, "Export")
        layout = column(self)
        layout.addWidget(self.chooser)
        layout.addWidget(self.tabs, 1)

    def sizeHint(self) -> QSize:
        """Ask for no more width than is needed: the canvas comes first."""
        return QSize(self.minimumSizeHint().width(), super().sizeHint().height())

    def showEvent(self, event: Any) -> None:
        """Let the dock be as narrow as its content once that has the window's fonts and styles."""
        super().showEvent(event)
        QTimer.singleShot(0, self._narrow)

    def _narrow(self) -> None:
        dock, window = self.parentWidget(), self.window()
        if isinstance(dock, QDockWidget) and isinstance(window, QMainWindow) and not self._narrowed:
            self._narrowed = True
            dock.setMinimumWidth(0)
            window.resizeDocks([dock], [self.sizeHint().width()], Qt.Orientation.Horizontal)
