"""The canvases on which pairs are placed: session, points, marks and mouse of one viewer together."""

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from qtpy.QtCore import QTimer

from napari_histreg.plugin.canvas.canvas_view import CanvasView
from napari_histreg.plugin.canvas.marks import Marks
from napari_histreg.plugin.canvas.mouse import Mouse, MouseMode
from napari_histreg.plugin.canvas.pair_points import PairPoints
from napari_histreg.plugin.models import SessionState, Side
from napari_histreg.plugin.models.guidance import expected_partner
from napari_histreg.plugin.models.hints import has_prediction
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.plugin.viewer.moving_opacity import MovingOpacity

__all__ = ["LandmarkCanvases", "join_landmark_canvases"]

DRAGGED_OPACITY = 0.5
"""Both slides are to be seen while one is dragged onto the other."""

_SIDES: tuple[Side, Side] = ("fixed", "moving")


# By the identity of their layer syncs; they live as long as the widgets that use them.
_all_canvases: weakref.WeakValueDictionary[int, "LandmarkCanvases"] = weakref.WeakValueDictionary()


def join_landmark_canvases(sync: LayerSync, viewer: Any) -> "LandmarkCanvases":
    """Return the landmark canvases of a viewer for one more user, making them for the first."""
    canvases = _all_canvases.get(id(sync))
    if canvases is None:
        canvases = _all_canvases[id(sync)] = LandmarkCanvases(sync, viewer)
    canvases.users += 1
    return canvases


class LandmarkCanvas:
    """One canvas with its points, marks and mouse.

    Parameters
    ----------
    canvases : LandmarkCanvases
    view : CanvasView
    side_to_click : callable
        Returns the side that a click on this canvas belongs to now.
    spare : mapping of Side to Points, optional
        Layers that `release` left.
    """

    def __init__(
        self,
        canvases: "LandmarkCanvases",
        view: CanvasView,
        side_to_click: Callable[[], Side],
        spare: Mapping[Side, Any] | None = None,
    ) -> None:
        session = canvases.session
        self.view = view
        self.points = [
            PairPoints(session, view, side, lambda call: QTimer.singleShot(0, call), (spare or {}).get(side))
            for side in _SIDES
            if view.shows(side)
        ]
        self.marks = Marks(view)
        self.mouse = Mouse(session, view, lambda: self.points, side_to_click)
        self.mouse.on_pair_clicked = canvases.on_pair_clicked

    def release(self) -> dict[Side, Any]:
        """Let go of the canvas, and return the layers of points, which stay there empty and hidden."""
        self.mouse.close()
        self.marks.close()
        return {points.side: points.release() for points in self.points}

    def close(self) -> None:
        """Take everything off the canvas."""
        self.mouse.close()
        self.marks.close()
        for points in self.points:
            points.close()


class LandmarkCanvases:
    """Everything about placing pairs that is not a widget.

    Parameters
    ----------
    sync : LayerSync
        What keeps the viewer's layers and session in step.
    viewer : napari.Viewer
    """

    def __init__(self, sync: LayerSync, viewer: Any) -> None:
        self.sync = sync
        self.session = sync.session
        self._viewer = weakref.ref(getattr(viewer, "__wrapped__", viewer))
        self.main: LandmarkCanvas | None = None
        self.beside: LandmarkCanvas | None = None
        self.on_pair_clicked: Callable[[int], None] = lambda pair_id: None
        self.users = 0
        self._mode: MouseMode = "look"
        self._one_at_a_time = True
        self.opacity = MovingOpacity(sync)
        self._hidden: list[weakref.ref[Any]] = []
        self._spare: dict[Side, Any] = {}
        self.session.events.slides_changed.connect(self._begin)
        self.session.events.state_changed.connect(self._on_state)
        sync.bending_changed.connect(self._on_bending)
        sync.slides_changed.connect(self._drop_spare)
        self._begin()

    @property
    def mode(self) -> MouseMode:
        """What the mouse does on the canvases."""
        return self._mode

    @mode.setter
    def mode(self, mode: MouseMode) -> None:
        self._mode = mode
        for canvas in self.canvases_at_work:
            canvas.mouse.mode = mode
            for points in canvas.points:
                points.ensure()
        self.opacity.held = {"look": None, "pairs": 1.0, "place": DRAGGED_OPACITY}[mode]
        self._on_state(self.session.state)

    @property
    def one_at_a_time(self) -> bool:
        """Whether only the slide to be clicked next is seen on the main canvas while pairs are clicked."""
        return self._one_at_a_time

    @one_at_a_time.setter
    def one_at_a_time(self, wanted: bool) -> None:
        self._one_at_a_time = wanted
        self._show_side()

    @property
    def canvases_at_work(self) -> list[LandmarkCanvas]:
        """The canvases at work."""
        return [canvas for canvas in (self.main, self.beside) if canvas is not None]

    def add_canvas(self, view: CanvasView) -> LandmarkCanvas:
        """Take on the canvas that shows the fixed slide by itself; the main one then takes moving points."""
        self.beside = LandmarkCanvas(self, view, lambda: "fixed")
        self.mode = self._mode
        return self.beside

    def remove_canvas(self) -> None:
        """Let go of the second canvas."""
        if self.beside is not None:
            self.beside.close()
            self.beside = None
            self.mode = self._mode

    def fly_to(self, pair_id: int) -> None:
        """Bring a pair into the middle of the canvases."""
        state = self.session.state
        index = state.index(pair_id)
        points = {"fixed": state.landmarks.fixed[index], "moving": state.landmarks.moving[index]}
        for canvas in self.canvases_at_work:
            order: tuple[Side, ...] = ("moving", "fixed") if self.beside else _SIDES
            for side in order:
                if canvas.view.shows(side) and np.isfinite(points[side]).all():
                    canvas.view.fly_to(side, points[side])
                    break

    def show_where_next(self, point: ArrayLike) -> None:
        """Mark a point of the fixed slide as the place for the next pair, and fly there."""
        for canvas in self.canvases_at_work:
            if canvas.view.shows("fixed"):
                canvas.marks.put("where next", "fixed", point)
                canvas.view.fly_to("fixed", point)

    def leave(self) -> None:
        """Say that one user needs them no more; after the last one they are cleared."""
        self.users -= 1
        if self.users <= 0 and _all_canvases.pop(id(self.sync), None) is not None:
            self._close()

    def _close(self) -> None:
        """Take everything off the canvases."""
        self.session.events.slides_changed.disconnect(self._begin)
        self.session.events.state_changed.disconnect(self._on_state)
        self.sync.bending_changed.disconnect(self._on_bending)
        self.sync.slides_changed.disconnect(self._drop_spare)
        self._mode = "look"
        self._show_side()
        self.opacity.held = None
        self.remove_canvas()
        if self.main is not None:
            self.main.close()
            self.main = None
        self._drop_spare(wanted=False)

    def _begin(self) -> None:
        """Start afresh with the slides chosen now."""
        viewer = self._viewer()
        if self.main is not None:
            self._show_all()
            self._spare = self.main.release()
            self.main = None
        if viewer is None or not self.session.is_ready:
            self._drop_spare()
            return
        shown = getattr(getattr(viewer, "window", None), "_qt_viewer", None)
        view, spare = CanvasView(viewer, self._find_layer, getattr(shown, "canvas", None)), self._spare
        self._spare = {}
        self.main = LandmarkCanvas(self, view, self._side_on_main, spare)
        self.main.mouse.mode = self._mode

    def _drop_spare(self, *, wanted: bool = True) -> None:
        """Take the layers that nothing is chosen for off the canvas, where no two slides are open."""
        viewer = self._viewer()
        if viewer is None or (wanted and len(self.sync.slides) > 1):
            return
        spare, self._spare = self._spare, {}
        for layer in spare.values():
            if layer in viewer.layers:
                viewer.layers.remove(layer)

    def _find_layer(self, side: Side) -> Any:
        layers = self.sync.fixed_layers() if side == "fixed" else self.sync.moving_layers()
        return layers[0] if layers else None

    def _side_on_main(self) -> Side:
        return "moving" if self.beside is not None else self.session.next_side

    def _on_state(self, state: SessionState) -> None:
        if self.main is None:
            return
        self._show_expected(state)
        if state.waiting is None or state.waiting[1] == "fixed":
            return
        for canvas in self.canvases_at_work:
            canvas.marks.clear("where next")

    def _on_bending(self) -> None:
        for canvas in self.canvases_at_work:
            for points in canvas.points:
                points.show()
        self._on_state(self.session.state)

    def _show_expected(self, state: SessionState) -> None:
        """Put the ring where the partner of the waiting point is expected."""
        expected = expected_partner(state) if self._mode == "pairs" and has_prediction(self.session) else None
        for canvas in self.canvases_at_work:
            canvas.marks.clear("expected")
        if expected is not None:
            side, point = expected
            canvas = self._canvas_for(side)
            canvas.marks.put("expected", side, point)
            canvas.view.look_at(side, point)
        self._show_side()

    def _canvas_for(self, side: Side) -> LandmarkCanvas:
        canvas = self.beside if side == "fixed" and self.beside is not None else self.main
        assert canvas is not None
        return canvas

    def _show_side(self) -> None:
        """Show only the slide to be clicked on the main canvas, or both again."""
        self._show_all()
        self._name_once()
        if self.main is None or self._mode != "pairs" or not self._one_at_a_time:
            return
        wanted = self._side_on_main()
        others = self.sync.moving_layers() if wanted == "fixed" else self.sync.fixed_layers()
        others += [points.layer for points in self.main.points if points.side != wanted]
        for layer in others:
            if layer.visible:
                layer.visible = False
                self._hidden.append(weakref.ref(layer))
        self._name_once()
        # Before the slides are aligned, the one to be clicked may lie elsewhere.
        if not has_prediction(self.session) and not self.main.view.sees(wanted):
            self.main.view.show_whole(wanted)

    def _name_once(self) -> None:
        """Write each pair's name once on the main canvas: at its fixed point, where that is seen."""
        if self.main is not None:
            layers = {points.side: points.layer for points in self.main.points}
            layers["moving"].text.visible = not layers["fixed"].visible

    def _show_all(self) -> None:
        for reference in self._hidden:
            layer = reference()
            if layer is not None:
                layer.visible = True
        self._hidden.clear()
