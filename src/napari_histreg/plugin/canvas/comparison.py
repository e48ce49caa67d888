"""The layers as an inspection wants them: overlaid, faded, behind a curtain, in squares, or in turn."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from napari_histreg.plugin.layers.affine import slide_to_canvas
from napari_histreg.plugin.layers.landmarks import to_data
from napari_histreg.plugin.layers.masks import Mask, Masks
from napari_histreg.plugin.layers.signal import prepare_signal, renew_signal, signal_layer
from napari_histreg.plugin.layers.slides import SLIDE, VIEW
from napari_histreg.plugin.layers.tiles import read_tiles, tiles_in_view
from napari_histreg.plugin.models.inspection import Inspection, square_size
from napari_histreg.plugin.steps import Steps
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.slides import Slide

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
        self._signals: list[Any] = []
        self._backdrop: Any = None
        self._darkened = False
        self._overlaying = Steps()
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
        self._ahead = ThreadPoolExecutor(1, "histreg-signal")
        self._prepare()

    def close(self) -> None:
        """Give the layers back as they were."""
        self._ahead.shutdown(wait=False, cancel_futures=True)
        self._model.changed.disconnect(self.refresh)
        self._sync.session.events.slides_changed.disconnect(self._start_over)
        self._sync.session.events.state_changed.disconnect(self._on_state)
        self._sync.bending_changed.disconnect(self._on_bending)
        self._viewer.scene.camera.events.zoom.disconnect(self._on_zoom)
        if self._on_drag in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_drag)
        self._restore()
        self._remove_signals()
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
                self._overlaying.begin(self._overlay())
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
        self._remove_signals()
        self._remove_arrows()
        self._shown = "layers"
        self._prepare()
        self.refresh()

    def _prepare(self) -> None:
        """Find how the slides are to be overlaid before somebody asks for it, and waits."""
        for slide, layers, _ in self._slides():
            self._ahead.submit(prepare_signal, slide, layers)

    def _slides(self) -> list[tuple[Slide, list[Any], str]]:
        """Return the chosen slides, the layers that show each, and its colour."""
        sync = self._sync
        both = (
            (sync.fixed, sync.fixed_layers(), "magenta"),
            (sync.moving, sync.moving_layers(), "green"),
        )
        return [(slide, layers, colour) for slide, layers, colour in both if slide is not None and layers]

    def _on_state(self, _state: Any = None) -> None:
        self._show_arrows()

    def _on_bending(self) -> None:
        """Let the coloured layers show the pixels that the slide's own show now."""
        if self._present_signals() == self._signals:
            for (slide, layers, _), signal in zip(self._slides(), self._signals, strict=False):
                renew_signal(signal, slide, layers)
            return
        # Somebody has deleted one of them.
        if self._shown == "overlay":
            self._restore()
            self._overlaying.begin(self._overlay())
        else:
            self._remove_signals()

    def _on_zoom(self, _event: Any = None) -> None:
        if self._shown in ("curtain", "checkerboard"):
            self._mask()

    def _restore(self) -> None:
        self._overlaying.stop()
        self._masks.clear()
        for layer in self._present_signals():
            # Whoever compares comes back to the overlay, and to remove a layer napari stands still for long.
            layer.visible = False
        if self._darkened:
            self._darkened = False
            self._viewer.canvas.background_color_override = self._backdrop
        for layer, name, value in reversed(self._before):
            if layer in self._viewer.layers:
                setattr(layer, name, value)
        self._before = []
        self._swapped = False

    def _present_signals(self) -> list[Any]:
        """Return the coloured layers that nobody has deleted."""
        return [layer for layer in self._signals if layer in self._viewer.layers]

    def _remove_signals(self) -> None:
        for layer in self._present_signals():
            self._viewer.layers.remove(layer)
        self._signals = []

    def _put(self, layer: Any, name: str, value: Any) -> None:
        """Set something of a layer, to be put back later."""
        old = getattr(layer, name)
        if old != value:
            if not any(kept is layer and what == name for kept, what, _ in self._before):
                self._before.append((layer, name, old))
            setattr(layer, name, value)

    def _overlay(self) -> Iterator[None]:
        """Overlay the slides, in steps: napari takes a while to lay each coloured layer."""
        if not self._signals or self._present_signals() != self._signals:
            self._remove_signals()
            for shown in self._slides():
                self._add_signal(*shown)
                yield
        yield from self._tiles_of_signals()
        # Light is added to what lies below: on a white canvas nothing of it would be seen.
        self._backdrop, self._darkened = self._viewer.canvas.background_color_override, True
        self._viewer.canvas.background_color_override = "black"
        for layer in self._slide_layers():
            self._put(layer, "visible", False)
        for layer in self._present_signals():
            layer.visible = True

    def _tiles_of_signals(self) -> Iterator[None]:
        """Read what of the coloured layers is in view, or napari would while the window waits."""
        waiting = []
        for (_, layers, _), signal in zip(self._slides(), self._signals, strict=False):
            like = next((layer for layer in layers if layer.visible), None)
            if like is not None and like.multiscale:
                view = tiles_in_view(like)
                waiting.append(self._ahead.submit(read_tiles, signal.data, *view))
        while not all(future.done() for future in waiting):
            yield

    def _add_signal(self, slide: Slide, layers: list[Any], colour: str) -> None:
        """Lay a coloured layer above the slides, hidden: napari would draw it while it is not whole."""
        selected = set(self._viewer.layers.selection)
        layer = signal_layer(slide, layers, colour)
        self._signals.append(layer)
        top = max(self._viewer.layers.index(layer) for layer in self._slide_layers()) + 1
        self._viewer.layers.insert(top, layer)
        self._viewer.layers.selection = selected

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

    def _slide_layers(self) -> list[Any]:
        return [*self._sync.fixed_layers(), *self._sync.moving_layers()]
