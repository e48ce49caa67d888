"""Both slides over each other, each in one colour: layers that lie hidden until somebody looks."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from napari_histreg.plugin.layers.signal import prepare_signal, renew_signal, signal_layer
from napari_histreg.plugin.layers.tiles import read_tiles, tiles_in_view
from napari_histreg.plugin.steps import Steps
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.slides import Slide

__all__ = ["ColourOverlay"]


class ColourOverlay:
    """The coloured layers of the chosen slides; the window is never held up by what can be done before.

    Parameters
    ----------
    viewer : napari.Viewer
    sync : LayerSync
    """

    def __init__(self, viewer: Any, sync: LayerSync) -> None:
        self._viewer, self._sync = viewer, sync
        self._signals: list[Any] = []
        self._backdrop: Any = None
        self._darkened = False
        self._steps = Steps()
        self._ahead = ThreadPoolExecutor(1, "histreg-signal")

    def close(self) -> None:
        """Take the layers away for good."""
        self._ahead.shutdown(wait=False, cancel_futures=True)
        self.hide()
        self.remove()

    def prepare(self) -> None:
        """Find how the slides are to be overlaid before somebody asks for it, and waits."""
        for slide, layers, _ in self._slides():
            self._ahead.submit(prepare_signal, slide, layers)

    def show(self, hide_slides: Callable[[], None]) -> None:
        """Show both slides in colours as soon as these are whole; the slides' own layers are hidden then."""
        self._steps.begin(self._showing(hide_slides))

    def hide(self) -> None:
        """Hide the layers: whoever compares comes back, and to remove one napari stands still for long."""
        self._steps.stop()
        for layer in self._present():
            layer.visible = False
        if self._darkened:
            self._darkened = False
            self._viewer.canvas.background_color_override = self._backdrop

    def renew(self) -> bool:
        """Let the layers show the pixels that the slides' own show now; False if somebody has deleted one."""
        if self._present() != self._signals:
            return False
        for (slide, layers, _), signal in zip(self._slides(), self._signals, strict=False):
            renew_signal(signal, slide, layers)
        return True

    def remove(self) -> None:
        """Take the layers out of the viewer."""
        for layer in self._present():
            self._viewer.layers.remove(layer)
        self._signals = []

    def _slides(self) -> list[tuple[Slide, list[Any], str]]:
        """Return the chosen slides, the layers that show each, and its colour."""
        sync = self._sync
        both = (
            (sync.fixed, sync.fixed_layers(), "magenta"),
            (sync.moving, sync.moving_layers(), "green"),
        )
        return [(slide, layers, colour) for slide, layers, colour in both if slide is not None and layers]

    def _present(self) -> list[Any]:
        """Return the coloured layers that nobody has deleted."""
        return [layer for layer in self._signals if layer in self._viewer.layers]

    def _showing(self, hide_slides: Callable[[], None]) -> Iterator[None]:
        """Show the layers in steps: napari takes a while to lay each."""
        if not self._signals or self._present() != self._signals:
            self.remove()
            for shown in self._slides():
                self._add(*shown)
                yield
        yield from self._tiles()
        # Light is added to what lies below: on a white canvas nothing of it would be seen.
        self._backdrop, self._darkened = self._viewer.canvas.background_color_override, True
        self._viewer.canvas.background_color_override = "black"
        hide_slides()
        for layer in self._present():
            layer.visible = True

    def _tiles(self) -> Iterator[None]:
        """Read what of the layers is in view, or napari would while the window waits."""
        waiting = []
        for (_, layers, _), signal in zip(self._slides(), self._signals, strict=False):
            like = next((layer for layer in layers if layer.visible), None)
            if like is not None and like.multiscale:
                waiting.append(self._ahead.submit(read_tiles, signal.data, *tiles_in_view(like)))
        while not all(future.done() for future in waiting):
            yield

    def _add(self, slide: Slide, layers: list[Any], colour: str) -> None:
        """Lay a coloured layer above the slides, hidden: napari would draw it while it is not whole."""
        selected = set(self._viewer.layers.selection)
        layer = signal_layer(slide, layers, colour)
        self._signals.append(layer)
        below = (*self._sync.fixed_layers(), *self._sync.moving_layers())
        top = max(self._viewer.layers.index(layer) for layer in below) + 1
        self._viewer.layers.insert(top, layer)
        self._viewer.layers.selection = selected
