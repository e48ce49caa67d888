"""Automatic registration: choose a method, run it, see its verdict, take its points."""

import weakref
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QFileDialog, QProgressBar, QWidget
from superqt import QCollapsible

from napari_histreg.errors import HistregError
from napari_histreg.plugin.models.automatic_model import AutomaticModel, Found
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.method_form import MethodForm
from napari_histreg.plugin.widgets.parts import (
    Scrolled,
    button,
    column,
    combo,
    fill,
    follow,
    form,
    note,
    quiet,
    row,
    set_allowed,
)
from napari_histreg.plugin.widgets.slide_chooser import SlideChooser
from napari_histreg.plugin.widgets.verdict_controls import VerdictControls
from napari_histreg.plugin.worker import Task
from napari_histreg.records.document import read_registration

__all__ = ["RegistrationWidget"]

STARTS = [
    ("nothing", "Nothing"),
    ("landmarks", "The landmarks"),
    ("layers", "As they lie now"),
    ("record", "Another registration …"),
]
SIGNALS = [("As suits the method", None), ("Nuclei", "nuclear"), ("Grey", "grey")]


class RegistrationWidget(VerdictControls):
    """Run a method on the two chosen slides.

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
        self.model = AutomaticModel(self._sync.session)
        self.task: Task | None = None
        self._build(napari_viewer, with_chooser)
        follow(self, self.model.changed, self._show)
        follow(self, self._sync.session.events.slides_changed, self._show_slides)
        follow(self, self._sync.bending_changed, self._show)
        follow(self, self._sync.session.events.state_changed, self._show_state)
        self._show_method()
        self._show_slides()

    def _build(self, viewer: Any, with_chooser: bool) -> None:
        self.method = combo("How to align")
        self.summary = note()
        self.fixed_channel = combo("The channel of the fixed slide that the method looks at")
        self.moving_channel = combo("The channel of the moving slide that the method looks at")
        self.start = combo(
            "What the method may take for nearly right; it searches everywhere where that is nothing"
        )
        self.signal = combo("What a method sees that looks at one plane: the nuclei, or plain grey")
        self.form = MethodForm()
        self.parameters = QCollapsible("Parameters")
        self.parameters.addWidget(self.form)
        self.advanced_form = MethodForm(advanced=True)
        self.missing = QCheckBox("List methods that are not installed")
        self.missing.setToolTip("Each says how to install it")
        self.missing.toggled.connect(self._list_methods)
        self.advanced = QCollapsible("Advanced")
        self.advanced.addWidget(self.advanced_form)
        self.advanced.addWidget(self.missing)
        self.run_button = button("Run", "Align the moving slide to the fixed one", self.run)
        self.cancel_button = button("Cancel", "Stop; the slides stay as they lie", self.cancel)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.stage_name = note()
        self._build_verdict()
        self._arrange(viewer, with_chooser)
        self._list_methods()
        quiet(self.start, [(text, value) for value, text in STARTS], self.model.start)
        quiet(self.signal, list(SIGNALS), None)
        self.method.activated.connect(lambda _index=0: self._choose_method())
        self.start.activated.connect(lambda _index=0: self._choose_start())
        for control in (self.fixed_channel, self.moving_channel, self.signal):
            control.activated.connect(lambda _index=0: self._read_controls())
        self.form.changed.connect(self._read_controls)
        self.advanced_form.changed.connect(self._read_controls)

    def _arrange(self, viewer: Any, with_chooser: bool) -> None:
        layout = column(self)
        if with_chooser:
            layout.addWidget(SlideChooser(viewer, self))
        lines = form()
        lines.addRow("Method", self.method)
        lines.addRow(self.summary)
        lines.addRow("Fixed channel", self.fixed_channel)
        lines.addRow("Moving channel", self.moving_channel)
        lines.addRow("Start from", self.start)
        lines.addRow("Signal", self.signal)
        layout.addLayout(lines)
        inner = QWidget()
        below = column(inner, margin=0)
        below.addWidget(self.parameters)
        below.addWidget(self.advanced)
        below.addLayout(row(self.run_button, self.cancel_button))
        below.addWidget(self.progress)
        below.addWidget(self.stage_name)
        below.addWidget(self.verdict)
        below.addStretch(1)
        layout.addWidget(Scrolled(inner), 1)

    def run(self) -> None:
        """Start the method in a thread."""
        if self.model.obstacle is not None:
            return
        self._read_controls()
        self._sync.settle()
        self.task = Task(self.model.begin(self._sync.shown_fixed_to_moving()), self, notify=False)
        self.task.progressed.connect(self.model.report)
        self.task.returned.connect(self._take)
        self.task.failed.connect(self.model.fail)
        self.task.cancelled.connect(self.model.cancel)
        self.task.start()

    def _take(self, found: Found) -> None:
        self.model.succeed(found.registration, found.spots)
        self.why_button.setChecked(False)
        self.look_at("worst")

    def cancel(self) -> None:
        """Stop the method."""
        if self.task is not None and self.task.is_running:
            self.task.cancel()
            self.model.stop()

    def _choose_method(self) -> None:
        self.model.choose_method(self.method.currentData())
        self._show_method()

    def _choose_start(self) -> None:
        if self.start.currentData() == "record":
            title = "Which registration is to start from?"
            path, _ = QFileDialog.getOpenFileName(self, title, "", "Registration (*.json)")
            try:
                self.model.start_record = read_registration(path) if path else None
            except HistregError as error:
                show_error(str(error))
            if self.model.start_record is None:
                self.start.setCurrentIndex(self.start.findData("nothing"))
        self._read_controls()

    def _read_controls(self) -> None:
        self.model.signal = self.signal.currentData()
        self.model.fixed_channel = self.fixed_channel.currentData()
        self.model.moving_channel = self.moving_channel.currentData()
        self.model.start = self.start.currentData()
        self.model.parameters = {**self.form.values, **self.advanced_form.values}
        self._show()

    def _show_method(self) -> None:
        spec = self.model.spec
        fill(self.summary, spec.summary if spec.is_available else f"Not installed: {spec.install_line}")
        if spec.is_available:
            for part in (self.form, self.advanced_form):
                part.show_model(self.model.load(), self.model.parameters)
        self._show()

    def _list_methods(self) -> None:
        """List the methods; those that are not installed where that is wished, or where one is chosen."""
        listed = [
            spec
            for spec in self.model.methods
            if spec.is_available or self.missing.isChecked() or spec.name == self.model.method
        ]
        quiet(self.method, [(spec.title, spec.name) for spec in listed], self.model.method)
        for k, spec in enumerate(listed):
            if not spec.is_available:
                self.method.setItemText(k, f"{spec.title} (not installed)")
                tip = f"Install it with: {spec.install_line}"
                self.method.setItemData(k, tip, Qt.ItemDataRole.ToolTipRole)

    def _show_slides(self) -> None:
        for control, slide in (
            (self.fixed_channel, self._sync.fixed),
            (self.moving_channel, self._sync.moving),
        ):
            channels = () if slide is None else slide.channels
            items: list[tuple[str, Any]] = [("Automatic", None)]
            items += [(channel.name, k) for k, channel in enumerate(channels)]
            quiet(control, items, None)
            set_allowed(control, None if len(channels) > 1 else "There is only one channel.")
        self._read_controls()

    def _show_state(self, _state: Any = None) -> None:
        self._show()

    def _show(self) -> None:
        model = self.model
        set_allowed(self.run_button, model.obstacle)
        set_allowed(
            self.cancel_button,
            {"idle": "Nothing is running.", "stopping": "It is stopping."}.get(model.state),
        )
        self.cancel_button.setText("Stopping …" if model.state == "stopping" else "Cancel")
        self.progress.setVisible(model.state != "idle")
        self.progress.setValue(round(1000 * model.fraction))
        fill(self.stage_name, model.message)
        self._show_verdict()

    def closeEvent(self, event: Any) -> None:
        """Stop what is running."""
        if self.task is not None:
            self.task.wait()
        super().closeEvent(event)
