"""Marks that guide the eye: the expected partner, where to click next, the mouse's counterpart."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.plugin.canvas.canvas_view import CanvasView
from napari_histreg.plugin.canvas.screen_size import ScreenSize
from napari_histreg.plugin.layers.slides import VIEW
from napari_histreg.plugin.models import Side

if TYPE_CHECKING:
    from napari.layers import Points

__all__ = ["Marks"]

_LOOKS = {
    # name: symbol, face colour, border colour
    "expected": ("disc", "transparent", "#ffd60a"),
    "where next": ("star", "#ffd60a", "black"),
    "mouse": ("cross", "white", "black"),
}
_SIZE_PX, _BORDER = 26, 0.1


class Marks:
    """A layer of marks on one canvas; they are never edited.

    Parameters
    ----------
    view : CanvasView
        The canvas.
    """

    def __init__(self, view: CanvasView) -> None:
        self._view = view
        self._marks: dict[str, np.ndarray] = {}
        self._layer: Points | None = None
        self._screen_size: ScreenSize | None = None

    @property
    def shown(self) -> dict[str, tuple[float, float]]:
        """Name → position on the canvas, of the marks that are shown."""
        return {name: (float(point[0]), float(point[1])) for name, point in self._marks.items()}

    def put(self, name: str, side: Side, point: ArrayLike) -> None:
        """Put a mark ("expected", "where next" or "mouse") on a point of a slide."""
        self._marks[name] = self._view.to_canvas(side, point)[0]
        self._draw()

    def clear(self, name: str) -> None:
        """Take a mark away; without effect where there is none."""
        if self._marks.pop(name, None) is not None:
            self._draw()

    def close(self) -> None:
        """Take the layer away."""
        self._marks.clear()
        if self._layer is not None and self._layer in self._view.viewer.layers:
            self._view.viewer.layers.remove(self._layer)
        if self._screen_size is not None:
            self._screen_size.close()
        self._layer = self._screen_size = None

    def _draw(self) -> None:
        names = list(self._marks)
        layer = self._ensure_layer()
        layer.selected_data = set()
        layer.data = np.array([self._marks[name] for name in names]).reshape(-1, 2)
        if names:
            looks = [_LOOKS[name] for name in names]
            layer.symbol = [look[0] for look in looks]
            layer.face_color = [look[1] for look in looks]
            layer.border_color = [look[2] for look in looks]
        if self._screen_size is not None:
            self._screen_size.refresh()

    def _ensure_layer(self) -> "Points":
        from napari.layers import Points

        layers = self._view.viewer.layers
        if self._layer is None or self._layer not in layers:
            units = layers[0].units if len(layers) else None
            self._layer = Points(
                np.empty((0, 2)),
                name="guide marks",
                ndim=2,
                units=units,
                axis_labels=("y", "x"),
                blending="translucent_no_depth",
                metadata={VIEW: True},
            )
            selected = set(layers.selection)
            layers.append(self._layer)
            layers.selection = selected
            self._screen_size = ScreenSize(self._layer, self._view.viewer, _SIZE_PX, _BORDER)
        return self._layer
