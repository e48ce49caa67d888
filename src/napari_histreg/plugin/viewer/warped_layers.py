"""The moving slide bent onto the fixed one, computed where it is looked at."""

from typing import Any

from napari_histreg.plugin.layers.slides import CHANNEL, SLIDE, VIEW, short_name, slide_layers
from napari_histreg.plugin.viewer.layer_sync import LayerSync
from napari_histreg.warping import Grid, warp_slide

__all__ = ["add_warped"]


def add_warped(viewer: Any, sync: LayerSync) -> list[Any]:
    """Add the warped moving slide as layers that lie on the fixed slide, and hide the unbent one.

    Parameters
    ----------
    viewer : napari.Viewer
    sync : LayerSync
        Whose session says how the slides lie.

    Returns
    -------
    list of Image layers

    Raises
    ------
    ValueError
        The two slides are not chosen.
    """
    from napari.layers import Layer

    fixed, moving = sync.fixed, sync.moving
    if fixed is None or moving is None or not sync.session.is_ready:
        raise ValueError("Choose a fixed and a moving slide first.")
    transform = sync.session.fixed_to_moving
    warped = warp_slide(moving, transform, Grid.of(fixed), pixel_size_um=fixed.pixel_size_um)
    like = sync.fixed_layers()[0]
    shown = {layer.metadata[CHANNEL]: layer for layer in sync.moving_layers()}
    added = []
    for levels, options, kind in slide_layers(warped):
        model = shown.get(options["metadata"][CHANNEL])
        placed = {
            **options,
            "name": options["name"].replace(short_name(warped), f"{short_name(moving)} bent", 1),
            "scale": like.scale,
            "units": like.units,
            "affine": like.affine,
            "metadata": {SLIDE: fixed, VIEW: True},
        }
        if model is not None and not warped.is_rgb:
            placed |= {"contrast_limits": model.contrast_limits, "colormap": model.colormap}
            placed |= {"visible": model.visible}
        added.append(viewer.add_layer(Layer.create(levels, placed, kind)))
    for layer in sync.moving_layers():
        layer.visible = False
    return added
