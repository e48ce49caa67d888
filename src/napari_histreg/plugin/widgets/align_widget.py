"""Everything for one pair of slides in one dock: landmarks, automatic, inspect, export."""

from typing import Any

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QTabWidget, QWidget

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
