"""Points that keep their size on screen at every zoom."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Points

__all__ = ["ScreenSize"]


class ScreenSize:
    """Keeps a layer's points at one size on screen.

    napari's ``canvas_size_limits`` alone would do so too, but then half of a point is its border, and the
    mouse still finds the points by their size in the data.

    Parameters
    ----------
    layer : Points
    viewer : ViewerModel
        The canvas that shows the layer.
    size_px : float
        Diameter on screen.
    border : float
        Width of the border as a share of the diameter.
    """

    def __init__(self, layer: "Points", viewer: "ViewerModel", size_px: float, border: float) -> None:
        self._layer, self._viewer = layer, viewer
        self._size_px, self._border = size_px, border
        # What holds until the camera has told its zoom.
        layer.canvas_size_limits = (size_px / 2, size_px * 2)
        viewer.scene.camera.events.zoom.connect(self.refresh)
        self.refresh()

    def refresh(self, event: Any = None) -> None:
        """Bring the points to their size; after points were added, too."""
        del event
        if len(self._layer.data):
            with self._layer.events.data.blocker():
                self._layer.size = self._size_px / self._viewer.scene.camera.zoom / abs(self._layer.scale[-1])
                self._layer.border_width = self._border

    def close(self) -> None:
        """Let go of the camera."""
        self._viewer.scene.camera.events.zoom.disconnect(self.refresh)
