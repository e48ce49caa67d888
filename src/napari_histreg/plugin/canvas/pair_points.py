"""The points of one side of the pairs as a Points layer that can be edited like any other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_histreg.plugin.canvas.canvas_view import CanvasView
from napari_histreg.plugin.canvas.screen_size import ScreenSize
from napari_histreg.plugin.layers.landmarks import SIDE, landmark_layer
from napari_histreg.plugin.layers.slides import SLIDE, VIEW
from napari_histreg.plugin.models import Session, Side
from napari_histreg.plugin.models.pair_table import pair_rows

if TYPE_CHECKING:
    from napari.layers import Points

__all__ = ["PAIR_ID", "PairPoints"]

PAIR_ID = "pair_id"
"""Feature that holds the stable id of a point's pair."""

# Where the slides lie aligned, both points of a pair and their names are to be told apart.
_SYMBOLS = {"fixed": "disc", "moving": "diamond"}
_ANCHORS = {"fixed": "upper_left", "moving": "lower_left"}
_SIZE_PX, _BORDER = 14, 0.12


class PairPoints:
    """Shows one side of the session's pairs on a canvas, and understands what is done to the layer.

    Points that are deleted, dragged or added with napari's own tools become edits of the session. Their
    order in the layer means nothing.

    Parameters
    ----------
    session : Session
    view : CanvasView
        The canvas; it shows this side.
    side : {"fixed", "moving"}
    later : callable
        Calls a function once the present event is over.
    """

    def __init__(self, session: Session, view: CanvasView, side: Side, later: Any) -> None:
        self._session = session
        self._view = view
        self._later = later
        self.side = side
        self._writing = False
        self.layer = self._make_layer()
        self._screen_size = ScreenSize(self.layer, view.viewer, _SIZE_PX, _BORDER)
        session.events.state_changed.connect(self.show)
        self.layer.events.data.connect(self._on_data)
        self.show()

    @property
    def ids(self) -> list[int]:
        """Ids of the pairs, in the layer's own order."""
        return [int(pair_id) for pair_id in self.layer.features[PAIR_ID]]

    def close(self) -> None:
        """Let go of the session and take the layer away."""
        self._session.events.state_changed.disconnect(self.show)
        self.layer.events.data.disconnect(self._on_data)
        self._screen_size.close()
        if self.layer in self._view.viewer.layers:
            self._view.viewer.layers.remove(self.layer)

    def show(self) -> None:
        """Bring the layer to the session's state."""
        state = self._session.state
        rows = [row for row, placed in zip(pair_rows(self._session), self._placed(), strict=True) if placed]
        points = self._world()[self._placed()] / self._pixel_size()
        self._writing = True
        try:
            self.layer.selected_data = set()
            if not np.array_equal(points, self.layer.data):
                self.layer.data = points
            self.layer.features = {
                PAIR_ID: np.array([row.pair_id for row in rows], int),
                "name": np.array([row.name for row in rows], object),
                "enabled": np.array([row.enabled for row in rows], bool),
                "confidence": self._confidence(),
            }
            if rows:
                self.layer.face_color = [row.colour for row in rows]
                waiting = None if state.waiting is None else state.waiting[0]
                self.layer.border_color = ["#ffd60a" if row.pair_id == waiting else "white" for row in rows]
            self._screen_size.refresh()
        finally:
            self._writing = False

    def preview(self, pair_id: int, position: Sequence[float]) -> None:
        """Show a point where the mouse holds it, without an edit."""
        index = self.ids.index(pair_id)
        self._writing = True
        try:
            data = self.layer.data.copy()
            data[index] = self.layer.world_to_data(position)[-2:]
            self.layer.data = data
        finally:
            self._writing = False

    def nearest(self, position: Sequence[float], within_px: float) -> int | None:
        """Return the pair whose point lies nearest to a position on the canvas, if it is near on screen."""
        if not len(self.layer.data):
            return None
        slide_points = self._world()[self._placed()]
        seen = self._view.to_canvas(self.side, slide_points)
        distances = [self._view.pixels_between(position, point) for point in seen]
        nearest = int(np.argmin(distances))
        return self.ids[nearest] if distances[nearest] <= within_px else None

    def _make_layer(self) -> "Points":
        from napari.layers import Points

        image = self._view.find_layer(self.side)
        if image is None:
            raise ValueError(f"The {self.side} slide is not on this canvas.")
        _, options, _ = landmark_layer(self._session.landmarks, image.metadata[SLIDE], self.side)
        options |= {
            "scale": image.scale,
            "units": image.units,
            "affine": image.affine,
            "symbol": _SYMBOLS[self.side],
            "blending": "translucent_no_depth",
            "metadata": {SLIDE: image.metadata[SLIDE], SIDE: self.side, VIEW: True},
        }
        options.pop("features")
        options.pop("text")
        layer = Points(np.empty((0, 2)), **options)
        layer.features = {
            PAIR_ID: np.empty(0, int),
            "name": np.empty(0, object),
            "enabled": np.empty(0, bool),
            "confidence": np.empty(0),
        }
        layer.text = {"string": "  {name}", "size": 11, "color": "#ffffff", "anchor": _ANCHORS[self.side]}
        layers = self._view.viewer.layers
        selected = set(layers.selection)
        layers.append(layer)
        layers.selection = selected
        return layer

    def _on_data(self, event: Any) -> None:
        if self._writing:
            return
        action = str(getattr(event.action, "value", event.action))
        if action == "added":
            # napari goes on to select the new point; it has to be there still.
            self._later(self._read)
        elif action in ("removed", "changed"):
            self._read()

    def _read(self) -> None:
        """Turn what was done to the layer into edits of the session."""
        state = self._session.state
        known = {state.pair_ids[k] for k in np.flatnonzero(self._placed())}
        seen: dict[int, Any] = {}
        new = []
        world = np.asarray(self.layer.data, float)[:, -2:] * self._pixel_size()
        for pair_id, point in zip(self.ids, world, strict=True):
            # A new point gets the features of the one that was selected last, its id among them.
            if pair_id in seen or pair_id not in known:
                new.append(point)
            else:
                seen[pair_id] = point
        before = dict(zip(state.pair_ids, self._world(), strict=True))
        self._session.delete_pairs(known - set(seen))
        for pair_id, point in seen.items():
            if not np.allclose(before[pair_id], point, rtol=0, atol=1e-9):
                self._session.move_point(pair_id, self.side, point)
        for point in new:
            self._session.click(self.side, point)
        self.show()

    def _world(self) -> Any:
        landmarks = self._session.landmarks
        return landmarks.fixed if self.side == "fixed" else landmarks.moving

    def _placed(self) -> Any:
        return np.isfinite(self._world()).all(axis=1)

    def _confidence(self) -> Any:
        landmarks = self._session.landmarks
        gaps = np.full(len(landmarks), np.nan)
        return (gaps if landmarks.confidence is None else landmarks.confidence)[self._placed()]

    def _pixel_size(self) -> Any:
        return np.asarray(self.layer.metadata[SLIDE].world_pixel_size)
