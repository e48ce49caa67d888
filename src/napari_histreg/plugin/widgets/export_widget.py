"""Export: the folder of results, single files, a picture of the view, the warped slide."""

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QFileDialog, QProgressBar, QWidget

from napari_histreg.errors import HistregError
from napari_histreg.landmarks import DIALECTS
from napari_histreg.plugin.models.export_model import ExportModel
from napari_histreg.plugin.models.output_choices import COMPRESSION, COVERS, INTERPOLATIONS
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.viewer.screenshot import save_view
from napari_histreg.plugin.widgets.carry_widget import CarryWidget
from napari_histreg.plugin.widgets.channel_list import ChannelList
from napari_histreg.plugin.widgets.convert_widget import ConvertWidget
from napari_histreg.plugin.widgets.parts import (
    Scrolled,
    button,
    column,
    combo,
    fill,
    follow,
    form,
    heading,
    note,
    quiet,
    row,
    set_allowed,
)
from napari_histreg.plugin.widgets.slide_chooser import SlideChooser
from napari_histreg.plugin.worker import Task
from napari_histreg.transforms.formats import DIALECTS as TRANSFORM_DIALECTS
from napari_histreg.warping import Output

__all__ = ["ExportWidget"]


class ExportWidget(QWidget):
    """Write what has been reached.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    with_chooser : bool
        Whether to show the lists of slides; not where another widget shows them already.
    """

    def __init__(self, napari_viewer: Any, *, with_chooser: bool = True) -> None:
        super().__init__()
        self._viewer = weakref.ref(getattr(napari_viewer, "__wrapped__", napari_viewer))
        self._sync = layer_sync_of(napari_viewer)
        self.model = ExportModel(self._sync.session)
        self.task: Task | None = None
        self._build(napari_viewer)
        self._arrange(napari_viewer, with_chooser)
        follow(self, self._sync.session.events.state_changed, self._show)
        follow(self, self._sync.session.events.slides_changed, self._show)
        for k, dialect in enumerate(TRANSFORM_DIALECTS.values()):
            self.matrix_format.setItemData(k, getattr(dialect, "note", ""), Qt.ItemDataRole.ToolTipRole)
        for k, layout in enumerate(DIALECTS.values()):
            self.landmarks_format.setItemData(k, getattr(layout, "note", ""), Qt.ItemDataRole.ToolTipRole)
        self._show()

    def _build(self, viewer: Any) -> None:
        self.folder_button = button(
            "Write folder …",
            "registration.json, matrix, landmarks and overlay picture, as the command line writes them",
            self.write_folder,
        )
        self.record_button = button("Save …", "The record of the alignment as JSON", self.write_record)
        self.report_button = button(
            "Write and open …",
            "How far the alignment can be trusted: numbers and pictures on one page, opened in the browser",
            self.write_report,
        )
        self.matrix_format = combo("Which program is to read the transform")
        quiet(self.matrix_format, [(d.title, d.name) for d in TRANSFORM_DIALECTS.values()], "csv")
        self.matrix_button = button("Save …", "The transform as another program takes it", self.write_matrix)
        self.landmarks_format = combo("Which program is to read the landmarks")
        quiet(self.landmarks_format, [(d.title, d.name) for d in DIALECTS.values()], "histreg")
        self.landmarks_button = button("Save …", "The pairs as a table", self.write_landmarks)
        self.even_box = QCheckBox("Even if refused")
        self.even_box.setToolTip(
            "Write transform, warped slide and shapes although the alignment was refused: by its best guess, "
            "for which nothing vouches"
        )
        self.even_box.toggled.connect(self._on_even)
        self.picture_button = button("Save …", "What the canvas shows now", self.write_picture)
        self.scale_bar = QCheckBox("Scale bar")
        self.scale_bar.setChecked(True)
        self.cover = combo("The area that the warped slide covers")
        quiet(self.cover, [(text, value) for text, value in COVERS], "fixed")
        self.pixel_size = QDoubleSpinBox()
        self.pixel_size.setRange(0.0, 1000.0)
        self.pixel_size.setDecimals(4)
        self.pixel_size.setSingleStep(0.25)
        self.pixel_size.setSpecialValueText("as the fixed slide")
        self.pixel_size.setToolTip("Larger pixels make a smaller file; 0 takes the fixed slide's")
        self.compression = combo("How the tiles are packed; JPEG loses a little and is far smaller")
        quiet(self.compression, [(text, value) for text, value in COMPRESSION], None)
        self.interpolation = combo("How pixels in between are computed; nearest for images of labels")
        quiet(self.interpolation, [(name.capitalize(), name) for name in INTERPOLATIONS], "linear")
        self.channels = ChannelList("Channels of the moving slide to be written")
        self.merge = QCheckBox("With the fixed slide's channels")
        self.merge.setToolTip("One file with the channels of both slides")
        self.warp_button = button(
            "Write warped slide …",
            "The moving slide, all channels at full resolution, in the fixed slide's frame",
            self.write_warped,
        )
        self.more = CarryWidget(viewer, self.model, self._run, self._ask)
        self.convert = ConvertWidget(self._run, self._ask)
        self.cancel_button = button("Cancel", "Stop; no half file is left behind", self.cancel)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.message, self.said = note(), note()

    def _arrange(self, viewer: Any, with_chooser: bool) -> None:
        layout = column(self)
        if with_chooser:
            layout.addWidget(SlideChooser(viewer, self))
        inner = QWidget()
        below = column(inner, margin=0)
        below.addWidget(heading("Everything"))
        below.addWidget(self.folder_button)
        below.addWidget(heading("Single files"))
        lines = form()
        lines.addRow("Report", self.report_button)
        lines.addRow("Record", self.record_button)
        for name, control, save in (
            ("Transform", self.matrix_format, self.matrix_button),
            ("Landmarks", self.landmarks_format, self.landmarks_button),
        ):
            line = row(control, save)
            line.setStretch(0, 3)
            line.setStretch(1, 1)
            lines.addRow(name, line)
        lines.addRow("Picture", row(self.scale_bar, self.picture_button))
        lines.addRow(self.even_box)
        below.addLayout(lines)
        below.addWidget(heading("Warped slide"))
        lines = form()
        lines.addRow("Covers", self.cover)
        lines.addRow("Pixel size", self.pixel_size)
        lines.addRow("Compression", self.compression)
        lines.addRow("Interpolation", self.interpolation)
        below.addLayout(lines)
        for part in (self.channels, self.merge, self.warp_button, self.more, self.convert):
            below.addWidget(part)
        for part in (self.cancel_button, self.progress, self.message, self.said):
            below.addWidget(part)
        below.addStretch(1)
        layout.addWidget(Scrolled(inner), 1)

    def write_folder(self, folder: str = "") -> None:
        """Ask where to, unless told, and write the folder of results."""
        folder = folder or self._ask("Write folder", self.model.stem, "Folder (*)")
        if folder:
            self._run(lambda: self.model.write_folder(folder))

    def write_record(self, path: str = "") -> None:
        """Ask where to, unless told, and write registration.json."""
        path = path or self._ask("Save the record", "registration.json", "Record (*.json)")
        if path:
            self._run(lambda: self.model.write_record(path))

    def write_report(self, path: str = "") -> None:
        """Ask where to, unless told, write the report and show it in the browser."""
        path = path or self._ask("Write the report", f"{self.model.stem}.html", "Web page (*.html)")
        if path:
            page = QUrl.fromLocalFile(str(Path(path).absolute()))
            self._run(
                lambda: self.model.write_report(path), then=lambda _sentence: QDesktopServices.openUrl(page)
            )

    def write_matrix(self, path: str = "") -> None:
        """Ask where to, unless told, and write the transform."""
        dialect = TRANSFORM_DIALECTS[self.matrix_format.currentData()]
        ending = dialect.suffixes[0]
        path = path or self._ask("Save the transform", f"transform{ending}", f"{dialect.title} (*{ending})")
        if path:
            self._run(lambda: self.model.write_matrix(path, dialect.name))

    def write_landmarks(self, path: str = "") -> None:
        """Ask where to, unless told, and write the pairs."""
        dialect = DIALECTS[self.landmarks_format.currentData()]
        ending = dialect.suffixes[0]
        path = path or self._ask("Save the landmarks", f"landmarks{ending}", f"{dialect.title} (*{ending})")
        if not path:
            return
        try:
            fill(self.said, self.model.write_landmarks(path, dialect.name))
        except (HistregError, ValueError) as error:
            show_error(str(error))

    def write_picture(self, path: str = "") -> None:
        """Ask where to, unless told, and save what the canvas shows."""
        path = path or self._ask("Save the picture", f"{self.model.stem}.png", "Picture (*.png)")
        viewer = self._viewer()
        if not path or viewer is None:
            return
        try:
            fill(self.said, save_view(viewer, path, scale_bar=self.scale_bar.isChecked()))
        except HistregError as error:
            show_error(str(error))

    def write_warped(self, path: str = "") -> None:
        """Ask where to, unless told, and write the warped slide."""
        kinds = "OME-TIFF (*.ome.tif);;OME-Zarr (*.ome.zarr)"
        path = path or self._ask("Write the warped slide", f"{self.model.stem}.ome.tif", kinds)
        if path:
            self._run(lambda: self.model.write_warped(path, self._output(), self.compression.currentData()))

    def _output(self) -> Output:
        """Return what the controls ask of the warped slide."""
        return Output(
            cover=self.cover.currentData(),
            pixel_size=self.pixel_size.value() or None,
            channels=self.channels.chosen,
            merge=self.merge.isChecked(),
            interpolation=self.interpolation.currentData(),
        )

    def _on_even(self, wanted: bool) -> None:
        self.model.even_if_refused = wanted
        self._show()

    def cancel(self) -> None:
        """Stop writing."""
        if self.task is not None:
            self.task.cancel()
            fill(self.message, "stopping …")

    def _ask(self, title: str, name: str, kinds: str) -> str:
        fixed = self._sync.fixed
        start = Path.home() if fixed is None or fixed.path is None else Path(fixed.path).parent
        return str(QFileDialog.getSaveFileName(self, title, str(start / name), kinds)[0])

    def _run(self, prepare: Any, then: Callable[[str], Any] | None = None) -> None:
        if self.task is not None and self.task.is_running:
            return
        self._sync.settle()
        try:
            call = prepare()
        except (HistregError, ValueError) as error:
            show_error(str(error))
            return
        self.task = Task(call, self, notify=False)
        self.task.progressed.connect(self._show_progress)
        self.task.returned.connect(lambda sentence: fill(self.said, sentence))
        if then is not None:
            self.task.returned.connect(then)
        self.task.failed.connect(lambda sentence: fill(self.said, sentence, tone="bad"))
        self.task.cancelled.connect(lambda: fill(self.said, "Cancelled. Nothing was written."))
        self.task.finished.connect(self._show)
        fill(self.said, "")
        self.progress.setValue(0)
        self.task.start()
        self._show()

    def _show_progress(self, fraction: float, message: str) -> None:
        self.progress.setValue(round(1000 * fraction))
        fill(self.message, message)

    def _show(self, _state: Any = None) -> None:
        self.channels.offer(self.model.channel_names)
        self.pixel_size.setSuffix(" µm" if self._sync.session.unit == "um" else " px")
        busy = self.task is not None and self.task.is_running
        waiting = "It is writing. Cancel it first." if busy else None
        for control in (
            self.folder_button,
            self.report_button,
            self.record_button,
        ):
            set_allowed(control, waiting or self.model.obstacle)
        for control in (self.matrix_button, self.warp_button):
            set_allowed(control, waiting or self.model.result_obstacle)
        self.more.allow(waiting)
        self.convert.allow(waiting)
        set_allowed(self.landmarks_button, self.model.landmarks_obstacle)
        set_allowed(self.picture_button, None if self._sync.slides else "Open a slide first.")
        set_allowed(self.cancel_button, None if busy else "Nothing is being written.")
        self.progress.setVisible(busy)
        if not busy:
            fill(self.message, "")

    def closeEvent(self, event: Any) -> None:
        """Stop writing."""
        if self.task is not None:
            self.task.wait()
        super().closeEvent(event)
