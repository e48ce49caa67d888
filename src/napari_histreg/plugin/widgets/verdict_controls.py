"""The box that says what came of a run, and what can be done about it."""

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFrame, QWidget

from napari_histreg.plugin.models.automatic_model import AutomaticModel
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.plugin.widgets.parts import button, column, fill, note, row, set_allowed
from napari_histreg.plugin.widgets.theme import tone_colour

__all__ = ["VerdictControls"]


class VerdictControls(QWidget):
    """Verdict, places to look at, next steps; whoever inherits it runs the methods.

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

    model: AutomaticModel
    fixed_channel: QComboBox
    moving_channel: QComboBox
    _sync: LayerSync

    def _show(self) -> None:
        """Bring everything to the state of the model."""
        raise TypeError(f"{type(self).__name__} does not say how to show its model.")

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

    def _show_verdict(self) -> None:
        model = self.model
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
