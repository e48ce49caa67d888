"""How much of the fixed slide shines through the moving one."""

from napari_histreg.plugin.viewer.layer_sync import LayerSync

__all__ = ["MovingOpacity"]

SHINING = 0.6
"""Opacity at which both slides are seen."""


class MovingOpacity:
    """Sets the opacity of the moving slide's layers together.

    Parameters
    ----------
    sync : LayerSync
    """

    def __init__(self, sync: LayerSync) -> None:
        self._sync = sync
        self._held: float | None = None
        self._before: float | None = None

    @property
    def value(self) -> float:
        """Opacity of the moving slide, 0 to 1; 1 where none is chosen."""
        layers = self._sync.moving_layers()
        return float(layers[0].opacity) if layers else 1.0

    @value.setter
    def value(self, wanted: float) -> None:
        for layer in self._sync.moving_layers():
            if layer.opacity != wanted:
                layer.opacity = wanted

    def let_fixed_shine(self) -> None:
        """Let brightfield shine through fluorescence that lies on it opaque, and hides it whole."""
        fixed, moving = self._sync.fixed, self._sync.moving
        if fixed is None or moving is None or not fixed.is_rgb or moving.is_rgb:
            return
        if all(layer.opacity == 1.0 for layer in self._sync.moving_layers()):
            self.value = SHINING

    @property
    def held(self) -> float | None:
        """The opacity while something else is done, such as dragging; None gives back what was before."""
        return self._held

    @held.setter
    def held(self, wanted: float | None) -> None:
        if wanted == self._held:
            return
        if self._held is None:
            self._before = self.value
        self._held = wanted
        if wanted is not None:
            self.value = wanted
        elif self._before is not None:
            self.value = self._before
