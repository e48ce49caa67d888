"""Files of other tools turned into one another, whether slides are open or not."""

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QDoubleSpinBox, QFileDialog, QWidget
from superqt import QCollapsible

from napari_histreg.landmarks import DIALECTS as LANDMARK_LAYOUTS
from napari_histreg.plugin.models.conversion import conversion
from napari_histreg.plugin.widgets.parts import button, column, combo, form, quiet, row, set_allowed
from napari_histreg.transforms.formats import DIALECTS

__all__ = ["ConvertWidget"]

_ALL = "All files (*)"
_LAYOUTS: dict[str, Any] = {"transform": DIALECTS, "landmarks": LANDMARK_LAYOUTS}


class ConvertWidget(QCollapsible):
    """What is read, as what it is written, and what nobody but the user knows of the slides.

    Parameters
    ----------
    run : callable
        Runs a prepared call in a thread.
    ask : callable
        Asks for the file to be written, by title, name and kinds.
    """

    def __init__(self, run: Callable[..., None], ask: Callable[[str, str, str], str]) -> None:
        super().__init__("Convert files")
        self._run, self._ask = run, ask
        self.kind = combo("What the file holds")
        quiet(self.kind, [("A transform", "transform"), ("Landmarks", "landmarks")], "transform")
        self.source_format = combo("Which program wrote the file; its ending and content tell by default")
        self.target_format = combo("Which program is to read it")
        self.sizes = {side: self._spin() for side in ("fixed", "moving")}
        self.record = ""
        self.record_button = button(
            "Take sizes from …", "A registration.json that knows both slides", self.choose_record
        )
        self.convert_button = button(
            "Convert a file …", "Read a file of one program, write it for another", self.convert
        )
        lines = form()
        lines.addRow("Holds", self.kind)
        lines.addRow("From", self.source_format)
        lines.addRow("To", self.target_format)
        lines.addRow("µm per pixel", row(self.sizes["fixed"], self.sizes["moving"]))
        inner = QWidget()
        layout = column(inner, margin=0)
        layout.addLayout(lines)
        layout.addLayout(row(self.record_button, self.convert_button))
        self.addWidget(inner)
        self.kind.activated.connect(lambda _index=0: self._show_layouts())
        self._show_layouts()

    def allow(self, waiting: str | None) -> None:
        """Let it be pressed unless something is written already."""
        set_allowed(self.convert_button, waiting)

    def choose_record(self, path: str = "") -> None:
        """Ask for the registration.json that knows the slides, unless told."""
        title, kinds = "Which registration knows the slides?", "Registration (*.json)"
        self.record = path or QFileDialog.getOpenFileName(self, title, "", kinds)[0]
        self.record_button.setToolTip(self.record or self.record_button.property("does"))

    def convert(self, source: str = "", target: str = "") -> None:
        """Ask which file, and where to, unless told, and convert it."""
        source = source or QFileDialog.getOpenFileName(self, "Which file is converted?", "", _ALL)[0]
        if not source:
            return
        layout = _LAYOUTS[self.kind.currentData()][self.target_format.currentData()]
        ending = layout.suffixes[0]
        name = f"{self.kind.currentData()}{ending}"
        target = target or self._ask("Write the converted file", name, f"{layout.title} (*{ending})")
        if target:
            sizes = tuple(self.sizes[side].value() or None for side in ("fixed", "moving"))
            call = conversion(
                source,
                target,
                to_dialect=layout.name,
                from_dialect=self.source_format.currentData(),
                landmarks=self.kind.currentData() == "landmarks",
                registration=self.record or None,
                pixel_sizes=(sizes[0], sizes[1]),
            )
            self._run(lambda: call)

    def _show_layouts(self) -> None:
        layouts = [(layout.title, layout.name) for layout in _LAYOUTS[self.kind.currentData()].values()]
        quiet(self.source_format, [("As the file tells", None), *layouts], None)
        quiet(self.target_format, layouts, layouts[0][1])

    def _spin(self) -> QDoubleSpinBox:
        spin = QDoubleSpinBox()
        spin.setRange(0.0, 100.0)
        spin.setDecimals(4)
        spin.setSingleStep(0.05)
        spin.setSpecialValueText("as known")
        spin.setToolTip("Fixed and moving slide, where neither the file nor a registration knows")
        return spin
