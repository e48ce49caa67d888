"""Mouse on a canvas: clicks that make pairs, drags that move points or the moving slide."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from napari_histreg.plugin.canvas.canvas_view import CanvasView
from napari_histreg.plugin.canvas.pair_points import PairPoints
from napari_histreg.plugin.models import Session, Side
from napari_histreg.plugin.models.hand_moves import centre_seen

__all__ = ["Mouse", "MouseMode"]

MouseMode = Literal["look", "pairs", "place"]
"""What the mouse does: only look round, click pairs, or drag the moving slide."""

HIT_PX = 9.0
"""A press so near to a point takes hold of it."""
STILL_PX = 4.0
"""A press that moves no farther is a click."""


class Mouse:
    """Turns mouse events on one canvas into edits of the session.

    Parameters
    ----------
    session : Session
    view : CanvasView
        The canvas.
    points : callable
        Returns the sides' points that lie on this canvas.
    side_to_click : callable
        Returns the side that a click on this canvas belongs to now.
    """

    def __init__(
        self,
        session: Session,
        view: CanvasView,
        points: Callable[[], Sequence[PairPoints]],
        side_to_click: Callable[[], Side],
    ) -> None:
        self._session = session
        self._view = view
        self._points = points
        self._side_to_click = side_to_click
        self.mode: MouseMode = "look"
        self.on_pair_clicked: Callable[[int], None] = lambda pair_id: None
        view.viewer.mouse_drag_callbacks.append(self._on_press)

    def close(self) -> None:
        """Leave the mouse alone."""
        callbacks = self._view.viewer.mouse_drag_callbacks
        if self._on_press in callbacks:
            callbacks.remove(self._on_press)

    def _on_press(self, viewer: Any, event: Any) -> Iterator[None]:
        if self.mode == "look" or event.button != 1 or not self._session.is_ready:
            return
        if self.mode == "place":
            yield from self._drag_slide(viewer, event)
        elif not event.modifiers and not _is_editing_points(viewer):
            yield from self._click_or_drag_point(viewer, event)

    def _click_or_drag_point(self, viewer: Any, event: Any) -> Iterator[None]:
        start = tuple(event.position)
        held = self._hit(start)
        if held is None:
            moved = False
            yield
            while event.type == "mouse_move":
                moved = moved or self._view.pixels_between(start, event.position) > STILL_PX
                yield
            if not moved:
                side = self._side_to_click()
                self._session.click(side, self._view.to_slide(side, start))
            return
        points, pair_id = held
        moved = False
        with _Still(viewer):
            yield
            while event.type == "mouse_move":
                moved = moved or self._view.pixels_between(start, event.position) > STILL_PX
                if moved:
                    points.preview(pair_id, event.position)
                yield
        if moved:
            self._session.move_point(pair_id, points.side, self._view.to_slide(points.side, event.position))
        else:
            self.on_pair_clicked(pair_id)

    def _drag_slide(self, viewer: Any, event: Any) -> Iterator[None]:
        moving = self._session.moving
        if moving is None or not (self._view.shows("fixed") and self._view.shows("moving")):
            return
        start = self._view.to_slide("fixed", event.position)
        about = centre_seen(self._session.fixed_to_moving, moving.slide) if event.modifiers else None
        moved = False
        with _Still(viewer):
            yield
            while event.type == "mouse_move":
                moved = True
                self._session.preview_drag(start, self._view.to_slide("fixed", event.position), about=about)
                yield
        if moved:
            self._session.end_drag()

    def _hit(self, position: Sequence[float]) -> tuple[PairPoints, int] | None:
        """Return the point under the mouse; the side to be clicked goes first, where two lie together."""
        wanted = self._side_to_click()
        for points in sorted(self._points(), key=lambda points: points.side != wanted):
            if not points.layer.visible:
                continue
            pair_id = points.nearest(position, HIT_PX)
            waiting = self._session.state.waiting
            # Where the slides lie aligned, the partner belongs where the first point is.
            if pair_id is not None and not (waiting and points.side != wanted):
                return points, pair_id
        return None


class _Still:
    """Keeps the camera where it is while something else is dragged."""

    def __init__(self, viewer: Any) -> None:
        self._camera = viewer.scene.camera
        self._before = self._camera.mouse_pan

    def __enter__(self) -> None:
        self._camera.mouse_pan = False

    def __exit__(self, *problem: object) -> None:
        self._camera.mouse_pan = self._before


def _is_editing_points(viewer: Any) -> bool:
    """Whether napari's own tools for points are at work."""
    active = viewer.layers.selection.active
    return active is not None and str(getattr(active, "mode", "")) in ("add", "select")
