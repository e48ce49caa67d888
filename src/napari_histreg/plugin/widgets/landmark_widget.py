"""Landmarks: click pairs, watch the moving slide follow, see how well the pairs agree."""

import weakref
from functools import partial
from typing import Any

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_histreg.errors import HistregError
from napari_histreg.landmarks import LANDMARK_MODELS
from napari_histreg.landmarks.agreement import AUTO
from napari_histreg.plugin.canvas.landmark_canvases import join_landmark_canvases
from napari_histreg.plugin.models.autosave import Autosave
from napari_histreg.plugin.models.guidance import next_spot, tissue_points
from napari_histreg.plugin.models.hints import is_doubtful, model_title, notes, obstacle, summary, what_next
from napari_histreg.plugin.models.pair_table import Order, pair_rows
from napari_histreg.plugin.models.session_file import SavedSession
from napari_histreg.plugin.models.snap import PairSnap
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.viewer.session_files import restore
from napari_histreg.plugin.widgets.keys import Keys
from napari_histreg.plugin.widgets.landmark_views import LandmarkViews
from napari_histreg.plugin.widgets.parts import fill, follow, quiet
from napari_histreg.plugin.widgets.window_room import remembered
from napari_histreg.plugin.worker import Task

__all__ = ["LandmarkWidget"]

_AUTOSAVE_MS = 1000


class LandmarkWidget(LandmarkViews):
    """Place pairs of points by hand.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    with_chooser : bool
        Whether to show the lists of slides; not where another widget shows them already.
    """

    def __init__(self, napari_viewer: Any, *, with_chooser: bool = True) -> None:
        sync = layer_sync_of(napari_viewer)
        super().__init__(napari_viewer, sync, with_chooser)
        self._viewer = weakref.ref(getattr(napari_viewer, "__wrapped__", napari_viewer))
        self._sync = sync
        self.session = self._sync.session
        self.canvases = join_landmark_canvases(self._sync, napari_viewer)
        self.autosave = Autosave(self.session)
        self.task: Task | None = None
        self._saved: SavedSession | None = None
        self._tissue: tuple[str, Any] | None = None
        self._open = True
        self._bind()
        self._show_slides()

    def _bind(self) -> None:
        session = self.session
        follow(self, session.events.slides_changed, self._show_slides)
        follow(self, session.events.state_changed, self._on_state)
        follow(self, session.events.side_changed, self._show)
        follow(self, self._sync.bending_changed, self._show)
        self.canvases.on_pair_clicked = self.table.select_pair
        for press, action in (
            (self.undo_button, session.undo),
            (self.redo_button, session.redo),
            (self.snap_button, self.snap),
            (self.next_button, self.where_next),
            (self.delete_button, lambda: session.delete_pairs(self.table.selected_ids)),
            (self.continue_button, self._continue),
            (self.decide_button, lambda: session.set_follow(True)),
            (self.measure_button, lambda: session.set_follow(False)),
            *((press, partial(session.turn, turn)) for turn, press in self.turn_buttons.items()),
        ):
            press.clicked.connect(lambda _checked=False, action=action: action())
        self.click_button.toggled.connect(self._on_click_mode)
        self.drag_button.toggled.connect(self._on_drag_mode)
        self.bent_button.clicked.connect(self._sync.show_bends)
        self.beside_button.toggled.connect(self._on_beside)
        self.focus_button.clicked.connect(self._on_focus)
        self.model.activated.connect(lambda _index=0: session.set_model(self.model.currentData()))
        self.follow_box.clicked.connect(session.set_follow)
        self.worst_box.toggled.connect(self._show)
        self.one_box.toggled.connect(self._on_one)
        self.table.switched.connect(session.switch_pair)
        self.table.renamed.connect(self._rename)
        self.table.chosen.connect(self.canvases.fly_to)
        self.table.selection_changed.connect(self._allow)
        self.table.delete_asked.connect(session.delete_pairs)
        self.keys = Keys(
            self,
            {
                "Control-Z": session.undo,
                "Control-Shift-Z": session.redo,
                "K": self.click_button.click,
                "G": self.snap,
                "N": self.where_next,
                "Escape": self._forget_waiting,
            },
        )
        self._clock = QTimer(self)
        self._clock.setInterval(_AUTOSAVE_MS)
        self._clock.timeout.connect(self.autosave.tick)
        self._clock.start()

    def snap(self) -> None:
        """Look for the best local match of the waiting point, or of the pair chosen in the table."""
        reason = self._snap_obstacle()
        if reason:
            self._say(reason)
            return
        chosen = self.table.selected_ids
        pair_id = chosen[0] if self.session.state.waiting is None else self.session.state.waiting[0]
        look = PairSnap(self.session, pair_id)
        self._run(look.find, lambda match: self._say(look.accept(match)))

    def where_next(self) -> None:
        """Mark the spot where one more pair teaches most."""
        reason, fixed = obstacle(self.session, "where next"), self.session.fixed
        if reason or fixed is None:
            self._say(reason)
            return
        key, slide = fixed.key, fixed.slide
        if self._tissue is not None and self._tissue[0] == key:
            self._show_where_next(self._tissue)
        else:
            self._run(lambda progress: (key, tissue_points(slide)), self._show_where_next)

    def close_down(self) -> None:
        """Give canvas, keys and files back; the widget is of no use afterwards."""
        if not self._open:
            return
        self._open = False
        self._clock.stop()
        self.keys.release()
        if self.task is not None:
            self.task.wait()
        if self.beside is not None:
            self._close_beside()
        self.canvases.leave()
        self.autosave.stop()

    def _show_where_next(self, found: Any) -> None:
        self._tissue = found
        try:
            spot = next_spot(self.session, found[1])
        except ValueError as error:
            self._say(str(error))
            return
        self.canvases.show_where_next(spot.point)
        self._say("The star marks where the fit is least certain: click a pair near it.")

    def _run(self, call: Any, done: Any) -> None:
        """Do something in a thread and show what comes of it."""
        if self.task is not None and self.task.is_running:
            return
        self._say("Looking …")
        self.task = Task(call, self, notify=False)
        self.task.returned.connect(done)
        self.task.failed.connect(self._say)
        self.task.finished.connect(self._show)
        self.task.start()
        self._show()

    def _rename(self, pair_id: int, name: str) -> None:
        try:
            self.session.rename_pair(pair_id, name)
        except ValueError as error:
            self._say(str(error))
            self._show()

    def _forget_waiting(self) -> None:
        waiting = self.session.state.waiting
        if waiting is not None:
            self.session.delete_pairs([waiting[0]])

    def _on_state(self, _state: Any) -> None:
        """Show the state; what was said of the one before is done."""
        self._say("")
        self._show()

    def _on_click_mode(self, on: bool) -> None:
        if on:
            self.drag_button.setChecked(False)
            if remembered("focus") and not self.focus_button.isChecked():
                self.focus_button.click()
        self.canvases.mode = "pairs" if on else "look"
        self._show()

    def _on_drag_mode(self, on: bool) -> None:
        if on:
            self.click_button.setChecked(False)
        self.canvases.mode = "place" if on else "look"
        self._show()

    def _on_one(self, on: bool) -> None:
        self.canvases.one_at_a_time = on

    def _continue(self) -> None:
        saved, self._saved = self._saved, None
        self.offer.hide()
        if saved is not None and self._sync.fixed is not None and self._sync.moving is not None:
            restore(self._sync, saved, self._sync.fixed, self._sync.moving)

    def _show_slides(self) -> None:
        try:
            saved = self.autosave.found() if self.session.is_ready else None
        except HistregError:
            saved = None
        if saved is not None:
            when = saved.saved.astimezone().strftime("%d %B, %H:%M")
            count = len(saved.state.landmarks)
            what = {0: "no pairs, but placed", 1: "1 pair"}.get(count, f"{count} pairs")
            self.offer_text.setText(f"These slides were aligned before: {what}, {when}.")
            self.offer_text.show()
        self._saved = saved
        self.offer.setVisible(saved is not None)
        self._show()

    def _main_viewer(self) -> Any:
        return self._viewer()

    def _say(self, text: str) -> None:
        fill(self.said, text)

    def _show(self, _what: Any = None) -> None:
        """Bring everything to the state of the session."""
        session, state = self.session, self.session.state
        if not session.is_ready or obstacle(session, "drag"):
            self.drag_button.setChecked(False)
        if not session.is_ready:
            self.click_button.setChecked(False)
        placing = self.canvases.mode == "pairs"
        fill(self.advice, what_next(session, placing=placing), bold=True)
        fill(self.summary, summary(session))
        order: Order = "worst first" if self.worst_box.isChecked() else "number"
        self.table.show_rows(pair_rows(session, order), session.unit)
        fill(self.doubts, "\n".join(notes(session)), tone="doubt" if is_doubtful(session) else "")
        models = [(model_title(model), model) for model in (AUTO, *LANDMARK_MODELS)]
        quiet(self.model, models, state.model)
        self.bent_button.setVisible(session.is_ready and session.bends)
        self.bent_button.setChecked(self._sync.bends_shown)
        self.follow_box.setChecked(state.follow)
        self.question.setVisible(state.handover == "asking")
        if session.undo_label is not None:
            self.offer.hide()  # whoever has begun anew has answered
        self._allow()

    def _allow(self) -> None:
        self.allow(self.session, self._snap_obstacle())

    def _snap_obstacle(self) -> str:
        reason = obstacle(self.session, "snap")
        if reason:
            return reason
        if self.task is not None and self.task.is_running:
            return "It is looking already."
        if self.session.state.waiting is None and not self.table.selected_ids:
            return "Click a point first, or choose a pair in the table."
        return ""

    def showEvent(self, event: Any) -> None:
        """Take the keys of the canvas."""
        viewer = self._viewer()
        if viewer is not None and self._open:
            self.keys.hold(viewer)
            self._watch()
        super().showEvent(event)

    def hideEvent(self, event: Any) -> None:
        """Give the keys of the canvas back, and the mouse."""
        self.keys.release(self._viewer())
        self.click_button.setChecked(False)
        self.drag_button.setChecked(False)
        super().hideEvent(event)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Close down when the dock lets go of this widget, or of the one that holds it."""
        if event.type() == QEvent.Type.ParentChange and watched.parent() is None:
            self.close_down()
        elif event.type() == QEvent.Type.Close:
            # The window may yet stay open.
            self.autosave.write_now()
        return bool(super().eventFilter(watched, event))

    def closeEvent(self, event: Any) -> None:
        """Close down where this widget is a window by itself."""
        self.close_down()
        super().closeEvent(event)

    def _watch(self) -> None:
        """Watch the window, and the widget that the dock holds: this one or an ancestor of it."""
        docked: QWidget = self
        while docked.parentWidget() is not None and not isinstance(docked.parentWidget(), QDockWidget):
            docked = docked.parentWidget()
        for watched in (docked, self.window()):
            watched.removeEventFilter(self)
            watched.installEventFilter(self)
