"""Automatic registration: choose a method, run it, see its verdict, take its points."""

import weakref
from functools import partial
from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFileDialog, QFrame, QProgressBar, QWidget
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
from napari_histreg.plugin.widgets.theme import tone_colour
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


class RegistrationWidget(QWidget):
    """Run a method on the two chosen slides.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    with_chooser : bool
        Whether to show the lists of slides; not where another widget shows them already.

    Attributes
    ----------
    looked_at : Signal(tuple)
        A place (y, x) of the fixed slide's world is to be looked at, with the overlay on.
    reviewed : Signal()
        The user has looked.
    pairs_asked : Signal()
        Pairs are to be clicked.
    pixel_size_asked : Signal()
        The pixel sizes are to be given.
    """

    looked_at = Signal(tuple)
    reviewed = Signal()
    pairs_asked = Signal()
    pixel_size_asked = Signal()

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
        self.run_button = button("Run", "Align the moving slide to the fixed one", self.run)
        self.cancel_button = button("Cancel", "Stop; the slides stay as they lie", self.cancel)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.stage_name = note()
        self._build_verdict()
        self._arrange(viewer, with_chooser)
        quiet(self.method, [(spec.title, spec.name) for spec in self.model.methods], self.model.method)
        self._mark_missing_methods()
        quiet(self.start, [(text, value) for value, text in STARTS], self.model.start)
        quiet(self.signal, list(SIGNALS), None)
        self.method.activated.connect(lambda _index=0: self._choose_method())
        self.start.activated.connect(lambda _index=0: self._choose_start())
        for control in (self.fixed_channel, self.moving_channel, self.signal):
            control.activated.connect(lambda _index=0: self._read_controls())
        self.form.changed.connect(self._read_controls)

    def _build_verdict(self) -> None:
        self.verdict = QFrame()
        self.headline, self.reasons, self.place = note(), note(), note()
        self.spot_buttons = {
            name: button(
                name.capitalize(), f"Look at the block that fits {word}", partial(self.look_at, name)
            )
            for name, word in (("best", "best"), ("median", "middling"), ("worst", "worst"))
        }
        self.accept_button = button("Accept", "It is right: end the look at it", self.accept)
        self.pairs_button = button(
            "Click pairs from this guess",
            "Lay the slide where it was guessed and click; from the third pair on the pairs decide",
            self._pairs_from_guess,
        )
        self.channels_button = button(
            "Try other channels", "Choose what both slides are compared by", self._try_other_channels
        )
        self.size_button = button(
            "Give the pixel size", "Tell how large the pixels are", self.pixel_size_asked.emit
        )
        self.why_button = button("Why?", "The numbers behind it", lambda: None)
        self.why_button.setCheckable(True)
        self.why_button.toggled.connect(lambda _on: self._show())
        self.landmarks_button = button(
            "Correct",
            "Go to the landmarks, with the points that carried the result as pairs, and refit them",
            self._correct,
        )
        self.guess_button = button(
            "Show the guess", "Lay the slide where the method guessed", self.model.show_guess
        )
        self.bent_button = button(
            "Show it bent",
            "On: the moving slide is seen as the result bends it. Off: its affine part, which is quicker.",
            lambda: None,
        )
        self.bent_button.setCheckable(True)
        self.bent_button.clicked.connect(self._sync.show_bends)
        self.undo_button = button("Undo", "Put the slide back where it was", self._undo)

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
        below.addLayout(row(self.run_button, self.cancel_button))
        below.addWidget(self.progress)
        below.addWidget(self.stage_name)
        box = column(self.verdict, margin=8)
        box.addWidget(self.headline)
        box.addWidget(self.place)
        box.addLayout(row(*self.spot_buttons.values()))
        for control in (self.pairs_button, self.channels_button, self.size_button):
            box.addWidget(control)
        box.addLayout(row(self.accept_button, self.landmarks_button, self.undo_button))
        box.addLayout(row(self.guess_button, self.why_button))
        box.addWidget(self.reasons)
        box.addWidget(self.bent_button)
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

    def look_at(self, name: str) -> None:
        """Look at the best, the median or the worst block."""
        spot = next((spot for spot in self.model.spots if spot.name == name), None)
        if spot is not None:
            fill(self.place, f"{name.capitalize()} block: {spot.off} off. White is where both agree.")
            self.looked_at.emit(spot.point)

    def accept(self) -> None:
        """End the look at the result."""
        self.model.accept()
        self.reviewed.emit()

    def _take(self, found: Found) -> None:
        self.model.succeed(found.registration, found.spots)
        self.why_button.setChecked(False)
        self.look_at("worst")

    def _correct(self) -> None:
        if self.model.landmarks_obstacle is None:
            self.model.take_landmarks()
        self.accept()
        self.pairs_asked.emit()

    def _undo(self) -> None:
        self._sync.session.undo()
        self.reviewed.emit()

    def _pairs_from_guess(self) -> None:
        self.model.show_guess()
        self.pairs_asked.emit()

    def _try_other_channels(self) -> None:
        control = self.moving_channel if self.moving_channel.isEnabled() else self.fixed_channel
        control.setFocus()
        control.showPopup()

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
        self.model.parameters = self.form.values
        self._show()

    def _show_method(self) -> None:
        spec = self.model.spec
        fill(self.summary, spec.summary if spec.is_available else f"Not installed: {spec.install_line}")
        if spec.is_available:
            self.form.show_model(self.model.load(), self.model.parameters)
        self._show()

    def _mark_missing_methods(self) -> None:
        for k, spec in enumerate(self.model.methods):
            if not spec.is_available:
                self.method.setItemText(k, f"{spec.title} (not installed)")
                self.method.setItemData(
                    k, f"Install it with: {spec.install_line}", Qt.ItemDataRole.ToolTipRole
                )

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
        verdict = model.verdict
        self.verdict.setVisible(verdict is not None)
        if verdict is None:
            return
        fill(self.headline, verdict.headline, tone=verdict.tone, bold=True)
        fill(self.reasons, "\n".join(f"• {reason}" for reason in verdict.reasons))
        self.verdict.setStyleSheet(
            f"QFrame {{ border-left: 3px solid {tone_colour(verdict.tone)}; }} QLabel {{ border: 0; }}"
        )
        refused = model.result is not None and model.result.verdict == "refused" and not model.elsewhere
        self.reasons.setVisible(bool(verdict.reasons) and (self.why_button.isChecked() or not refused))
        self._show_review(refused)
        finished = not model.elsewhere and model.result is not None and model.result.has_transform
        self.landmarks_button.setVisible(finished and not refused)
        self.bent_button.setVisible(finished and model.bends)
        self.bent_button.setChecked(self._sync.bends_shown)
        undo = self._sync.session.undo_label
        self.undo_button.setVisible(finished and not refused)
        set_allowed(self.undo_button, None if undo else "There is nothing to undo.")
        self.guess_button.setVisible(finished and refused)

    def _show_review(self, refused: bool) -> None:
        """Offer what can be done about the result."""
        spots = {spot.name: spot for spot in self.model.spots}
        for name, control in self.spot_buttons.items():
            control.setVisible(name in spots)
        self.accept_button.setVisible(bool(spots))
        if not spots:
            fill(self.place, "")
        guessed = self.model.result is not None and self.model.result.has_transform
        self.pairs_button.setVisible(refused)
        self.pairs_button.setText("Click pairs from this guess" if guessed else "Click pairs")
        self.why_button.setVisible(refused)
        several = self.fixed_channel.isEnabled() or self.moving_channel.isEnabled()
        self.channels_button.setVisible(refused and several)
        unknown = any(s is not None and s.unit == "px" for s in (self._sync.fixed, self._sync.moving))
        self.size_button.setVisible(refused and unknown)

    def closeEvent(self, event: Any) -> None:
        """Stop what is running."""
        if self.task is not None:
            self.task.wait()
        super().closeEvent(event)
