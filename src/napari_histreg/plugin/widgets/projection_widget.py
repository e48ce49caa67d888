"""Projections: open a tomographic series, align it, look at sinogram and slices, save."""

import weakref
from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QFileDialog, QFrame, QLineEdit, QProgressBar, QSpinBox, QWidget
from superqt import QCollapsible

from napari_histreg.plugin.layers.projections import aligned_layer, series_layer, series_of
from napari_histreg.plugin.models.projection_model import ProjectionModel
from napari_histreg.plugin.widgets.method_form import MethodForm
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
from napari_histreg.plugin.widgets.theme import tone_colour
from napari_histreg.plugin.worker import Task
from napari_histreg.projections.opening import SUFFIXES
from napari_histreg.projections.registry import projection_method_class

__all__ = ["ProjectionWidget"]


class ProjectionWidget(QWidget):
    """Everything for one series of projections.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self._viewer = weakref.ref(viewer)
        self.model = ProjectionModel()
        self.task: Task | None = None
        self._build()
        follow(self, self.model.changed, self._show)
        for signal in (viewer.layers.events.inserted, viewer.layers.events.removed):
            signal.connect(self._list_layers)
        viewer.dims.events.current_step.connect(self._follow_slider)
        self._choose_method()
        self._list_layers()

    def _build(self) -> None:
        self.layer = combo("The series to work on")
        self.angles, self.dark, self.flat = QLineEdit(), QLineEdit(), QLineEdit()
        self.angles.setPlaceholderText("0:180, or a text file; empty: the file's own")
        self.angles.setToolTip("One angle a line in a text file, or first:last in degrees, both included")
        for line, what in ((self.dark, "beam"), (self.flat, "body")):
            line.setPlaceholderText("none, or the file's own")
            line.setToolTip(f"A TIFF of frames without {what}")
        self.open_button = button("Open …", "Open files of a series with these angles and fields", self._open)
        self.folder_button = button(
            "Open folder …", "Open a folder with one TIFF a projection", self._open_folder
        )
        self.method = combo("How to align")
        self.summary = note()
        self.form = MethodForm()
        self.parameters = QCollapsible("Parameters")
        self.parameters.addWidget(self.form)
        self.run_button = button("Align", "Find how far each projection lies off", self.run)
        self.cancel_button = button("Cancel", "Stop", self.cancel)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.stage_name = note()
        self.verdict = QFrame()
        self.headline, self.remarks = note(), note()
        self.row = QSpinBox()
        self.row.setToolTip("Row of the frames that the slice is made of")
        self.slice_button = button(
            "Sinogram and slice",
            "Show this row of all projections, and the slice, before and after",
            self.cut,
        )
        self.save_button = button(
            "Save …", "Write aligned stack, shifts, preview and report into a folder", self._save
        )
        self._arrange()
        quiet(self.method, [(spec.title, spec.name) for spec in self.model.methods], self.model.method)
        self.method.activated.connect(lambda _index=0: self._choose_method())
        self.layer.activated.connect(lambda _index=0: self._choose_layer())

    def _arrange(self) -> None:
        inner = QWidget()
        layout = column(inner, margin=0)
        lines = form()
        lines.addRow("Angles", self.angles)
        lines.addRow("Dark field", self.dark)
        lines.addRow("Flat field", self.flat)
        layout.addLayout(lines)
        layout.addLayout(row(self.open_button, self.folder_button))
        lines = form()
        lines.addRow("Series", self.layer)
        lines.addRow("Method", self.method)
        lines.addRow(self.summary)
        layout.addLayout(lines)
        layout.addWidget(self.parameters)
        layout.addLayout(row(self.run_button, self.cancel_button))
        layout.addWidget(self.progress)
        layout.addWidget(self.stage_name)
        box = column(self.verdict, margin=8)
        box.addWidget(self.headline)
        box.addWidget(self.remarks)
        layout.addWidget(self.verdict)
        layout.addWidget(heading("Slice, for looking"))
        lines = form()
        lines.addRow("Row", self.row)
        layout.addLayout(lines)
        layout.addLayout(row(self.slice_button, self.save_button))
        layout.addStretch(1)
        column(self).addWidget(Scrolled(inner), 1)

    def open(self, source: Any) -> None:
        """Open a series from files, with the angles and fields that stand in the lines."""
        words = (line.text().strip() for line in (self.angles, self.dark, self.flat))
        self._start(self.model.open(source, *words), self._add_series)

    def run(self) -> None:
        """Align the series in a thread."""
        if self.model.obstacle is None:
            self.model.parameters = self.form.values
            self._start(self.model.begin(), self._add_aligned)

    def cut(self) -> None:
        """Make sinogram and slice of the chosen row in a thread."""
        if self.model.slice_obstacle is None:
            self._start(self.model.begin_slice(self.row.value()), self._add_slices)

    def save(self, folder: str) -> None:
        """Write the results in a thread."""
        if self.model.slice_obstacle is None:
            self._start(
                self.model.begin_saving(folder), lambda _paths: self.model.finish(f"Saved in {folder}")
            )

    def cancel(self) -> None:
        """Stop what is running."""
        if self.task is not None and self.task.is_running:
            self.task.cancel()
            self.model.stop()

    def _start(self, call: Callable[..., Any], done: Callable[[Any], None]) -> None:
        self.task = Task(call, self)
        self.task.progressed.connect(self.model.report)
        self.task.returned.connect(done)
        self.task.failed.connect(self.model.finish)
        self.task.cancelled.connect(self.model.finish)
        self.task.start()

    def _open(self) -> None:
        kinds = f"Projections ({' '.join('*' + suffix for suffix in SUFFIXES)})"
        names, _ = QFileDialog.getOpenFileNames(self, "Open projections", "", kinds)
        if names:
            self.open(names)

    def _open_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Open a folder of projections")
        if name:
            self.open(name)

    def _save(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Save the aligned series into a folder")
        if name:
            self.save(name)

    def _add_series(self, series: Any) -> None:
        self.model.finish()
        viewer = self._viewer()
        if viewer is not None:
            data, options, _ = series_layer(series)
            added = viewer.add_image(data, **options)
            self.layer.setCurrentIndex(self.layer.findData(added.name))
            self._choose_layer()

    def _add_aligned(self, found: Any) -> None:
        self.model.succeed(found)
        viewer, series = self._viewer(), self.model.series
        if viewer is None or series is None or found.verdict == "refused":
            return
        data, options, _ = aligned_layer(series, found)
        if options["name"] in viewer.layers:
            viewer.layers.remove(options["name"])
        viewer.add_image(data, **options)
        viewer.reset_view()

    def _add_slices(self, made: dict[str, Any]) -> None:
        self.model.finish()
        viewer, series = self._viewer(), self.model.series
        if viewer is None or series is None:
            return
        size = series.pixel_um or 1.0
        below = 1.05 * series.shape[1] * size
        for k, (name, plane) in enumerate(made.items()):
            title = f"{series.name} {name}"
            if title in viewer.layers:
                viewer.layers.remove(title)
            across = (k // 2) * 1.05 * series.shape[2] * size
            down = below if name.startswith("sinogram") else below + 1.05 * series.shape[0] * size
            viewer.add_image(plane, name=title, scale=(size, size), translate=(down, across), colormap="gray")
        viewer.reset_view()

    def _list_layers(self, _event: Any = None) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        names = [layer.name for layer in viewer.layers if series_of(layer) is not None]
        chosen = self.layer.currentData()
        quiet(self.layer, [(name, name) for name in names], chosen if chosen in names else None)
        self._choose_layer()

    def _choose_layer(self) -> None:
        viewer, name = self._viewer(), self.layer.currentData()
        series = None if viewer is None or name is None else series_of(viewer.layers[name])
        self.model.choose(series)
        if series is not None:
            self.row.setRange(0, series.shape[1] - 1)
            self.row.setValue(series.shape[1] // 2)
        self._show()

    def _choose_method(self) -> None:
        self.model.method, self.model.parameters = self.method.currentData(), {}
        fill(self.summary, self.model.spec.summary)
        self.form.show_model(projection_method_class(self.model.method), {})
        self._show()

    def _follow_slider(self, _event: Any = None) -> None:
        viewer, found = self._viewer(), self.model.result
        if viewer is None or found is None or self.model.state != "idle":
            return
        view = int(viewer.dims.current_step[0]) if viewer.dims.ndim > 2 else -1
        if 0 <= view < len(found.angles_deg):
            y, x = found.shifts_px[view]
            out = found.left_out.get(view)
            what = f"left out: it {out}" if out else f"shift {y:.2f} px (y), {x:.2f} px (x)"
            fill(self.stage_name, f"Projection {view}, {found.angles_deg[view]:g}°: {what}")

    def _show(self, *_: Any) -> None:
        model = self.model
        set_allowed(self.run_button, model.obstacle)
        for control in (self.slice_button, self.save_button):
            set_allowed(control, model.slice_obstacle)
        idle = {"idle": "Nothing is running.", "stopping": "It is stopping."}
        set_allowed(self.cancel_button, idle.get(model.state))
        self.progress.setVisible(model.state != "idle")
        self.progress.setValue(round(1000 * model.fraction))
        fill(self.stage_name, model.message)
        self.verdict.setVisible(model.result is not None)
        fill(self.headline, model.headline, tone=model.tone, bold=True)
        fill(self.remarks, "\n".join(f"• {remark}" for remark in model.remarks))
        self.verdict.setStyleSheet(
            f"QFrame {{ border-left: 3px solid {tone_colour(model.tone)}; }} QLabel {{ border: 0; }}"
        )

    def closeEvent(self, event: Any) -> None:
        """Stop what is running."""
        if self.task is not None:
            self.task.wait()
        super().closeEvent(event)
