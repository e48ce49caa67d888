"""What the layers of one slide are called, and which of them are seen."""

from napari_histreg.plugin.layers.signal import shown_channel
from napari_histreg.plugin.layers.slides import SHOWN_CHANNELS, channel_of, image_layers, short_name
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.slides import Slide

__all__ = ["label", "show_nuclear_only"]


def label(sync: LayerSync, slide: Slide) -> str:
    """Return what a slide is called in the list of layers."""
    names = [layer.name for layer in image_layers(sync.layers, slide)]
    if len(names) == 1:
        return str(names[0])
    shared = {name.rpartition(":")[0] for name in names}
    return shared.pop() if len(shared) == 1 and "" not in shared else short_name(slide)


def show_nuclear_only(sync: LayerSync, wanted: bool) -> None:
    """Show the channel of the nuclei of the moving slide alone, or those that are shown at first."""
    if sync.moving is None:
        return
    for layer in sync.moving_layers():
        channel = channel_of(layer)
        nuclear = channel == shown_channel(sync.moving)
        layer.visible = nuclear if wanted else channel is None or channel < SHOWN_CHANNELS
