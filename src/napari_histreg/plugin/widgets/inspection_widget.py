"""Inspect: is it aligned? Overlay, fade, curtain, squares, blink; arrows and numbers."""

from functools import partial
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSlider,
    QWidget,
)

from napari_histreg.plugin.canvas.comparison import Comparison
from napari_histreg.plugin.models.inspection import Inspection
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.parts import (
    Scrolled,
    button,
    column,
    fill,
    follow,
    heading,
    note,
    row,
    set_allowed,
)
from napari_histreg.plugin.widgets.slide_chooser import SlideChooser
from napari_histreg.plugin.worker import Task

__all__ = ["InspectionWidget"]

MODES = (
    ("layers", "Layers", "The layers as they are"),
    ("overlay", "Overlay", "Fixed magenta, moving green: white where both agree"),
    ("fade", "Fade", "Mix the two slides"),
    ("curtain", "Curtain", "One slide on each side of an edge that can be dragged"),
    ("checkerboard", "Squares", "The two slides in turn, in squares"),
    ("blink", "Blink", "The two slides in turn, in time"),
)


class InspectionWidget(QWidget):
    """Ways of looking at an alignment, on the real layers at any zoom.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    with_chooser : bool
        Whether to show the lists of slides; not where another widget shows them already.
    """

    def __init__(self, napari_viewer: Any, *, with_chooser: bool = True) -> None:
        super().__init__()
        self._sync = layer_sync_of(napari_viewer)
        sync = self._sync
        self.model = Inspection(sync.session, lambda: sync.initial)
        self.comparison = Comparison(napari_viewer, sync, self.model)
        self.task: Task | None = None
        self._held = False
        self.timer = QTimer(self)
        self.timer.timeout.connect(self.comparison.blink)
        self._build()
        self._arrange(napari_viewer, with_chooser)
        follow(self, self.model.changed, self._show)
        follow(self, sync.session.events.state_changed, self._show_state)
        follow(self, sync.session.events.slides_changed, self._show)
        comparison = self.comparison
        self.destroyed.connect(lambda _object=None: comparison.close())
        self._show()

    def _build(self) -> None:
        self.modes = QButtonGroup(self)
        self.mode_buttons: dict[str, QPushButton] = {}
        for mode, text, tip in MODES:
            control = button(text, tip, partial(self.model.set, mode=mode))
            control.setCheckable(True)
            self.modes.addButton(control)
            self.mode_buttons[mode] = control
        self.fade = _slider(0, 100, "Left: fixed slide, right: moving slide")
        self.fade.valueChanged.connect(lambda value: self.model.set(fade=value / 100))
        self.curtain = _slider(0, 1000, "Where the edge is; it can also be dragged on the canvas")
        self.curtain.valueChanged.connect(lambda value: self.model.set(curtain=value / 1000))
        self.horizontal = QCheckBox("Edge from left to right")
        self.horizontal.toggled.connect(lambda checked: self.model.set(horizontal=checked))
        self.square = _slider(32, 512, "How large the squares are on screen")
        self.square.valueChanged.connect(lambda value: self.model.set(square_px=value))
        self.speed = _slider(100, 1500, "How long each slide is shown")
        self.speed.valueChanged.connect(lambda value: self.model.set(blink_ms=value))
        self.arrows = QCheckBox("Residual arrows")
        self.arrows.setProperty("does", "An arrow for each pair, from where it lies to where it should lie")
        self.arrows.toggled.connect(lambda checked: self.model.set(arrows=checked))
        self.exaggeration = QDoubleSpinBox()
        self.exaggeration.setRange(1, 1000)
        self.exaggeration.setDecimals(0)
        self.exaggeration.setPrefix("× ")
        self.exaggeration.setToolTip("How many times longer than the residual the arrows are drawn")
        self.exaggeration.valueChanged.connect(lambda value: self.model.set(exaggeration=value))
        self.measure_button = button(
            "Measure", "Compare the images themselves, before and after; takes some seconds", self.measure
        )
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.hint = note()
        self.numbers = QWidget()
        self.grid = QGridLayout(self.numbers)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setColumnStretch(0, 1)

    def _arrange(self, viewer: Any, with_chooser: bool) -> None:
        layout = column(self)
        if with_chooser:
            layout.addWidget(SlideChooser(viewer, self))
        inner = QWidget()
        below = column(inner, margin=0)
        buttons = QGridLayout()
        buttons.setSpacing(4)
        for k, (mode, _, _) in enumerate(MODES):
            buttons.addWidget(self.mode_buttons[mode], k // 3, k % 3)
        below.addLayout(buttons)
        self.options: dict[str, QWidget] = {}
        for mode, controls in (
            ("overlay", (note("Fixed is magenta, moving is green; white where both agree."),)),
            ("fade", (QLabel("Fixed"), self.fade, QLabel("Moving"))),
            ("curtain", (QLabel("Edge"), self.curtain)),
            ("checkerboard", (QLabel("Size"), self.square)),
            ("blink", (QLabel("Fast"), self.speed, QLabel("Slow"))),
        ):
            self.options[mode] = QWidget()
            lines = column(self.options[mode], margin=0)
            lines.addLayout(row(*controls))
            if mode == "curtain":
                lines.addWidget(self.horizontal)
            below.addWidget(self.options[mode])
        below.addLayout(row(self.arrows, self.exaggeration))
        below.addWidget(heading("Before and after"))
        below.addWidget(self.numbers)
        below.addWidget(self.hint)
        below.addWidget(self.measure_button)
        below.addWidget(self.progress)
        below.addStretch(1)
        layout.addWidget(Scrolled(inner), 1)

    def measure(self) -> None:
        """Compare the images before and after, in a thread."""
        self._sync.settle()
        self.task = Task(self.model.begin_measuring(), self)
        self.task.progressed.connect(
            lambda fraction, _message: self.progress.setValue(round(1000 * fraction))
        )
        self.task.returned.connect(self.model.take_measures)
        self.task.finished.connect(self._show)
        self.task.start()
        self._show()

    def _show_progress(self, fraction: float, _message: str) -> None:
        self.progress.setValue(round(1000 * fraction))

    def _show_state(self, _state: Any = None) -> None:
        self._show()

    def _show(self) -> None:
        model = self.model
        busy = self.task is not None and self.task.is_running
        for mode, control in self.mode_buttons.items():
            set_allowed(control, model.obstacle)
            control.setChecked(mode == model.mode)
        for mode, option in self.options.items():
            option.setVisible(mode == model.mode)
        for control, value in (
            (self.fade, 100 * model.fade),
            (self.curtain, 1000 * model.curtain),
            (self.square, model.square_px),
            (self.speed, model.blink_ms),
            (self.exaggeration, model.exaggeration),
        ):
            blocked = control.blockSignals(True)
            control.setValue(round(value))
            control.blockSignals(blocked)
        set_allowed(self.arrows, model.arrows_obstacle)
        self.exaggeration.setEnabled(model.arrows and model.arrows_obstacle is None)
        set_allowed(self.measure_button, "It is measuring." if busy else model.obstacle)
        self.progress.setVisible(busy)
        if model.mode == "blink" and model.obstacle is None and self.comparison.active:
            self.timer.start(model.blink_ms)
        else:
            self.timer.stop()
        self._show_numbers()

    def _show_numbers(self) -> None:
        while self.grid.count():
            label = self.grid.takeAt(0).widget()
            label.hide()
            label.deleteLater()
        rows = self.model.numbers()
        self.numbers.setVisible(bool(rows))
        if rows:
            for k, text in enumerate(("", "before", "after")):
                self._cell(text, 0, k)
        for k, line in enumerate(rows):
            for where, text in enumerate((line.label, line.before, line.after)):
                self._cell(text, k + 1, where)
        missing = "" if self.model.is_current else "Press Measure to compare the images themselves."
        fill(self.hint, missing if self.model.obstacle is None else "")

    def _cell(self, text: str, line: int, place: int) -> None:
        label = QLabel(text)
        if place:
            label.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.grid.addWidget(label, line, place)

    def hold(self, wanted: bool) -> None:
        """Go on comparing while another tab is in front, or only while this one is."""
        self._held = wanted
        self._activate(wanted or self.isVisible())

    def showEvent(self, event: Any) -> None:
        """Compare as was chosen before."""
        super().showEvent(event)
        self._activate(True)

    def hideEvent(self, event: Any) -> None:
        """Show the layers as they are: behind another tab nobody could tell why they look otherwise."""
        super().hideEvent(event)
        self._activate(self._held)

    def _activate(self, wanted: bool) -> None:
        self.comparison.active = wanted
        self._show()

    def closeEvent(self, event: Any) -> None:
        """Stop measuring and give the layers back."""
        if self.task is not None:
            self.task.wait()
        super().closeEvent(event)


def _slider(low: int, high: int, tip: str) -> QSlider:
    control = QSlider(Qt.Orientation.Horizontal)
    control.setRange(low, high)
    control.setToolTip(tip)
    return control
