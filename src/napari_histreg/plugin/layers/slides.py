"""Slides as napari layers: one RGB layer, or one layer per channel, all lazy and in µm."""

from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_histreg.caching import ArrayCache
from napari_histreg.plugin.layers.lazy_levels import CACHE_BYTES, level_arrays
from napari_histreg.preprocess import find_nuclear_name
from napari_histreg.slides import Slide, open_slide

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

__all__ = [
    "CHANNEL",
    "RECORD",
    "SLIDE",
    "VIEW",
    "LayerData",
    "add_slide",
    "channel_of",
    "image_layers",
    "layers_of",
    "link_channels",
    "rename_layers",
    "short_name",
    "show_pixels",
    "slide_from_layer",
    "slide_layers",
    "slide_of",
    "slides_in",
    "unlink_channels",
    "volume_name",
]

LayerData = tuple[Any, dict[str, Any], str]

SLIDE = "histreg_slide"
"""Key in a layer's metadata under which its slide lies."""
CHANNEL = "histreg_channel"
"""Key in an image layer's metadata: number of the channel, or None for RGB."""
RECORD = "histreg_record"
"""Key in the metadata of moving layers that were opened from a registration: its record."""
VIEW = "histreg_view"
"""Key in the metadata of layers that the plugin adds to compare slides; they are no slides themselves."""

PALETTE = ("#00ff00", "#ff0000", "#00ffff", "#ff00ff", "#ffff00", "#ff8000", "#8080ff", "#ffffff")
NUCLEAR_COLOUR = "#4080ff"
VOLUME_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm")
SHOWN_CHANNELS = 4
"""So many channels are visible at first; many at once add up to white."""


def slide_layers(slide: Slide) -> list[LayerData]:
    """Turn a slide into layer data: one RGB layer, or one layer per channel.

    Only the overview is read, for the contrast limits.

    Parameters
    ----------
    slide : Slide

    Returns
    -------
    list of (data, options, "image")
        As napari's readers return them. ``metadata["histreg_slide"]`` is the slide.

    Examples
    --------
    >>> data, options, kind = slide_layers(open_slide(np.zeros((40, 50), np.uint8), pixel_size_um=0.5))[0]
    >>> kind, options["scale"], options["units"]
    ('image', (0.5, 0.5), ('um', 'um'))
    """
    cache, name = ArrayCache(CACHE_BYTES), short_name(slide)
    unit = "um" if slide.unit == "um" else "pixel"
    shared: dict[str, Any] = {
        "multiscale": True,
        "scale": slide.world_pixel_size,
        "units": (unit, unit),
        "axis_labels": ("y", "x"),
        "cache": False,  # napari's own cache may take a quarter of the memory; ours is bounded
    }
    if slide.is_rgb:
        metadata = {SLIDE: slide, CHANNEL: None}
        options = {**shared, "name": name, "rgb": True, "metadata": metadata}
        return [(level_arrays(slide, cache=cache), options, "image")]
    colours = channel_colours(slide)
    layers: list[LayerData] = []
    for k, channel in enumerate(slide.channels):
        options = {
            **shared,
            "name": name if len(slide.channels) == 1 else f"{name}: {channel.name}",
            "metadata": {SLIDE: slide, CHANNEL: k},
            "colormap": "gray" if len(slide.channels) == 1 and channel.colour is None else colours[k],
            "contrast_limits": contrast_limits(slide, k),
            # The lowest channel hides what lies under the slide: light added to a white slide is white.
            "blending": "translucent_no_depth" if k == 0 else "additive",
            "visible": k < SHOWN_CHANNELS,
        }
        layers.append((level_arrays(slide, k, cache=cache), options, "image"))
    return layers


def short_name(slide: Slide) -> str:
    """Return a slide's name without the file's ending; of a plane of a volume also which one it is."""
    if slide.metadata.get("plane"):
        return f"{volume_name(slide)}{_which_plane(slide)}"
    stem = PurePath(slide.name).stem if slide.path is not None else slide.name
    return stem[:-4] if stem.lower().endswith((".ome", ".tif", ".nii")) else stem


def rename_layers(layers: list[Any], before: Slide, after: Slide) -> None:
    """Call layers that showed one slide after another one; a name that somebody gave stays."""
    for layer in layers:
        layer.name = layer.name.replace(short_name(before), short_name(after))


def volume_name(slide: Slide) -> str:
    """Return the name of the volume of a plane, without the file's ending; a folder has none."""
    name = slide.name.removesuffix(_which_plane(slide))
    ending = next((end for end in VOLUME_ENDINGS if name.lower().endswith(end)), "")
    return name[: len(name) - len(ending)] or name


def _which_plane(slide: Slide) -> str:
    return f" {slide.metadata.get('plane')} {slide.metadata.get('index')}"


def channel_colours(slide: Slide) -> list[str]:
    """Give each channel a colour, as #rrggbb: the file's, else blue for nuclei and a palette for the rest."""
    colours, spare = [], 0
    nuclear = find_nuclear_name([channel.name for channel in slide.channels])
    for k, channel in enumerate(slide.channels):
        if channel.colour is not None and max(channel.colour) > 0:
            colours.append("#" + "".join(f"{round(255 * value):02x}" for value in channel.colour))
        elif k == nuclear:
            colours.append(NUCLEAR_COLOUR)
        else:
            colours.append(PALETTE[spare % len(PALETTE)])
            spare += 1
    return colours


def contrast_limits(slide: Slide, channel: int) -> tuple[float, float]:
    """Return display limits of a channel: the 1st and 99.8th percentile of its overview."""
    overview = slide.read_level(slide.level_for_size(), [channel])[0]
    low, high = np.nanpercentile(overview, [1.0, 99.8])
    if not high > low:
        low, high = np.nanmin(overview), np.nanmax(overview)
    return float(low), float(high if high > low else low + 1)


def add_slide(viewer: "ViewerModel", slide: Slide) -> list["Layer"]:
    """Add a slide to a viewer, its channels linked, and return its layers."""
    from napari.layers import Layer

    layers = [viewer.add_layer(Layer.create(*data)) for data in slide_layers(slide)]
    link_channels(layers)
    return layers


def show_pixels(layers: Iterable["Layer"], slide: Slide) -> None:
    """Let the layers of a slide show another one, with the same channels; contrast and colours stay."""
    cache = ArrayCache(CACHE_BYTES)
    for layer in layers:
        if CHANNEL in layer.metadata:
            layer.data = level_arrays(slide, channel_of(layer), cache=cache)
            layer.scale = slide.world_pixel_size
        layer.metadata[SLIDE] = slide


def slide_of(layer: "Layer") -> Slide | None:
    """Return the slide that a layer shows or belongs to; None for layers of others."""
    slide = layer.metadata.get(SLIDE)
    return slide if isinstance(slide, Slide) else None


def channel_of(layer: "Layer") -> int | None:
    """Return the channel that an image layer shows; None for RGB."""
    channel: int | None = layer.metadata.get(CHANNEL)
    return channel


def slides_in(layers: Iterable["Layer"]) -> list[Slide]:
    """Return the slides that image layers show, each once, in the order of the layers."""
    slides: list[Slide] = []
    for layer in layers:
        slide = slide_of(layer)
        if slide is not None and CHANNEL in layer.metadata and not any(slide is other for other in slides):
            slides.append(slide)
    return slides


def layers_of(layers: Iterable["Layer"], slide: Slide) -> list["Layer"]:
    """Return all layers that belong to a slide: its channels, its points, its arrows."""
    return [layer for layer in layers if slide_of(layer) is slide]


def image_layers(layers: Iterable["Layer"], slide: Slide) -> list["Layer"]:
    """Return the layers that show a slide's pixels."""
    return [layer for layer in layers_of(layers, slide) if CHANNEL in layer.metadata]


def link_channels(layers: Iterable["Layer"]) -> None:
    """Let the channels of each slide move together: whoever moves one by hand moves all."""
    from napari.experimental import link_layers

    layers = list(layers)
    for slide in slides_in(layers):
        channels = image_layers(layers, slide)
        if len(channels) > 1:
            link_layers(channels, ("affine",))


def unlink_channels(layers: Iterable["Layer"]) -> None:
    """Undo `link_channels`."""
    from napari.experimental import unlink_layers

    layers = list(layers)
    for slide in slides_in(layers):
        channels = image_layers(layers, slide)
        if len(channels) > 1:
            unlink_layers(channels, ("affine",))


def slide_from_layer(layer: "Layer") -> Slide:
    """Make a slide of an image layer that somebody else opened, and note it in the layer's metadata.

    Parameters
    ----------
    layer : napari Image layer
        Two-dimensional, RGB or one channel.

    Returns
    -------
    Slide
        The one noted already, if there is one.

    Raises
    ------
    ReadError
        The layer's data cannot be taken for a slide.
    """
    known = slide_of(layer)
    if known is not None:
        return known
    levels = list(layer.data) if layer.multiscale else layer.data
    in_um = all(str(unit) in ("micrometer", "um", "µm") for unit in layer.units)
    size = (float(layer.scale[-2]), float(layer.scale[-1])) if in_um else None
    slide = open_slide(levels, pixel_size_um=size, name=layer.name)
    layer.metadata[SLIDE] = slide
    layer.metadata[CHANNEL] = None if layer.rgb else 0
    return slide
