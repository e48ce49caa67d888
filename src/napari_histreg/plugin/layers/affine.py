"""Transforms as ``layer.affine``: where layers lie on the canvas. The only affine code of the plugin.

napari shows data pixel *i* at ``affine · (translate · rotate · shear · scale) · i``. The second factor
holds the pixel size; the first, which acts in physical units, is where a registration goes. Both have
(y, x) order and pixel centres at whole numbers, as slides do.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray
from napari_histreg.plugin.layers.bend import bend_of
from napari_histreg.plugin.layers.slides import image_layers, layers_of, link_channels, unlink_channels
from napari_histreg.slides import Slide
from napari_histreg.transforms import Affine, Transform, affine_over

if TYPE_CHECKING:
    from napari.layers import Layer

__all__ = [
    "apply_fixed_to_moving",
    "canvas_to_slide",
    "is_same_place",
    "is_shown_exactly",
    "read_fixed_to_moving",
    "slide_to_canvas",
    "use_common_units",
]


def slide_to_canvas(layer: "Layer", points: ArrayLike, slide: Slide) -> FloatArray:
    """Map (N, 2) points (y, x) of a slide, in its world units, to the canvas as this layer lies on it."""
    bend = bend_of(layer)
    if bend is not None:
        points, slide = bend.fixed_to_moving.inverse()(points), bend.fixed
    return Affine(_affine(layer) @ _slide_to_physical(layer, slide))(points)


def canvas_to_slide(layer: "Layer", points: ArrayLike, slide: Slide) -> FloatArray:
    """Map (N, 2) points (y, x) of the canvas (such as a mouse event's position) to a slide's world units."""
    bend = bend_of(layer)
    if bend is not None:
        on_fixed = Affine(_affine(layer) @ _slide_to_physical(layer, bend.fixed)).inverse()(points)
        return bend.fixed_to_moving(on_fixed)
    return Affine(_affine(layer) @ _slide_to_physical(layer, slide)).inverse()(points)


def apply_fixed_to_moving(
    layers: Iterable["Layer"], fixed: Slide, moving: Slide, fixed_to_moving: Transform | None
) -> None:
    """Lay the moving slide onto the fixed one: sets ``affine`` of every layer of the moving slide.

    Nothing is resampled. The fixed slide stays where it lies, whatever its own affine is.

    Parameters
    ----------
    layers : iterable of Layer
        All layers of the viewer.
    fixed, moving : Slide
        Both shown by some of the layers.
    fixed_to_moving : Transform or None
        In world units; of one that bends or has perspective, the affine that fits it best over the
        fixed slide is shown (see `is_shown_exactly`), unless the layers show it bent. None takes the
        moving slide back to where it was opened.
    """
    layers = list(layers)
    fixed_images = image_layers(layers, fixed)
    if not fixed_images:
        return
    canvas = _affine(fixed_images[0]) @ _slide_to_physical(fixed_images[0], fixed)
    followers = layers_of(layers, moving)
    # Linked channels would each set all others again; they are linked once they lie where they should.
    unlink_channels(followers)
    for layer in followers:
        matrix, bend = np.eye(3), bend_of(layer)
        if bend is not None:
            matrix = canvas @ np.linalg.inv(_slide_to_physical(layer, bend.fixed))
        elif fixed_to_moving is not None:
            moving_to_fixed = np.linalg.inv(_as_affine(fixed_to_moving, fixed).matrix)
            matrix = canvas @ moving_to_fixed @ np.linalg.inv(_slide_to_physical(layer, moving))
        if not np.array_equal(_affine(layer), matrix):
            layer.affine = matrix
    link_channels(followers)


def read_fixed_to_moving(layers: Iterable["Layer"], fixed: Slide, moving: Slide) -> Affine:
    """Return the transform, in world units, that the layers show now; of bent ones its affine part."""
    layers = list(layers)
    fixed_layer, moving_layer = image_layers(layers, fixed)[0], image_layers(layers, moving)[0]
    fixed_to_canvas = _affine(fixed_layer) @ _slide_to_physical(fixed_layer, fixed)
    bend = bend_of(moving_layer)
    moving_to_canvas = _affine(moving_layer) @ _slide_to_physical(
        moving_layer, moving if bend is None else bend.fixed
    )
    matrix = np.linalg.inv(moving_to_canvas) @ fixed_to_canvas
    matrix[2] = 0, 0, 1
    if bend is None:
        return Affine(matrix)
    # What a hand has done to layers that are bent already.
    return _as_affine(Affine(matrix).then(bend.fixed_to_moving), fixed)


def is_shown_exactly(transform: Transform) -> bool:
    """Whether a layer's affine holds the transform whole, without bending or perspective left out."""
    return isinstance(transform, Affine)


def is_same_place(shown: Affine, wanted: Transform, fixed: Slide | None) -> bool:
    """Whether layers lie where a transform puts them, to a hundredth of a pixel of the moving slide.

    One that bends or has perspective is taken for its affine, which is all that layers can show.
    """
    if fixed is None:
        return True
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) * fixed.size
    away = np.abs(shown(corners) - _as_affine(wanted, fixed)(corners)).max()
    return bool(away < 0.01 * min(fixed.world_pixel_size))


def use_common_units(layers: Iterable["Layer"], fixed: Slide, moving: Slide) -> str | None:
    """Give the layers of both slides one unit: µm, or pixels where one slide does not know its µm.

    napari draws layers of different units in different places, and warns.

    Returns
    -------
    str or None
        A sentence for the user where pixels are used although one slide knows its µm.
    """
    layers = list(layers)
    both = fixed.unit == moving.unit
    for slide in (fixed, moving):
        in_um = both and slide.unit == "um"
        for layer in layers_of(layers, slide):
            layer.units = ("um", "um") if in_um else ("pixel", "pixel")
            scale = slide.world_pixel_size if in_um else (1.0, 1.0)
            # A layer that gets the scale it has is drawn anew all the same, which takes a while.
            if not np.array_equal(layer.scale, scale):
                layer.scale = scale
    if both:
        return None
    unknown = fixed if fixed.unit == "px" else moving
    return (
        f"{unknown.name} does not say how large its pixels are, so both slides are shown in pixels and the "
        "scale between them is searched."
    )


def _affine(layer: "Layer") -> FloatArray:
    """Return the last two dimensions of a layer's affine, (3, 3)."""
    return np.array(layer.affine.affine_matrix, float)[-3:, -3:]


def _slide_to_physical(layer: "Layer", slide: Slide) -> FloatArray:
    """Return the (3, 3) matrix from a slide's world units to the layer's physical units."""
    from napari.utils.transforms import Affine as NapariAffine

    data_to_physical = NapariAffine(
        scale=layer.scale, translate=layer.translate, rotate=layer.rotate, shear=layer.shear
    ).affine_matrix[-3:, -3:]
    return np.asarray(data_to_physical @ np.diag([*(1 / np.asarray(slide.world_pixel_size)), 1.0]))


def _as_affine(transform: Transform, fixed: Slide) -> Affine:
    return affine_over(transform, (0.0, 0.0), fixed.size)
