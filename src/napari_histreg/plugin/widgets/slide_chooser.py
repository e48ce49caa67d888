"""Which slide stays and which one is brought onto it."""

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QWidget

from napari_histreg.plugin.models.template_choice import FEWEST, template_choice, template_words
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.viewer.moving_opacity import MovingOpacity
from napari_histreg.plugin.viewer.slide_layers import label, show_nuclear_only
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
from napari_histreg.plugin.widgets.pixel_size_form import PixelSizeForm
from napari_histreg.plugin.worker import Task
from napari_histreg.registration.template import TemplateChoice
from napari_histreg.slides import Slide

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
        self.sync = layer_sync_of(viewer)
        self.fixed = combo("The slide that stays where it is")
        self.moving = combo("The slide that is brought onto the fixed one")
        self.swap = button("Swap", "Exchange fixed and moving", self.sync.swap)
        self.size_button = button(
            "Pixel sizes …",
            "Give the size of the pixels where a file has none, or correct it",
            self._toggle_sizes,
        )
        self.template_button = button(
            "Fix the slide nearest to all",
            "Compare all open slides, and take for fixed the one that the others are most like",
            self.choose_template,
        )
        self.task: Task | None = None
        self.sizes = PixelSizeForm(self.sync, self)
        self.sizes.hide()
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setToolTip("How opaque the moving slide is")
        self.opacity.valueChanged.connect(self._on_opacity)
        self.nuclear = QCheckBox("Nuclei only")
        self.nuclear.setProperty("does", "Of the moving slide, show the channel of the nuclei alone")
        self.nuclear.toggled.connect(lambda wanted: show_nuclear_only(self.sync, wanted))
        self.notice = note(tone="doubt")
        lines = form()
        lines.addRow("Fixed", self.fixed)
        lines.addRow("Moving", self.moving)
        row = QHBoxLayout()
        row.addLayout(lines, 1)
        row.addWidget(self.swap)
        layout = column(self, margin=0)
        layout.addLayout(row)
        looks = QHBoxLayout()
        looks.addWidget(QLabel("Opacity"))
        looks.addWidget(self.opacity, 1)
        looks.addWidget(self.nuclear)
        looks.addWidget(self.size_button)
        layout.addLayout(looks)
        layout.addWidget(self.template_button)
        layout.addWidget(self.sizes)
        layout.addWidget(self.notice)
        for control in (self.fixed, self.moving):
            control.activated.connect(lambda _index=0: self._choose())
        follow(self, self.sync.slides_changed, self._show)
        follow(self, self.sync.session.events.slides_changed, self._show)
        follow(self, self.sync.noticed, self._show_notice)
        self._show()

    def _choose(self) -> None:
        self.sync.choose(self.fixed.currentData(), self.moving.currentData())

    def choose_template(self) -> None:
        """Compare all open slides in a thread, and take the nearest for fixed."""
        slides = self.sync.slides
        self.task = Task(template_choice(slides), self)
        self.task.progressed.connect(lambda _fraction, message: fill(self.notice, message))
        self.task.returned.connect(lambda choice: self._take_template(choice, slides))
        self.task.finished.connect(self._show_template)
        self.task.start()
        self._show_template()

    def _take_template(self, choice: TemplateChoice, slides: list[Slide]) -> None:
        fixed, others = slides[choice.index], [slides[k] for k in choice.order[1:]]
        if slides != self.sync.slides:
            return
        moving = next((s for s in (self.sync.moving, self.sync.fixed) if s in others), others[0])
        self.sync.choose(fixed, moving)
        fill(self.notice, template_words(choice, slides))

    def _show_template(self) -> None:
        busy = self.task is not None and self.task.is_running
        self.template_button.setVisible(len(self.sync.slides) >= FEWEST)
        set_allowed(self.template_button, "It is comparing." if busy else None)

    def ask_pixel_sizes(self) -> None:
        """Show the fields for the pixel sizes."""
        self.sizes.show()
        self.sizes.sizes["moving"].setFocus()

    def show_opacity(self) -> None:
        """Show how opaque the moving slide is now."""
        blocked = self.opacity.blockSignals(True)
        self.opacity.setValue(round(100 * MovingOpacity(self.sync).value))
        self.opacity.blockSignals(blocked)

    def _toggle_sizes(self) -> None:
        self.sizes.setVisible(self.sizes.isHidden())

    def _on_opacity(self, value: int) -> None:
        MovingOpacity(self.sync).value = value / 100

    def _show(self) -> None:
        slides = self.sync.slides
        items: list[tuple[str, Any]] = [(label(self.sync, slide), slide) for slide in slides]
        missing: list[tuple[str, Any]] = (
            [("Open a slide first", None)] if not slides else [("Choose …", None)]
        )
        for control, chosen in ((self.fixed, self.sync.fixed), (self.moving, self.sync.moving)):
            quiet(control, items if chosen is not None else missing + items, chosen)
            set_allowed(control, None if slides else "No slide is open. Drop two slides onto the canvas.")
        obstacle = None if self.sync.session.is_ready else "Choose two different slides first."
        for control in (self.swap, self.size_button):
            set_allowed(control, obstacle)
        several = self.sync.moving is not None and len(self.sync.moving_layers()) > 1
        set_allowed(self.nuclear, obstacle or (None if several else "The moving slide has no channels."))
        self._show_template()
        self.opacity.setEnabled(obstacle is None)
        self.show_opacity()
        self._show_notice(self.sync.notice)

    def _show_notice(self, text: str) -> None:
        slides = self.sync.slides
        if not slides:
            text = "Open two slides: drop them onto the canvas, or File > Open Sample > Slide registration."
        elif len(slides) == 1:
            text = "Open a second slide to align it with."
        elif self.sync.fixed is not None and self.sync.fixed is self.sync.moving:
            text = "Fixed and moving are the same slide. Choose another one."
        fill(self.notice, text, tone="doubt")

    def closeEvent(self, event: Any) -> None:
        """Stop comparing."""
        if self.task is not None:
            self.task.wait()
        super().closeEvent(event)
