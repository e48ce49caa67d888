"""How a group is aligned: order, frame, model, method, trend."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QSpinBox, QWidget

from napari_histreg.plugin.models.group_model import GroupModel
from napari_histreg.plugin.widgets.parts import column, combo, form, quiet, set_allowed

__all__ = ["GroupForm"]

ORDERS = [
    ("In no order", "none"),
    ("Sections, by their names", "names"),
    ("Sections, as listed", "given"),
]
MODELS = [
    ("Affine: each may differ in all", "affine"),
    ("Similarity: turn, shift, scale", "similarity"),
    ("Rigid: turn and shift", "rigid"),
]


class GroupForm(QWidget):
    """Controls for a model's options.

    Parameters
    ----------
    model : GroupModel

    Attributes
    ----------
    chosen : Signal()
        Something was chosen.
    """

    chosen = Signal()

    def __init__(self, model: GroupModel) -> None:
        super().__init__()
        self._model = model
        self._seen: tuple[Any, ...] = ()
        self.order = combo("Whether the slides are serial sections, which are linked to their neighbours")
        self.frame = combo(
            "The common frame: that of the slide onto which the others move least, the mean shape, or a slide"
        )
        self.kind = combo(
            "How slides may differ; rigid is best for sections cut and mounted well of known pixel size"
        )
        self.method = combo("How pairs are aligned, or all at once")
        self.keep_shape = QSpinBox()
        self.keep_shape.setRange(0, 99)
        self.keep_shape.setSpecialValueText("no")
        self.keep_shape.setSuffix(" sections")
        self.keep_shape.setProperty(
            "does",
            "Take the trend that is smooth over so many sections out of their places: right where sections "
            "lie on their images as they lay in the block",
        )
        lines = form()
        lines.addRow("Order", self.order)
        lines.addRow("Frame", self.frame)
        lines.addRow("Model", self.kind)
        lines.addRow("Method", self.method)
        lines.addRow("Keep the shape", self.keep_shape)
        column(self, margin=0).addLayout(lines)
        options = model.options
        listed = [
            (spec.title if spec.is_available else f"{spec.title} (not installed)", spec.name)
            for spec in options.methods
        ]
        quiet(self.method, listed, options.method)
        for control in (self.order, self.frame, self.kind, self.method):
            control.activated.connect(lambda _index=0: self._read())
        self.keep_shape.valueChanged.connect(lambda _value=0: self._read())
        self.show_options()

    def show_options(self) -> None:
        """Show what the model's options are, and which can be chosen."""
        options = self._model.options
        seen = (
            self._model.included,
            options.order,
            options.frame,
            options.model,
            options.keep_shape,
            options.method,
        )
        # A list that somebody has open must not be filled anew under the mouse.
        if seen == self._seen:
            return
        self._seen = seen
        frames: list[tuple[str, Any]] = [("The best template", "template"), ("The mean shape", "mean")]
        frames += [(slide.name, slide) for slide in self._model.included]
        quiet(self.order, list(ORDERS), options.order)
        quiet(self.frame, frames, options.frame)
        quiet(self.kind, list(MODELS), options.model)
        self.method.setCurrentIndex(self.method.findData(options.method))
        blocked = self.keep_shape.blockSignals(True)
        self.keep_shape.setValue(round(options.keep_shape))
        self.keep_shape.blockSignals(blocked)
        obstacle = None if options.order != "none" else "Only sections in their order have a shape to keep."
        set_allowed(self.keep_shape, obstacle)

    def _read(self) -> None:
        options = self._model.options
        options.order = self.order.currentData()
        options.frame = self.frame.currentData()
        options.model = self.kind.currentData()
        if options.method != self.method.currentData():
            options.method, options.parameters = self.method.currentData(), {}
        options.keep_shape = float(self.keep_shape.value())
        self.chosen.emit()
