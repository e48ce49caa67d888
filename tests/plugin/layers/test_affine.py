"""Transforms as layer.affine, whatever the pixel sizes and the fixed layer's own affine."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_histreg.plugin.layers.affine import (
    apply_fixed_to_moving,
    canvas_to_slide,
    is_shown_exactly,
    read_fixed_to_moving,
    slide_to_canvas,
    use_common_units,
)
from napari_histreg.plugin.layers.slides import add_slide, image_layers
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Affine, Projective, Similarity

POINTS = np.array([[0.0, 0.0], [13.0, 200.0], [150.0, 31.0]])
TURNED = Similarity.of(scale=1.1, angle_deg=33, mirrored=True, translation=(40.0, -7.0))


def pair(fixed_um, moving_um):
    viewer = ViewerModel()
    fixed = open_slide(np.zeros((500, 600, 3), np.uint8), pixel_size_um=fixed_um, name="fixed")
    moving = open_slide(np.zeros((2, 400, 700), np.uint16), pixel_size_um=moving_um, name="moving")
    add_slide(viewer, fixed)
    add_slide(viewer, moving)
    use_common_units(viewer.layers, fixed, moving)
    return viewer, fixed, moving


@pytest.mark.parametrize(
    ("fixed_um", "moving_um"),
    [(0.5, 0.25), ((0.5, 0.4), (0.3, 0.7)), (None, None), (0.5, None), (None, 0.25)],
)
@pytest.mark.parametrize("own", [np.eye(3), Similarity.of(angle_deg=70, translation=(9, 3)).matrix])
def test_partners_lie_on_each_other(fixed_um, moving_um, own):
    viewer, fixed, moving = pair(fixed_um, moving_um)
    image_layers(viewer.layers, fixed)[0].affine = own
    apply_fixed_to_moving(viewer.layers, fixed, moving, TURNED)
    (base,), others = image_layers(viewer.layers, fixed), image_layers(viewer.layers, moving)
    assert len(others) == 2
    seen = slide_to_canvas(base, POINTS, fixed)
    for layer in others:
        # Both through our own arithmetic and through napari's.
        partners = slide_to_canvas(layer, TURNED(POINTS), moving)
        assert np.allclose(partners, seen, rtol=0, atol=1e-9)
        data = TURNED(POINTS) / moving.world_pixel_size
        assert np.allclose([layer.data_to_world(p) for p in data], seen, rtol=0, atol=1e-9)
    shown = read_fixed_to_moving(viewer.layers, fixed, moving)
    assert np.allclose(shown.matrix, TURNED.matrix, rtol=0, atol=1e-9)


def test_pixels_keep_their_scale_and_nothing_is_resampled():
    viewer, fixed, moving = pair(0.5, 0.25)
    before = [layer.data for layer in viewer.layers]
    apply_fixed_to_moving(viewer.layers, fixed, moving, TURNED)
    assert [layer.data for layer in viewer.layers] == before
    assert [layer.scale.tolist() for layer in viewer.layers] == [[0.5, 0.5], [0.25, 0.25], [0.25, 0.25]]


def test_none_takes_the_slide_back():
    viewer, fixed, moving = pair(0.5, 0.25)
    apply_fixed_to_moving(viewer.layers, fixed, moving, TURNED)
    apply_fixed_to_moving(viewer.layers, fixed, moving, None)
    assert all(np.array_equal(layer.affine.affine_matrix, np.eye(3)) for layer in viewer.layers)


def test_mouse_positions_come_back_to_the_slide():
    viewer, fixed, moving = pair(0.5, 0.25)
    apply_fixed_to_moving(viewer.layers, fixed, moving, TURNED)
    layer = image_layers(viewer.layers, moving)[0]
    there = slide_to_canvas(layer, POINTS, moving)
    assert np.allclose(canvas_to_slide(layer, there, moving), POINTS, rtol=0, atol=1e-9)


def test_one_unit_for_both_slides():
    for sizes, unit, said in (
        ((0.5, 0.25), "micrometer", False),
        ((0.5, None), "pixel", True),
        ((None, None), "pixel", False),
    ):
        viewer = ViewerModel()
        fixed = open_slide(np.zeros((50, 60), np.uint8), pixel_size_um=sizes[0], name="f")
        moving = open_slide(np.zeros((50, 60), np.uint8), pixel_size_um=sizes[1], name="m")
        add_slide(viewer, fixed)
        add_slide(viewer, moving)
        notice = use_common_units(viewer.layers, fixed, moving)
        assert {str(u) for layer in viewer.layers for u in layer.units} == {unit}
        assert (notice is not None) == said
        assert notice is None or notice.startswith("m does not say how large its pixels are")


def test_perspective_is_shown_as_its_nearest_affine():
    viewer, fixed, moving = pair(0.5, 0.5)
    bent = Projective([[1, 0, 5], [0, 1, 3], [1e-5, 0, 1]])
    assert not is_shown_exactly(bent)
    assert is_shown_exactly(Affine(np.eye(3)))
    apply_fixed_to_moving(viewer.layers, fixed, moving, bent)
    shown = read_fixed_to_moving(viewer.layers, fixed, moving)
    # Over 250 µm this perspective bends by less than a pixel, and so much the affine may be off.
    assert np.abs(shown(POINTS) - bent(POINTS)).max() < 0.5
