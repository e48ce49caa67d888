"""Outlines of points that keep their width on screen."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Points

__all__ = ["Outline"]


class Outline:
    """Keeps the border of a layer's points at one width on screen.

    napari holds the size of points on screen (``canvas_size_limits``) but lets their borders grow with the
    zoom, until nothing else is left of them.

    Parameters
    ----------
    layer : Points
    viewer : ViewerModel
        The canvas that shows the layer.
    width_px : float
        On screen.
    """

    def __init__(self, layer: "Points", viewer: "ViewerModel", width_px: float) -> None:
        self._layer, self._viewer, self._width_px = layer, viewer, width_px
        layer.border_width_is_relative = False
        viewer.scene.camera.events.zoom.connect(self.refresh)
        self.refresh()

    def refresh(self, event: Any = None) -> None:
        """Bring the borders to their width; after points were added, too."""
        del event
        if len(self._layer.data):
            self._layer.border_width = self._width_px / self._viewer.scene.camera.zoom / self._layer.scale[-1]

    def close(self) -> None:
        """Let go of the camera."""
        self._viewer.scene.camera.events.zoom.disconnect(self.refresh)
