"""One canvas: where the slides lie on it, and what it looks at."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray
from napari_histreg.plugin.layers.affine import canvas_to_slide, slide_to_canvas
from napari_histreg.plugin.layers.slides import slide_of
from napari_histreg.plugin.models import Side
from napari_histreg.slides import Slide

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

__all__ = ["CanvasView"]

CLOSE_UP = 0.2
"""Share of the slide that is in view after flying to a point from farther away."""


class CanvasView:
    """A canvas that shows one slide or both.

    Parameters
    ----------
    viewer : ViewerModel
        What the canvas shows.
    find_layer : callable
        Returns an image layer of the fixed or of the moving slide, or None where this canvas has none.
    drawn_by : VispyCanvas, optional
        What draws it, where there is a window.
    """

    def __init__(
        self, viewer: "ViewerModel", find_layer: "Callable[[Side], Layer | None]", drawn_by: Any = None
    ) -> None:
        self.viewer = viewer
        self.find_layer = find_layer
        self.drawn_by = drawn_by

    def shows(self, side: Side) -> bool:
        """Whether a slide is on this canvas."""
        return self.find_layer(side) is not None

    def to_slide(self, side: Side, position: ArrayLike) -> tuple[float, float]:
        """Map a position on the canvas to the world of one of the slides, (y, x)."""
        layer, slide = self._shown(side)
        y, x = canvas_to_slide(layer, np.asarray(position, float)[-2:][None], slide)[0]
        return float(y), float(x)

    def to_canvas(self, side: Side, points: ArrayLike) -> FloatArray:
        """Map (N, 2) points of one of the slides to the canvas."""
        layer, slide = self._shown(side)
        return slide_to_canvas(layer, np.asarray(points, float).reshape(-1, 2), slide)

    def pixels_between(self, here: ArrayLike, there: ArrayLike) -> float:
        """Return the distance on screen of two positions on the canvas."""
        step = np.asarray(there, float)[-2:] - np.asarray(here, float)[-2:]
        return float(np.hypot(*step) * self.viewer.scene.camera.zoom)

    def fly_to(self, side: Side, point: ArrayLike) -> None:
        """Centre the canvas on a point of a slide, and come closer if the whole slide was in view."""
        camera = self.viewer.scene.camera
        here = self.to_canvas(side, point)
        slide = self._shown(side)[1]
        edge = self.to_canvas(side, np.asarray(point, float) + np.array([0.0, max(slide.size)]))
        span = float(np.hypot(*(edge - here)[0])) * CLOSE_UP
        camera.center = (0.0, *here[0])
        camera.zoom = max(camera.zoom, min(self.viewer.canvas.size) / max(span, 1e-9))

    def sees(self, side: Side) -> bool:
        """Whether the middle of a slide is in view."""
        camera, canvas = self.viewer.scene.camera, self.viewer.canvas
        middle = self.to_canvas(side, np.asarray(self._shown(side)[1].size) / 2)[0]
        reach = np.asarray(canvas.size, float) / 2 / camera.zoom
        return bool((np.abs(middle - np.asarray(camera.center)[-2:]) < reach).all())

    def show_whole(self, side: Side) -> None:
        """Bring a whole slide into view."""
        camera = self.viewer.scene.camera
        height, width = self._shown(side)[1].size
        outline = self.to_canvas(side, np.array([[0, 0], [0, width], [height, width], [height, 0]]))
        extent = np.ptp(outline, axis=0)
        camera.center = (0.0, *((outline.max(0) + outline.min(0)) / 2))
        camera.zoom = float((np.asarray(self.viewer.canvas.size) / np.maximum(extent, 1e-9)).min()) * 0.95

    def look_at(self, side: Side, point: ArrayLike) -> None:
        """Centre the canvas on a point of a slide, as near or far as it is."""
        self.viewer.scene.camera.center = (0.0, *self.to_canvas(side, point)[0])

    def _shown(self, side: Side) -> "tuple[Layer, Slide]":
        layer = self.find_layer(side)
        slide = None if layer is None else slide_of(layer)
        if layer is None or slide is None:
            raise ValueError(f"The {side} slide is not on this canvas.")
        return layer, slide
