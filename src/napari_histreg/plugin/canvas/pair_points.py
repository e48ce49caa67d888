"""The points of one side of the pairs as a Points layer that can be edited like any other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_histreg.plugin.canvas.canvas_view import CanvasView
from napari_histreg.plugin.canvas.outlined_names import outline_names
from napari_histreg.plugin.canvas.screen_size import ScreenSize
from napari_histreg.plugin.layers.bend import BEND, bend_of
from napari_histreg.plugin.layers.landmarks import SIDE, landmark_layer
from napari_histreg.plugin.layers.slides import SLIDE, VIEW
from napari_histreg.plugin.models import Session, Side
from napari_histreg.plugin.models.pair_table import pair_rows
from napari_histreg.plugin.models.tones import ON_SLIDES
from napari_histreg.slides import Slide

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
    spare : Points, optional
        What `release` left of another pair's: napari takes a third of a second to remove a layer, and as long
        to make one.
    """

    def __init__(
        self, session: Session, view: CanvasView, side: Side, later: Any, spare: "Points | None" = None
    ) -> None:
        self._session = session
        self._view = view
        self._later = later
        self.side = side
        self._writing = False
        self._shown: dict[int, Any] = {}
        self._screen_size: ScreenSize | None = None
        self._renew(spare)
        session.events.state_changed.connect(self.show)
        self.show()

    @property
    def ids(self) -> list[int]:
        """Ids of the pairs, in the layer's own order."""
        return [int(pair_id) for pair_id in self.layer.features[PAIR_ID]]

    def release(self) -> "Points":
        """Let go of session and layer, and leave that empty and hidden for what is chosen next."""
        self._session.events.state_changed.disconnect(self.show)
        self.layer.events.data.disconnect(self._on_data)
        if self._screen_size is not None:
            self._screen_size.close()
        self.layer.visible = False
        self.layer.mode = "pan_zoom"
        self._write(np.empty((0, 2)), _no_features())
        self.layer.metadata = {SIDE: self.side, VIEW: True}
        return self.layer

    def close(self) -> None:
        """Let go of the session and take the layer away."""
        layer = self.release()
        if layer in self._view.viewer.layers:
            self._view.viewer.layers.remove(layer)

    def ensure(self) -> None:
        """Bring the layer back where it was deleted from the list."""
        if self.layer not in self._view.viewer.layers:
            self.show()

    def show(self) -> None:
        """Bring the layer to the session's state; one that was deleted comes back."""
        if self.layer not in self._view.viewer.layers:
            self._renew()
        state = self._session.state
        rows = [row for row, placed in zip(pair_rows(self._session), self._placed(), strict=True) if placed]
        self._writing = True
        try:
            self._follow_slide()
            points = self._to_data(self._world()[self._placed()])
            self._write(
                points,
                {
                    PAIR_ID: np.array([row.pair_id for row in rows], int),
                    "name": np.array([row.name for row in rows], object),
                    "enabled": np.array([row.enabled for row in rows], bool),
                    "confidence": self._confidence(),
                },
            )
            if rows:
                self.layer.face_color = [row.colour for row in rows]
                waiting = None if state.waiting is None else state.waiting[0]
                self.layer.border_color = ["#ffd60a" if row.pair_id == waiting else "white" for row in rows]
            if self._screen_size is not None:
                self._screen_size.refresh()
        finally:
            self._writing = False
        self._shown = {row.pair_id: point for row, point in zip(rows, points, strict=True)}

    def _write(self, points: Any, features: dict[str, Any]) -> None:
        """Exchange points and features in one."""
        layer = self.layer
        # In between, the names would be drawn by the places of the points before.
        with layer.text.events.blocker_all():
            layer.selected_data = set()
            if not np.array_equal(points, layer.data):
                layer.data = points
            layer.features = features
        # napari slices only what is seen, and draws the names of a hidden layer all the same.
        layer.set_view_slice()
        layer.refresh_text()

    def _follow_slide(self) -> None:
        """Lie on the canvas as the slide does, bent where that is."""
        image = self._view.find_layer(self.side)
        if image is None:
            return
        self.layer.metadata[BEND] = image.metadata.get(BEND)
        for name in ("scale", "affine"):
            if not np.array_equal(getattr(self.layer, name), getattr(image, name)):
                setattr(self.layer, name, getattr(image, name))

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

    def _renew(self, spare: "Points | None" = None) -> None:
        """Make the layer; anew where somebody has deleted it from the list."""
        if self._screen_size is not None:
            self._screen_size.close()
        usable = spare is not None and spare in self._view.viewer.layers
        self.layer = self._take_layer(spare) if usable else self._make_layer()
        self._screen_size = ScreenSize(self.layer, self._view.viewer, _SIZE_PX, _BORDER)
        self.layer.events.data.connect(self._on_data)

    def _image(self) -> Any:
        image = self._view.find_layer(self.side)
        if image is None:
            raise ValueError(f"The {self.side} slide is not on this canvas.")
        return image

    def _take_layer(self, layer: Any) -> "Points":
        """Lay a layer that was left over onto the slide, above all others."""
        image, layers = self._image(), self._view.viewer.layers
        layer.metadata = {SLIDE: image.metadata[SLIDE], SIDE: self.side, VIEW: True}
        for name in ("units", "scale", "affine"):
            if not np.array_equal(getattr(layer, name), getattr(image, name)):
                setattr(layer, name, getattr(image, name))
        # A slice of napari's list would be another list of layers, connected to all of them.
        place = layers.index(layer)
        if any(VIEW not in other.metadata for other in list(layers)[place:]):
            layers.move(place, len(layers))
        layer.visible = True
        return layer

    def _make_layer(self) -> "Points":
        from napari.layers import Points

        image = self._image()
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
        layer.features = _no_features()
        layer.text = {"string": "  {name}", "size": 11, "color": ON_SLIDES, "anchor": _ANCHORS[self.side]}
        layers = self._view.viewer.layers
        selected = set(layers.selection)
        layers.append(layer)
        layers.selection = selected
        if self._view.drawn_by is not None:
            outline_names(self._view.drawn_by, layer)
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
        known = set(self._shown)
        seen: dict[int, Any] = {}
        new = []
        for pair_id, point in zip(self.ids, np.asarray(self.layer.data, float)[:, -2:], strict=True):
            # A new point gets the features of the one that was selected last, its id among them.
            if pair_id in seen or pair_id not in known:
                new.append(point)
            else:
                seen[pair_id] = point
        before = self._shown
        moved = {i: point for i, point in seen.items() if not np.array_equal(before[i], point)}
        self._session.delete_pairs(known - set(seen))
        for pair_id, point in moved.items():
            self._session.move_point(pair_id, self.side, self._to_slide(point))
        for point in new:
            self._session.click(self.side, self._to_slide(point))
        self.show()

    def _to_data(self, world: Any) -> Any:
        bend = bend_of(self.layer)
        if bend is None:
            return world / self._pixel_size(self.layer.metadata[SLIDE])
        return bend.fixed_to_moving.inverse()(world) / self._pixel_size(bend.fixed)

    def _to_slide(self, point: Any) -> Any:
        bend = bend_of(self.layer)
        if bend is None:
            return point * self._pixel_size(self.layer.metadata[SLIDE])
        return bend.fixed_to_moving((point * self._pixel_size(bend.fixed))[None])[0]

    def _world(self) -> Any:
        landmarks = self._session.landmarks
        return landmarks.fixed if self.side == "fixed" else landmarks.moving

    def _placed(self) -> Any:
        return np.isfinite(self._world()).all(axis=1)

    def _confidence(self) -> Any:
        landmarks = self._session.landmarks
        gaps = np.full(len(landmarks), np.nan)
        return (gaps if landmarks.confidence is None else landmarks.confidence)[self._placed()]

    def _pixel_size(self, slide: Slide) -> Any:
        return np.asarray(slide.world_pixel_size)


def _no_features() -> dict[str, Any]:
    return {
        PAIR_ID: np.empty(0, int),
        "name": np.empty(0, object),
        "enabled": np.empty(0, bool),
        "confidence": np.empty(0),
    }
