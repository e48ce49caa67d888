"""The controls of the landmark widget: what there is and where it lies."""

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QCheckBox, QFrame, QGridLayout, QHBoxLayout, QPushButton, QWidget

from napari_histreg.plugin.models import Session
from napari_histreg.plugin.models.hand_moves import TURNS
from napari_histreg.plugin.models.hints import obstacle
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.plugin.widgets.key_list import KeyList
from napari_histreg.plugin.widgets.parts import Scrolled, button, column, combo, form, note, set_allowed
from napari_histreg.plugin.widgets.residual_table import ResidualTable
from napari_histreg.plugin.widgets.session_bar import SessionBar
from napari_histreg.plugin.widgets.slide_chooser import SlideChooser

__all__ = ["LandmarkControls"]

_NARROW_PX = 44
_BOX = "QFrame { border-left: 3px solid #4c9be8; } QLabel { border: 0; }"
_TURN_SIGNS = {"flip left-right": "⇆", "flip up-down": "⇅", "turn left": "⟲", "turn right": "⟳"}


class LandmarkControls(QWidget):
    """Buttons, boxes, table and lines of text; what they do is bound by whoever inherits them.

    Parameters
    ----------
    viewer : napari.Viewer
    sync : LayerSync
    with_chooser : bool
        Whether to show the lists of slides.
    """

    def __init__(self, viewer: Any, sync: LayerSync, with_chooser: bool) -> None:
        super().__init__()
        self._make_buttons()
        self._make_boxes()
        self.advice, self.summary, self.said = note(), note(), note()
        self.doubts = note(tone="doubt")
        self.table = ResidualTable()
        self.sessions = SessionBar(viewer, sync)
        self._make_offer()
        self._make_question()
        self._arrange(viewer, with_chooser)

    def allow(self, session: Session, snap_obstacle: str) -> None:
        """Let pressed what can work now, and say in the tooltips of the rest why it cannot.

        Parameters
        ----------
        session : Session
        snap_obstacle : str
            Why nothing can be snapped; empty where it can.
        """
        for control, action in (
            (self.click_button, "click"),
            (self.beside_button, "click"),
            (self.focus_button, "click"),
            (self.drag_button, "drag"),
            (self.model, "click"),
            (self.follow_box, "follow"),
            (self.next_button, "where next"),
        ):
            set_allowed(control, obstacle(session, action) or None)
        for press in self.turn_buttons.values():
            set_allowed(press, obstacle(session, "turn") or None)
        set_allowed(self.snap_button, snap_obstacle or None)
        nothing = "" if self.table.selected_ids else "Choose pairs in the table first."
        set_allowed(self.delete_button, obstacle(session, "delete") or nothing or None)
        for control, verb, label in (
            (self.undo_button, "Undo", session.undo_label),
            (self.redo_button, "Redo", session.redo_label),
        ):
            control.setProperty("does", f"{verb}: {label}")
            set_allowed(control, obstacle(session, verb.lower()) or None)

    def _make_buttons(self) -> None:
        self.click_button = _button("Click pairs", "Click the same spot in both slides, in turn (K)")
        self.beside_button = _button("Side by side", "Show the fixed slide by itself on a second canvas")
        self.focus_button = _button(
            "Focus", "Two canvases of one width, without napari's lists; pressed again, all is as before"
        )
        self.focus_button.setCheckable(True)
        self.drag_button = _button("Drag", "Drag the moving slide roughly into place; with Shift, turn it")
        for toggle in (self.click_button, self.beside_button, self.drag_button):
            toggle.setCheckable(True)
        self.undo_button, self.redo_button = _button("Undo", "Undo"), _button("Redo", "Redo")
        self.turn_buttons: dict[str, QPushButton] = {
            turn: _button(_TURN_SIGNS[turn], f"{turn.capitalize()} (the moving slide)") for turn in TURNS
        }
        for press in (*self.turn_buttons.values(), self.drag_button):
            press.setMinimumWidth(_NARROW_PX)  # buttons ask for much before they have the window's style
        self.snap_button = _button("Snap", "Move the partner to the best local match (G)")
        self.next_button = _button("Where next?", "Mark the spot where one more pair helps most (N)")
        self.bent_button = _button(
            "Show it bent",
            "On: the moving slide is seen as the model bends it. Off: its affine part, which is quicker.",
        )
        self.bent_button.setCheckable(True)
        self.bent_button.hide()
        self.delete_button = _button("Delete", "Delete the pairs chosen in the table")
        self.key_list = KeyList(self)
        self.keys_button = _button("Keys", "Show what keys and mouse do here", self.key_list.show)

    def _make_boxes(self) -> None:
        self.model = combo("What the pairs may do to the moving slide; auto takes what they predict best")
        self.follow_box = QCheckBox("The pairs decide")
        self.follow_box.setProperty(
            "does", "On: the moving slide follows the pairs. Off: the pairs only measure how it lies."
        )
        self.worst_box = QCheckBox("Worst first")
        self.worst_box.setToolTip("Sort the table by error")
        self.one_box = QCheckBox("One slide at a time")
        self.one_box.setToolTip(
            "While pairs are clicked, show only the slide to be clicked on the main canvas"
        )
        self.one_box.setChecked(True)

    def _make_question(self) -> None:
        """Make the box that asks who decides, once pairs are placed after an automatic result."""
        self.question = QFrame()
        self.decide_button = _button("The pairs decide", "The moving slide follows the pairs from now on")
        self.measure_button = _button("They only measure", "The slide stays; pairs tell how well it lies")
        box = column(self.question, margin=6)
        box.addWidget(note("You placed a pair after the automatic result. What are the pairs to do?"))
        box.addLayout(_row(self.decide_button, self.measure_button))
        self.question.setStyleSheet(_BOX)
        self.question.hide()

    def _make_offer(self) -> None:
        """Make the box that offers what a former sitting left."""
        self.offer = QFrame()
        self.offer_text = note()
        self.continue_button = _button("Continue", "Bring back the pairs of the last sitting")
        leave = _button("Start anew", "Leave them in their file", self.offer.hide)
        box = column(self.offer, margin=6)
        box.addWidget(self.offer_text)
        box.addLayout(_row(self.continue_button, leave))
        self.offer.setStyleSheet(_BOX)
        self.offer.hide()

    def _arrange(self, viewer: Any, with_chooser: bool) -> None:
        layout = column(self)
        if with_chooser:
            layout.addWidget(SlideChooser(viewer, self))
        inner = QWidget()
        outer, layout = layout, column(inner, margin=0)
        layout.addWidget(self.offer)
        layout.addWidget(self.question)
        layout.addWidget(self.advice)
        grid = QGridLayout()
        grid.addWidget(self.click_button, 0, 0)
        grid.addWidget(self.beside_button, 0, 1)
        grid.addWidget(self.focus_button, 0, 2)
        grid.addWidget(self.undo_button, 1, 0)
        grid.addWidget(self.redo_button, 1, 1)
        grid.addWidget(self.keys_button, 1, 2)
        layout.addLayout(grid)
        lines = form()
        lines.addRow("Place roughly", _row(*self.turn_buttons.values(), self.drag_button))
        lines.addRow("Model", _row(self.model, self.follow_box))
        layout.addLayout(lines)
        layout.addWidget(self.summary)
        layout.addWidget(self.bent_button)
        layout.addWidget(self.table, 1)
        layout.addLayout(_row(self.worst_box, self.one_box))
        layout.addLayout(_row(self.snap_button, self.next_button, self.delete_button))
        layout.addWidget(self.said)
        layout.addWidget(self.doubts)
        # Notes may grow, but what saves the work stays on the screen.
        outer.addWidget(Scrolled(inner), 1)
        outer.addWidget(self.sessions)


def _button(text: str, tip: str, pressed: Callable[[], Any] = lambda: None) -> QPushButton:
    return button(text, tip, pressed)


def _row(*controls: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for control in controls:
        row.addWidget(control)
    return row
