"""Planes: a slider through each volume that is shown, and which way it is cut."""

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSlider, QWidget

from napari_histreg.errors import HistregError
from napari_histreg.plugin.layers.slides import volume_name
from napari_histreg.plugin.models.volume_planes import VolumePlanes
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.parts import column, combo, fill, follow, heading, note, quiet, row
from napari_histreg.slides import Slide

__all__ = ["PlanesWidget"]

NOTHING = "No volume is open. Drop a DICOM folder, a DICOM file or a NIfTI on the window."


class PlanesWidget(QWidget):
    """A slider for each volume: what is shown is what the other widgets align.

    Parameters
    ----------
    napari_viewer : napari.Viewer

    Attributes
    ----------
    rows : list of PlaneRow
        One for each volume, in the order of the layers.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self._sync = layer_sync_of(napari_viewer)
        self.rows: list[PlaneRow] = []
        self._known: list[VolumePlanes] = []
        self.setMinimumWidth(230)
        self._layout = column(self)
        self._empty = note(NOTHING)
        self._layout.addWidget(self._empty)
        self._layout.addStretch(1)
        follow(self, self._sync.slides_changed, self._list)
        self._list()

    def _list(self) -> None:
        """Show a row for each volume; rows that stay keep their slider, which may be under the mouse."""
        present = [slide for slide in self._sync.slides if VolumePlanes.has_planes(slide)]
        if [id(shown.planes.shown) for shown in self.rows] == [id(slide) for slide in present]:
            return
        for old in self.rows:
            self._layout.removeWidget(old)
            old.deleteLater()
        self.rows = [PlaneRow(self._planes(slide), self._sync) for slide in present]
        for k, made in enumerate(self.rows):
            self._layout.insertWidget(k, made)
        fill(self._empty, "" if self.rows else NOTHING)

    def _planes(self, slide: Slide) -> VolumePlanes:
        for planes in self._known:
            if planes.shown is slide:
                return planes
        self._known.append(VolumePlanes(slide))
        return self._known[-1]


class PlaneRow(QWidget):
    """The name of a volume, the way it is cut, and the slider.

    Parameters
    ----------
    planes : VolumePlanes
    sync : LayerSync
    """

    def __init__(self, planes: VolumePlanes, sync: Any) -> None:
        super().__init__()
        self.planes, self._sync = planes, sync
        self.plane = combo("Which way the volume is cut")
        self.slider, self.number = QSlider(Qt.Orientation.Horizontal), QLabel()
        self.number.setMinimumWidth(self.number.fontMetrics().horizontalAdvance("000 / 000"))
        self.slider.setToolTip(
            "Which plane is shown and aligned; they are numbered from 0 as they are stored"
        )
        self.problem = note(tone="bad")
        layout = column(self, margin=0)
        layout.addWidget(heading(volume_name(planes.shown)))
        layout.addWidget(self.plane)
        layout.addLayout(row(self.slider, self.number))
        layout.addWidget(self.problem)
        self._show()
        self.plane.currentIndexChanged.connect(self._turn)
        self.slider.valueChanged.connect(self._slide)

    def _show(self) -> None:
        quiet(self.plane, [(name, name) for name in self.planes.choices], self.planes.plane)
        blocked = self.slider.blockSignals(True)
        self.slider.setRange(0, self.planes.count - 1)
        self.slider.setValue(self.planes.index)
        self.slider.blockSignals(blocked)
        self.number.setText(f"{self.planes.index} / {self.planes.count - 1}")

    def _turn(self) -> None:
        self._put(None, self.plane.currentData())

    def _slide(self, index: int) -> None:
        if index != self.planes.index:
            self._put(index, None)

    def _put(self, index: int | None, plane: Any) -> None:
        before = self.planes.shown
        try:
            after = self.planes.at(index, plane)
        except (HistregError, ValueError) as error:
            fill(self.problem, str(error), tone="bad")
            self._show()
            return
        fill(self.problem, "")
        # Before the layers tell of it, so that this row stays.
        self.planes.shown = after
        self._sync.show_instead(before, after)
        self._show()
