"""Through the slides of a group one by one: each by itself, or over its neighbours."""

import weakref
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QSlider, QWidget

from napari_histreg.plugin.models.group_overlays import GroupOverlays
from napari_histreg.plugin.models.group_rows import SlideRow
from napari_histreg.plugin.steps import Steps
from napari_histreg.plugin.viewer.group_layers import hide_overlay, show_only, show_overlay
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.plugin.widgets.parts import column, fill, note, row
from napari_histreg.plugin.worker import Task
from napari_histreg.slides import Slide

__all__ = ["GroupSlider"]


class GroupSlider(QWidget):
    """A slider over the slides that have a place; what it points at is shown on the canvas.

    Parameters
    ----------
    viewer : napari.Viewer
    sync : LayerSync
    steps : Steps
        What works on the canvas.
    """

    def __init__(self, viewer: Any, sync: LayerSync, steps: Steps) -> None:
        super().__init__()
        self._viewer = weakref.ref(getattr(viewer, "__wrapped__", viewer))
        self._sync, self._steps = sync, steps
        self._overlays: GroupOverlays | None = None
        self._slides: dict[int, Slide] = {}
        self._rows: tuple[SlideRow, ...] = ()
        self._template = 0
        self._wanted: int | None = None
        self.task: Task | None = None
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("Go through the slides in the frame, one by one")
        self.overlay = QCheckBox("Over its neighbours")
        self.overlay.setToolTip(
            "Lay each section over the one before and the one after; slides in no order over the template"
        )
        self.overlay.setChecked(True)
        self.caption = note()
        layout = column(self, margin=0)
        layout.addLayout(row(self.slider, self.overlay))
        layout.addWidget(self.caption)
        self.slider.valueChanged.connect(lambda _value=0: self.look())
        self.overlay.toggled.connect(lambda _on=False: self.look())
        self.hide()

    @property
    def place(self) -> int | None:
        """The slide that the slider points at, by its place."""
        places = () if self._overlays is None else self._overlays.places
        return places[self.slider.value()] if places else None

    def set_group(
        self,
        overlays: GroupOverlays | None,
        slides: dict[int, Slide],
        template: int = 0,
        rows: tuple[SlideRow, ...] = (),
    ) -> None:
        """Go through other slides.

        Parameters
        ----------
        overlays : GroupOverlays or None
            None where there is nothing to go through.
        slides : dict of int to Slide
            Those at hand, by their places.
        template : int
            The slide whose frame it is.
        rows : tuple of SlideRow
            What is said of each.
        """
        self._overlays, self._slides, self._template, self._rows = overlays, slides, template, rows
        self._wanted = None
        count = 0 if overlays is None else len(overlays.places)
        blocked = self.slider.blockSignals(True)
        self.slider.setRange(0, max(count - 1, 0))
        if self.place is not None and overlays is not None and template in overlays.places:
            self.slider.setValue(overlays.places.index(template))
        self.slider.blockSignals(blocked)
        self.setVisible(count > 1 and template in slides)
        fill(self.caption, "")

    def go_to(self, place: int) -> None:
        """Point at a slide, if it has a place, and show it."""
        if self._overlays is not None and place in self._overlays.places:
            at = self._overlays.places.index(place)
            if at == self.slider.value():
                self.look()
            self.slider.setValue(at)

    def look(self) -> None:
        """Show the slide that the slider points at."""
        place, overlays = self.place, self._overlays
        if place is None or overlays is None or place not in self._slides:
            return
        self._sync.choose(None, None)
        if not self.overlay.isChecked():
            hide_overlay(self._sync)
            self._steps.begin(show_only(self._sync, [self._slides[place]]))
            said = self._rows[place]
            fill(self.caption, f"{place + 1}: {said.name}, {said.state}")
            return
        self._wanted = place
        fill(self.caption, f"{place + 1}: {overlays.caption(place)}")
        if self.task is None or not self.task.is_running:
            self._start()

    def _start(self) -> None:
        """Make the picture that is wanted last, in a thread."""
        place, overlays = self._wanted, self._overlays
        self._wanted = None
        if place is None or overlays is None:
            return
        self.task = Task(overlays.begin(place), self)
        self.task.returned.connect(lambda picture: self._show(overlays, picture))
        self.task.finished.connect(self._start)
        self.task.start()

    def _show(self, overlays: GroupOverlays, picture: Any) -> None:
        viewer = self._viewer()
        if viewer is None or overlays is not self._overlays or not self.overlay.isChecked():
            return
        if self.isVisible() and self._sync.fixed is None:
            template = self._slides[self._template]
            self._steps.begin(show_overlay(self._sync, viewer, template, overlays.frame, picture))

    def end(self) -> None:
        """Stop what is running."""
        if self.task is not None:
            self.task.wait()
