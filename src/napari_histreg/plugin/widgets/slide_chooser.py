"""Which slide stays and which one is brought onto it."""

from typing import Any

from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_histreg.plugin.layers.slides import short_name
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.parts import (
    button,
    column,
    combo,
    fill,
    follow,
    form,
    note,
    quiet,
    set_allowed,
)

__all__ = ["SlideChooser"]


class SlideChooser(QWidget):
    """Two lists of the open slides, fixed and moving, and a button that exchanges them.

    Parameters
    ----------
    viewer : napari.Viewer
    parent : QWidget, optional
    """

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sync = layer_sync_of(viewer)
        self.fixed = combo("The slide that stays where it is")
        self.moving = combo("The slide that is brought onto the fixed one")
        self.swap = button("Swap", "Exchange fixed and moving", self._sync.swap)
        self.notice = note(colour="#e0a030")
        lines = form()
        lines.addRow("Fixed", self.fixed)
        lines.addRow("Moving", self.moving)
        row = QHBoxLayout()
        row.addLayout(lines, 1)
        row.addWidget(self.swap)
        layout = column(self, margin=0)
        layout.addLayout(row)
        layout.addWidget(self.notice)
        for control in (self.fixed, self.moving):
            control.activated.connect(lambda _index=0: self._choose())
        follow(self, self._sync.slides_changed, self._show)
        follow(self, self._sync.session.events.slides_changed, self._show)
        follow(self, self._sync.noticed, self._show_notice)
        self._show()

    def _choose(self) -> None:
        self._sync.choose(self.fixed.currentData(), self.moving.currentData())

    def _show(self) -> None:
        slides = self._sync.slides
        items: list[tuple[str, Any]] = [(short_name(slide), slide) for slide in slides]
        missing: list[tuple[str, Any]] = (
            [("Open a slide first", None)] if not slides else [("Choose …", None)]
        )
        for control, chosen in ((self.fixed, self._sync.fixed), (self.moving, self._sync.moving)):
            quiet(control, items if chosen is not None else missing + items, chosen)
            set_allowed(control, None if slides else "No slide is open. Drop two slides onto the canvas.")
        obstacle = None if self._sync.session.is_ready else "Choose two different slides first."
        set_allowed(self.swap, obstacle)
        self._show_notice(self._sync.notice)

    def _show_notice(self, text: str) -> None:
        slides = self._sync.slides
        if not slides:
            text = "Open two slides: drop them onto the canvas, or File > Open Sample > Slide registration."
        elif len(slides) == 1:
            text = "Open a second slide to align it with."
        elif self._sync.fixed is not None and self._sync.fixed is self._sync.moving:
            text = "Fixed and moving are the same slide. Choose another one."
        fill(self.notice, text, colour="#e0a030")
