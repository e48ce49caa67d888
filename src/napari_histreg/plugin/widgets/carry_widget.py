"""Annotations and cells carried to the other slide, both slides fused, and the error on other landmarks."""

import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtWidgets import QCheckBox, QFileDialog, QWidget

from napari_histreg.errors import HistregError
from napari_histreg.fusion import RULES
from napari_histreg.plugin.layers.annotations import annotation_layer, annotations_file, write_annotations
from napari_histreg.plugin.layers.slides import image_layers, slide_of
from napari_histreg.plugin.models.carrying import SHAPE_SUFFIXES, TABLE_SUFFIXES, Direction, carry_file
from napari_histreg.plugin.models.export_model import ExportModel
from napari_histreg.plugin.models.further_outputs import measure_unseen, write_fused
from napari_histreg.plugin.widgets.parts import button, column, combo, heading, quiet, row, set_allowed

__all__ = ["CarryWidget"]

DIRECTIONS: tuple[tuple[str, Direction], ...] = (
    ("From moving to fixed", "moving to fixed"),
    ("From fixed to moving", "fixed to moving"),
)
_KINDS = f"Annotations and cells ({' '.join('*' + suffix for suffix in (*SHAPE_SUFFIXES, *TABLE_SUFFIXES))})"

Run = Callable[..., None]
Ask = Callable[[str, str, str], str]


class CarryWidget(QWidget):
    """What else an alignment is good for.

    Parameters
    ----------
    viewer : napari.Viewer
    model : ExportModel
    run : callable
        Runs a prepared call in a thread.
    ask : callable
        Asks for the file to be written, by title, name and kinds.
    """

    def __init__(self, viewer: Any, model: ExportModel, run: Run, ask: Ask) -> None:
        super().__init__()
        self._viewer = weakref.ref(getattr(viewer, "__wrapped__", viewer))
        self._model, self._run, self._ask = model, run, ask
        self.direction = combo("Which slide the shapes lie on, and which one they go to")
        quiet(self.direction, list(DIRECTIONS), "moving to fixed")
        self.file_button = button(
            "A file …", "QuPath's GeoJSON or a table of cells; ids, classes and measurements stay", self.carry
        )
        self.layer_button = button(
            "The selected shapes …",
            "The Shapes layer that is selected, drawn here or dropped",
            self.carry_layer,
        )
        self.rule = combo("How both slides become one picture")
        quiet(self.rule, [(rule.title, rule.name) for rule in RULES], "wavelet")
        self.fuse_button = button("Write fused slide …", "Both slides merged into one, to look at", self.fuse)
        self.measured = QCheckBox("Measure it")
        self.measured.setToolTip("Say how much it keeps of both slides, and write a page on it beside it")
        self.unseen_button = button(
            "Measure on other landmarks …",
            "The error on pairs of a file that took no part in the alignment",
            self.measure_unseen,
        )
        layout = column(self, margin=0)
        layout.addWidget(heading("Annotations and cells"))
        layout.addWidget(self.direction)
        layout.addLayout(row(self.file_button, self.layer_button))
        layout.addWidget(heading("Fused slide"))
        layout.addLayout(row(self.rule, self.measured, self.fuse_button))
        layout.addWidget(heading("Accuracy"))
        layout.addWidget(self.unseen_button)

    def allow(self, waiting: str | None) -> None:
        """Let pressed what can work now."""
        for control in (self.file_button, self.layer_button, self.fuse_button):
            set_allowed(control, waiting or self._model.result_obstacle)
        set_allowed(self.unseen_button, waiting or self._model.obstacle)

    def carry(self, source: str = "", output: str = "") -> None:
        """Ask which file, and where to, unless told, and carry it."""
        source = source or QFileDialog.getOpenFileName(self, "Which file is carried?", "", _KINDS)[0]
        if not source:
            return
        path = Path(source)
        output = output or self._ask("Write the carried file", f"{path.stem}_carried{path.suffix}", _KINDS)
        if output:
            self._carry(path, output)

    def carry_layer(self, output: str = "") -> None:
        """Carry the Shapes layer that is selected."""
        from napari.layers import Shapes

        viewer = self._viewer()
        layer = None if viewer is None else viewer.layers.selection.active
        if not isinstance(layer, Shapes) or not len(layer.data):
            show_error("Select a Shapes layer with annotations in the list of layers first.")
            return
        output = output or self._ask("Write the carried shapes", f"{layer.name}_carried.geojson", _KINDS)
        if not output:
            return
        file = annotations_file(layer)
        if file is None:
            # Files are carried, so what was drawn becomes one first.
            file = str(Path(tempfile.mkdtemp(prefix="histreg-")) / "shapes.geojson")
            try:
                write_annotations(layer, Path(file))
            except HistregError as error:
                show_error(str(error))
                return
        slide = slide_of(layer)
        _, moving = self._model.slides()
        if slide is not None:
            direction = "moving to fixed" if slide is moving else "fixed to moving"
            self.direction.setCurrentIndex(self.direction.findData(direction))
        self._carry(Path(file), output)

    def fuse(self, path: str = "") -> None:
        """Ask where to, unless told, and write both slides as one."""
        kinds = "OME-TIFF (*.ome.tif);;OME-Zarr (*.ome.zarr)"
        path = path or self._ask("Write the fused slide", f"{self._model.stem}_fused.ome.tif", kinds)
        measured = self.measured.isChecked()
        if path:
            self._run(lambda: write_fused(self._model, path, self.rule.currentData(), measured=measured))

    def measure_unseen(self, path: str = "") -> None:
        """Ask for the landmarks, unless told, and say the error on them."""
        path = path or QFileDialog.getOpenFileName(self, "Which landmarks?", "", "Landmarks (*)")[0]
        if path:
            self._run(lambda: measure_unseen(self._model, path))

    def _carry(self, source: Path, output: str) -> None:
        direction = self.direction.currentData()
        self._run(
            lambda: carry_file(self._model, source, output, direction),
            then=lambda _sentence: self._show(Path(output), direction),
        )

    def _show(self, output: Path, direction: Direction) -> None:
        """Show carried annotations on the slide that they lie on."""
        from napari.layers import Layer

        viewer = self._viewer()
        if viewer is None or output.suffix.lower() not in SHAPE_SUFFIXES:
            return
        fixed, moving = self._model.slides()
        slide = fixed if direction == "moving to fixed" else moving
        image = image_layers(viewer.layers, slide)[0]
        data, options, kind = annotation_layer(output, slide, image.affine.affine_matrix)
        if data:
            options |= {"scale": image.scale, "units": image.units}
            viewer.add_layer(Layer.create(data, options, kind))
