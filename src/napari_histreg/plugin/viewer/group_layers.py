"""The slides of a group on the canvas: laid as they were found, one shown at a time, overlays on top."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from napari_histreg.geometry import Frame
from napari_histreg.groups import GroupRegistration
from napari_histreg.plugin.layers.affine import apply_fixed_to_moving, use_common_units
from napari_histreg.plugin.layers.bend import show_flat
from napari_histreg.plugin.layers.slides import SHOWN_CHANNELS, VIEW, channel_of, image_layers
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.quality.drawing import Picture
from napari_histreg.slides import Slide

__all__ = ["OVERLAY", "hide_overlay", "lay_group", "show_only", "show_overlay"]

OVERLAY = "Overlay with neighbours"
"""What the layer of overlays is called."""


def lay_group(sync: LayerSync, group: GroupRegistration, slides: Sequence[Slide]) -> Iterator[None]:
    """Lay the open slides of a group as it says, one at each step, so that the window is never held up.

    The template stays where it lies. What bends is laid by its affine part; what has no place is hidden. No
    two slides are chosen afterwards: the pairs keep their own places.

    Parameters
    ----------
    sync : LayerSync
    group : GroupRegistration
    slides : sequence of Slide
        Its members.
    """
    sync.choose(None, None)
    yield
    hide_overlay(sync)
    yield
    template = slides[group.template]
    unknown = next((slide for slide in slides if slide.unit == "px"), None)
    for k, slide in enumerate(slides):
        if not image_layers(sync.layers, slide):
            continue
        show_flat(sync.layers, slide)
        use_common_units(sync.layers, slide, unknown or template)
        placed = group.members[k].frame_to_slide is not None
        if placed and slide is not template:
            apply_fixed_to_moving(sync.layers, template, slide, group.between(group.template, k))
        yield
        if _show(sync, slide, placed):
            yield


def show_only(sync: LayerSync, slides: Sequence[Slide]) -> Iterator[None]:
    """Show some slides and hide all others, one at each step."""
    for slide in sync.slides:
        if _show(sync, slide, any(slide is other for other in slides)):
            yield


def show_overlay(
    sync: LayerSync, viewer: Any, template: Slide, frame: Frame, picture: Picture
) -> Iterator[None]:
    """Show a picture that lies on the template's frame, in place of the slides, in steps.

    Parameters
    ----------
    sync : LayerSync
    viewer : napari.Viewer
    template : Slide
    frame : Frame
        Where the picture lies, world units of the template.
    picture : (Y, X, 3) ndarray of uint8
    """
    layers = image_layers(sync.layers, template)
    if not layers:
        return
    like = layers[0]
    unit = np.asarray(like.scale) / template.world_pixel_size
    places = {
        "scale": np.asarray(frame.spacing) * unit,
        "translate": np.asarray(frame.origin) * unit,
        "affine": like.affine,
    }
    known = _overlay_layer(sync)
    if known is None:
        options = {"name": OVERLAY, "metadata": {VIEW: True}, "units": like.units, **places}
        viewer.add_image(picture, rgb=True, **options)
    else:
        known.data = picture
        known.units = like.units
        for name, value in places.items():
            if not np.array_equal(getattr(known, name), value):
                setattr(known, name, value)
        known.visible = True
    yield
    yield from show_only(sync, ())


def hide_overlay(sync: LayerSync) -> None:
    """Hide the picture, if there is one."""
    known = _overlay_layer(sync)
    if known is not None:
        known.visible = False


def _overlay_layer(sync: LayerSync) -> Any:
    return next((la for la in sync.layers if la.metadata.get(VIEW) and la.name.startswith(OVERLAY)), None)


def _show(sync: LayerSync, slide: Slide, wanted: bool) -> bool:
    """Show or hide a slide; return whether that has changed anything."""
    changed = False
    for layer in image_layers(sync.layers, slide):
        channel = channel_of(layer)
        shown = wanted and (channel is None or channel < SHOWN_CHANNELS)
        if layer.visible != shown:
            layer.visible = shown
            changed = True
    return changed
