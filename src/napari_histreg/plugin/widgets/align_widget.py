"""Everything for one pair of slides in one dock: landmarks, automatic, inspect, export."""

from typing import Any

from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget

from napari_histreg.plugin.viewer.moving_opacity import MovingOpacity
from napari_histreg.plugin.widgets.export_widget import ExportWidget
from napari_histreg.plugin.widgets.group_widget import GroupWidget
from napari_histreg.plugin.widgets.inspection_widget import InspectionWidget
from napari_histreg.plugin.widgets.landmark_widget import LandmarkWidget
from napari_histreg.plugin.widgets.parts import column, follow
from napari_histreg.plugin.widgets.registration_widget import RegistrationWidget
from napari_histreg.plugin.widgets.slide_chooser import SlideChooser
from napari_histreg.plugin.widgets.theme import follow_theme
from napari_histreg.registration import Registration

__all__ = ["AlignWidget"]

_STYLED_MS = (0, 100, 500)
"""When a dock may have got the fonts and styles of its window, and less wide for it."""


class AlignWidget(QWidget):
    """The slides at the top, the ways to work on them as tabs.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self._shown = False
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
        self.group = GroupWidget(napari_viewer)
        self.tabs.addTab(self.group, "Group")
        self.group.pair_opened.connect(self._open_pair)
        self.automatic.looked_at.connect(self._look_at)
        self.automatic.reviewed.connect(self._end_review)
        self.automatic.pairs_asked.connect(self._click_pairs)
        self.automatic.pixel_size_asked.connect(self.chooser.ask_pixel_sizes)
        self.tabs.currentChanged.connect(lambda _index: self.inspection.hold(False))
        follow_theme(self, napari_viewer)
        self._opacity = MovingOpacity(self.chooser.sync)
        follow(self, self.chooser.sync.session.events.slides_changed, self._let_fixed_shine)
        self._let_fixed_shine()
        layout = column(self)
        layout.addWidget(self.chooser)
        layout.addWidget(self.tabs, 1)

    def sizeHint(self) -> QSize:
        """Ask for no more width than is needed: the canvas comes first."""
        return QSize(self.minimumSizeHint().width(), super().sizeHint().height())

    def showEvent(self, event: Any) -> None:
        """Let the dock be as narrow as its content once that has the window's fonts and styles."""
        super().showEvent(event)
        if not self._shown:
            self._shown = True
            for wait in _STYLED_MS:
                QTimer.singleShot(wait, self._narrow)

    def _let_fixed_shine(self) -> None:
        self._opacity.let_fixed_shine()
        self.chooser.show_opacity()

    def _look_at(self, point: tuple[float, float]) -> None:
        """Show a place with the overlay on, whichever tab is in front."""
        canvas = self.landmarks.canvases.main
        self.inspection.model.set(mode="overlay")
        self.inspection.hold(True)
        if canvas is not None:
            canvas.view.fly_to("fixed", point)

    def _open_pair(self, registration: Registration) -> None:
        """See a pair of a group as if it had just been aligned by itself."""
        model = self.automatic.model
        if model.result is not registration:
            model.succeed(registration)
        self.tabs.setCurrentWidget(self.automatic)

    def _end_review(self) -> None:
        self.inspection.model.set(mode="layers")
        self.inspection.hold(False)

    def _click_pairs(self) -> None:
        """Go to the landmarks, ready to click."""
        self._end_review()
        self.tabs.setCurrentWidget(self.landmarks)
        if self.landmarks.click_button.isEnabled():
            self.landmarks.click_button.setChecked(True)

    def _narrow(self) -> None:
        dock, window = self.parentWidget(), self.window()
        if not isinstance(dock, QDockWidget) or not isinstance(window, QMainWindow):
            return
        dock.setMinimumWidth(0)
        window.resizeDocks([dock], [self.sizeHint().width()], Qt.Orientation.Horizontal)
