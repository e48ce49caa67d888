"""The layers as an inspection wants them: overlaid, faded, behind a curtain, in squares, or in turn."""

from typing import Any

import numpy as np

from napari_histreg.plugin.canvas.colour_overlay import ColourOverlay
from napari_histreg.plugin.layers.affine import slide_to_canvas
from napari_histreg.plugin.layers.landmarks import to_data
from napari_histreg.plugin.layers.masks import Mask, Masks
from napari_histreg.plugin.layers.slides import SLIDE, VIEW
from napari_histreg.plugin.models.inspection import Inspection, square_size
from napari_histreg.plugin.viewer.layer_sync import LayerSync

__all__ = ["Comparison"]

EDGE_PX = 1.5
GRIP_PX = 12


class Comparison:
    """Brings the layers of a viewer to what an `Inspection` says, and back.

    Parameters
    ----------
    viewer : napari.Viewer
    sync : LayerSync
    model : Inspection
    """

    def __init__(self, viewer: Any, sync: LayerSync, model: Inspection) -> None:
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._sync = sync
        self._model = model
        self._masks = Masks(self._viewer)
        self._before: list[tuple[Any, str, Any]] = []
        self._overlay = ColourOverlay(self._viewer, sync)
        self._arrows: Any = None
        self._shown = "layers"
        self._swapped = False
        self._active = True
        model.changed.connect(self.refresh)
        sync.session.events.slides_changed.connect(self._start_over)
        sync.session.events.state_changed.connect(self._on_state)
        sync.bending_changed.connect(self._on_bending)
        self._viewer.scene.camera.events.zoom.connect(self._on_zoom)
        self._viewer.mouse_drag_callbacks.append(self._on_drag)
        self._overlay.prepare()

    def close(self) -> None:
        """Give the layers back as they were."""
        self._model.changed.disconnect(self.refresh)
        self._sync.session.events.slides_changed.disconnect(self._start_over)
        self._sync.session.events.state_changed.disconnect(self._on_state)
        self._sync.bending_changed.disconnect(self._on_bending)
        self._viewer.scene.camera.events.zoom.disconnect(self._on_zoom)
        if self._on_drag in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_drag)
        self._restore()
        self._overlay.close()
        self._remove_arrows()

    @property
    def active(self) -> bool:
        """Whether the layers are shown as the model says; if not, as they are."""
        return self._active

    @active.setter
    def active(self, wanted: bool) -> None:
        if wanted != self._active:
            self._active = wanted
            self.refresh()

    def refresh(self) -> None:
        """Bring the layers to what the model says."""
        mode = self._model.mode if self._active and self._model.obstacle is None else "layers"
        if mode != self._shown:
            self._restore()
            self._shown = mode
            if mode == "overlay":
                self._overlay.show(self._hide_slides)
        if mode == "fade":
            self._fade(self._model.fade)
        elif mode in ("curtain", "checkerboard"):
            self._mask()
        self._show_arrows()

    def blink(self) -> None:
        """Show the other slide."""
        if self._shown == "blink":
            self._swapped = not self._swapped
            self._fade(0.0 if self._swapped else 1.0)

    def _start_over(self) -> None:
        self._restore()
        self._overlay.remove()
        self._remove_arrows()
        self._shown = "layers"
        self._overlay.prepare()
        self.refresh()

    def _on_state(self, _state: Any = None) -> None:
        self._show_arrows()

    def _on_bending(self) -> None:
        if self._overlay.renew():
            return
        if self._shown == "overlay":
            self._restore()
            self._overlay.show(self._hide_slides)
        else:
            self._overlay.remove()

    def _on_zoom(self, _event: Any = None) -> None:
        if self._shown in ("curtain", "checkerboard"):
            self._mask()

    def _restore(self) -> None:
        self._overlay.hide()
        self._masks.clear()
        for layer, name, value in reversed(self._before):
            if layer in self._viewer.layers:
                setattr(layer, name, value)
        self._before = []
        self._swapped = False

    def _put(self, layer: Any, name: str, value: Any) -> None:
        """Set something of a layer, to be put back later."""
        old = getattr(layer, name)
        if old != value:
            if not any(kept is layer and what == name for kept, what, _ in self._before):
                self._before.append((layer, name, old))
            setattr(layer, name, value)

    def _hide_slides(self) -> None:
        for layer in (*self._sync.fixed_layers(), *self._sync.moving_layers()):
            self._put(layer, "visible", False)

    def _fade(self, moving_share: float) -> None:
        """Mix the slides: 0 shows the fixed one only, 1 the moving one."""
        fixed, moving = self._sync.fixed_layers(), self._sync.moving_layers()
        order = self._viewer.layers.index
        moving_on_top = max(map(order, moving)) > max(map(order, fixed))
        upper, lower = (moving, fixed) if moving_on_top else (fixed, moving)
        share = moving_share if moving_on_top else 1.0 - moving_share
        for layer in upper:
            self._put(layer, "opacity", share)
        for layer in lower:
            # Where the upper slide is all there is, what lies under it would shine past its edges.
            self._put(layer, "opacity", 0.0 if share == 1.0 else 1.0)

    def _mask(self) -> None:
        self._masks.show(self._current_mask(), self._sync.fixed_layers(), self._sync.moving_layers())

    def _current_mask(self) -> Mask:
        zoom = self._viewer.scene.camera.zoom
        if self._shown == "checkerboard":
            (y, x), _ = self._fixed_box()
            return Mask("checkerboard", (float(y), float(x)), square_size(self._model.square_px, zoom))
        y, x = self._edge()
        return Mask("curtain", (y, x), horizontal=self._model.horizontal, line=EDGE_PX / zoom)

    def _edge(self) -> tuple[float, float]:
        low, high = self._fixed_box()
        y, x = low + self._model.curtain * (high - low)
        return float(y), float(x)

    def _fixed_box(self) -> Any:
        """Return the lowest and highest (y, x) of the fixed slide on the canvas."""
        slide, layer = self._sync.fixed, self._sync.fixed_layers()[0]
        assert slide is not None
        height, width = slide.size
        corners = slide_to_canvas(layer, [(0, 0), (0, width), (height, 0), (height, width)], slide)
        return corners.min(0), corners.max(0)

    def _on_drag(self, viewer: Any, event: Any) -> Any:
        """Take the edge of the curtain along with the mouse."""
        if self._shown != "curtain":
            return
        axis = 0 if self._model.horizontal else 1
        away = abs(event.position[-2:][axis] - self._edge()[axis]) * viewer.scene.camera.zoom
        if away > GRIP_PX:
            return
        viewer.scene.camera.mouse_pan = False
        try:
            yield
            while event.type == "mouse_move":
                self._put_edge(event.position[-2:][axis], axis)
                yield
            self._put_edge(event.position[-2:][axis], axis)
        finally:
            viewer.scene.camera.mouse_pan = True

    def _put_edge(self, where: float, axis: int) -> None:
        low, high = self._fixed_box()
        share = (where - low[axis]) / (high[axis] - low[axis])
        self._model.set(curtain=float(np.clip(share, 0.0, 1.0)))

    def _show_arrows(self) -> None:
        wanted = self._active and self._model.arrows and self._model.arrows_obstacle is None
        slide = self._sync.fixed
        if not wanted or slide is None or not self._sync.fixed_layers():
            self._remove_arrows()
            return
        data = np.stack(
            [to_data(part, slide) for part in np.moveaxis(self._model.residual_arrows(), 1, 0)], 1
        )
        if self._arrows is None or self._arrows not in self._viewer.layers:
            self._add_arrows(slide, data)
        else:
            self._arrows.data = data

    def _add_arrows(self, slide: Any, data: Any) -> None:
        from napari.layers import Vectors

        like, selected = self._sync.fixed_layers()[0], set(self._viewer.layers.selection)
        self._arrows = Vectors(
            data,
            name="residuals",
            ndim=2,
            scale=like.scale,
            units=like.units,
            affine=like.affine,
            edge_color="#ffd60a",
            vector_style="arrow",
            edge_width=self._arrow_width(),
            metadata={SLIDE: slide, VIEW: True},
        )
        self._viewer.layers.append(self._arrows)
        self._viewer.layers.selection = selected

    def _arrow_width(self) -> float:
        """Return a width in level-0 pixels that is three pixels on screen now."""
        like = self._sync.fixed_layers()[0]
        return float(3.0 / (self._viewer.scene.camera.zoom * like.scale[-1]))

    def _remove_arrows(self) -> None:
        if self._arrows is not None and self._arrows in self._viewer.layers:
            self._viewer.layers.remove(self._arrows)
        self._arrows = None
