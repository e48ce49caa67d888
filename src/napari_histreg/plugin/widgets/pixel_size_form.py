"""The pixel sizes of both slides, to be given where a file has none and corrected where it is wrong."""

from typing import Any

from qtpy.QtWidgets import QDoubleSpinBox, QFrame, QWidget

from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.plugin.widgets.parts import button, column, combo, fill, form, note, quiet, row

__all__ = ["PixelSizeForm"]

OBJECTIVES: tuple[tuple[str, float | None], ...] = (
    ("Objective …", None),
    ("10x", 1.0),
    ("20x", 0.5),
    ("40x", 0.25),
    ("60x", 0.17),
)
"""Usual sizes of a scanner's pixels in µm, by what it is said to have scanned with."""


class PixelSizeForm(QFrame):
    """A line for each slide: µm per pixel, or the objective it was scanned with.

    Parameters
    ----------
    sync : LayerSync
    parent : QWidget, optional
    """

    def __init__(self, sync: LayerSync, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sync = sync
        self.sizes = {side: self._spin() for side in ("fixed", "moving")}
        lines = form()
        for side, spin in self.sizes.items():
            objective = combo("Takes the usual size of its pixels")
            quiet(objective, [(text, size) for text, size in OBJECTIVES], None)
            objective.activated.connect(
                lambda _index, spin=spin, box=objective: spin.setValue(box.currentData() or spin.value())
            )
            lines.addRow(f"{side.capitalize()}, µm per pixel", row(spin, objective))
        self.said = note()
        self.apply_button = button("Use these sizes", "Lengths are measured by them from now on", self.apply)
        layout = column(self, margin=4)
        layout.addLayout(lines)
        layout.addWidget(self.apply_button)
        layout.addWidget(self.said)

    def showEvent(self, event: Any) -> None:
        """Show what the slides say of themselves."""
        super().showEvent(event)
        for side, slide in (("fixed", self._sync.fixed), ("moving", self._sync.moving)):
            known = None if slide is None else slide.pixel_size_um
            self.sizes[side].setValue(0.0 if known is None else known[0])

    def apply(self) -> None:
        """Give the slides these sizes."""
        given = {side: spin.value() or None for side, spin in self.sizes.items()}
        changed = self._sync.set_pixel_sizes(given["fixed"], given["moving"])
        if changed:
            self.hide()
        else:
            fill(self.said, "Both slides have these sizes already.")

    def _spin(self) -> QDoubleSpinBox:
        spin = QDoubleSpinBox()
        spin.setRange(0.0, 100.0)
        spin.setDecimals(4)
        spin.setSingleStep(0.05)
        spin.setSpecialValueText("unknown")
        spin.setToolTip("Side of a pixel at full resolution in µm; 0 where nobody knows")
        return spin
