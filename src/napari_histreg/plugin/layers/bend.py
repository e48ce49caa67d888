"""A moving slide that bends: its own layers show it warped onto the fixed slide, computed where looked at.

A layer's affine cannot bend. So the layer gets other pixels for as long as the transform bends: those of the
moving slide on the fixed slide's grid. It stays the same layer, with its contrast, colour and place in the
list, so that whatever shows, hides or masks the moving slide does so bent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_histreg.caching import ArrayCache
from napari_histreg.plugin.layers.lazy_levels import CACHE_BYTES, level_arrays
from napari_histreg.plugin.layers.slides import channel_of, image_layers
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform
from napari_histreg.warping import Grid, warp_slide

if TYPE_CHECKING:
    from napari.layers import Layer

__all__ = ["BEND", "Bend", "bend_of", "show_bent", "show_flat"]

BEND = "histreg_bend"
"""Key in the metadata of the moving slide's layers whose data lie on the fixed slide's grid."""
_FLAT = "histreg_flat"
"""Key in the metadata of a bent layer: its own pixels and their scale."""


@dataclass(frozen=True, eq=False)
class Bend:
    """How a layer was bent.

    Parameters
    ----------
    fixed : Slide
        On whose grid the data lie.
    fixed_to_moving : Transform
        In world units.
    """

    fixed: Slide
    fixed_to_moving: Transform


def bend_of(layer: "Layer") -> Bend | None:
    """Return how a layer is bent; None where it shows its slide as it is."""
    bend = layer.metadata.get(BEND)
    return bend if isinstance(bend, Bend) else None


def show_bent(layers: Iterable["Layer"], fixed: Slide, moving: Slide, fixed_to_moving: Transform) -> bool:
    """Let the image layers of the moving slide show it warped onto the fixed one.

    Where they lie on the canvas is left to `plugin.layers.affine.apply_fixed_to_moving`.

    Returns
    -------
    bool
        Whether anything has changed.
    """
    images = image_layers(layers, moving)
    bent = [bend_of(layer) for layer in images]
    if all(b is not None and b.fixed is fixed and b.fixed_to_moving is fixed_to_moving for b in bent):
        return False
    warped = warp_slide(moving, fixed_to_moving, Grid.of(fixed), pixel_size_um=fixed.pixel_size_um)
    bend, cache = Bend(fixed, fixed_to_moving), ArrayCache(CACHE_BYTES)
    in_um = fixed.unit == moving.unit == "um"
    for layer in images:
        layer.metadata.setdefault(_FLAT, (list(layer.data) if layer.multiscale else layer.data, layer.scale))
        layer.metadata[BEND] = bend
        levels = level_arrays(warped, channel_of(layer), cache=cache)
        _exchange(layer, levels, fixed.world_pixel_size if in_um else (1.0, 1.0))
    return bool(images)


def show_flat(layers: Iterable["Layer"], moving: Slide) -> bool:
    """Give the image layers of a slide their own pixels back.

    Returns
    -------
    bool
        Whether anything has changed.
    """
    bent = [layer for layer in image_layers(layers, moving) if bend_of(layer) is not None]
    for layer in bent:
        levels, scale = layer.metadata.pop(_FLAT)
        del layer.metadata[BEND]
        _exchange(layer, levels, scale)
    return bool(bent)


def _exchange(layer: "Layer", levels: object, scale: object) -> None:
    """Give a layer other pixels; nothing is computed until it is seen again."""
    visible, layer.visible = layer.visible, False
    try:
        layer.data = levels if layer.multiscale else levels[0] if isinstance(levels, list) else levels
        layer.scale = scale
    finally:
        layer.visible = visible
