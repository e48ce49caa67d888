"""The layer sync: which slides are chosen, and layers that follow the session."""

import gc

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_histreg.plugin.layers.slides import VIEW, add_slide, image_layers
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Similarity

TURNED = Similarity.of(angle_deg=25, mirrored=True, translation=(30.0, -5.0))


def slide(name, pixel_size=0.5, channels=1):
    return open_slide(np.zeros((channels, 200, 240), np.uint16), pixel_size_um=pixel_size, name=name)


@pytest.fixture
def viewer():
    return ViewerModel()


def test_the_first_two_slides_are_chosen(viewer):
    sync = layer_sync_of(viewer)
    fixed, moving, third = slide("a"), slide("b", channels=3), slide("c")
    add_slide(viewer, fixed)
    assert (sync.fixed, sync.moving) == (fixed, None)
    add_slide(viewer, moving)
    add_slide(viewer, third)
    assert (sync.fixed, sync.moving) == (fixed, moving)
    assert sync.slides == [fixed, moving, third]
    assert sync.session.is_ready


def test_one_stage_for_a_viewer_and_another_for_another(viewer):
    assert layer_sync_of(viewer) is layer_sync_of(viewer)
    assert layer_sync_of(viewer) is not layer_sync_of(ViewerModel())


def test_a_slide_counts_once_all_its_channels_are_there(viewer):
    seen = []
    sync = layer_sync_of(viewer)
    sync.slides_changed.connect(lambda: seen.append(len(viewer.layers)))
    add_slide(viewer, slide("a", channels=3))
    assert seen == [3]


def test_layers_follow_the_session(viewer):
    sync = layer_sync_of(viewer)
    fixed, moving = slide("a"), slide("b", channels=2)
    add_slide(viewer, fixed)
    add_slide(viewer, moving)
    sync.session.replace_landmarks(landmarks_of(TURNED))
    assert np.allclose(sync.shown_fixed_to_moving().matrix, TURNED.matrix, rtol=0, atol=1e-9)
    sync.session.undo()
    assert np.allclose(sync.shown_fixed_to_moving().matrix, np.eye(3), rtol=0, atol=1e-12)


def landmarks_of(transform):
    from napari_histreg.landmarks import Landmarks

    points = np.array([[0.0, 0], [90, 10], [20, 80], [60, 50]])
    return Landmarks.of(points, transform(points))


def test_how_the_slides_lie_is_kept_when_they_are_chosen(viewer):
    fixed, moving = slide("a"), slide("b")
    add_slide(viewer, fixed)
    for layer in add_slide(viewer, moving):
        layer.affine = TURNED.inverse().matrix
    sync = layer_sync_of(viewer)
    assert np.allclose(sync.session.fixed_to_moving.matrix, TURNED.matrix, rtol=0, atol=1e-9)


def test_a_move_with_naparis_own_tools_is_an_undoable_edit(viewer):
    sync = layer_sync_of(viewer)
    add_slide(viewer, slide("a"))
    layers = add_slide(viewer, slide("b", channels=2))
    sync.session.replace_landmarks(landmarks_of(Similarity.of(angle_deg=5)))
    layers[1].affine = TURNED.inverse().matrix
    sync.settle()
    assert np.allclose(sync.session.fixed_to_moving.matrix, TURNED.matrix, rtol=0, atol=1e-9)
    assert sync.session.undo_label == "move the layer"
    # The pairs are still there, and measure how the slide lies now.
    assert len(sync.session.landmarks) == 4
    sync.session.undo()
    assert np.allclose(sync.shown_fixed_to_moving().angle_deg, 5, rtol=0, atol=1e-6)


def test_settling_changes_nothing_where_nothing_was_moved(viewer):
    sync = layer_sync_of(viewer)
    add_slide(viewer, slide("a"))
    add_slide(viewer, slide("b"))
    sync.session.replace_landmarks(landmarks_of(TURNED))
    sync.settle()
    assert sync.session.undo_label == "load landmarks"


def test_swapping(viewer):
    sync = layer_sync_of(viewer)
    fixed, moving = slide("a"), slide("b")
    add_slide(viewer, fixed)
    add_slide(viewer, moving)
    sync.swap()
    assert (sync.fixed, sync.moving) == (moving, fixed)


def test_deleting_a_channel_keeps_the_slide_and_deleting_all_lets_it_go(viewer):
    sync = layer_sync_of(viewer)
    fixed, moving = slide("a"), slide("b", channels=2)
    add_slide(viewer, fixed)
    first, second = add_slide(viewer, moving)
    viewer.layers.remove(first)
    assert sync.moving is moving
    viewer.layers.remove(second)
    assert sync.moving is None
    assert not sync.session.is_ready


def test_different_units_are_said_and_shown_in_pixels(viewer):
    sync = layer_sync_of(viewer)
    said = []
    sync.noticed.connect(said.append)
    add_slide(viewer, slide("a"))
    add_slide(viewer, slide("b", pixel_size=None))
    assert said[-1].startswith("b does not say how large its pixels are, so both slides are shown in pixels")
    assert {str(unit) for layer in viewer.layers for unit in layer.units} == {"pixel"}


def test_layers_of_others_can_be_aligned_and_helpers_cannot(viewer):
    sync = layer_sync_of(viewer)
    viewer.add_image(np.zeros((50, 60), np.uint8), name="theirs")
    viewer.add_image(np.zeros((50, 60), np.uint8), name="helper", metadata={VIEW: True})
    viewer.add_image(np.zeros((5, 50, 60), np.uint8), name="stack")
    viewer.add_labels(np.zeros((50, 60), np.uint8))
    assert [found.name for found in sync.slides] == ["theirs"]
    assert len(image_layers(viewer.layers, sync.slides[0])) == 1


def test_a_layer_sync_goes_with_its_viewer():
    from napari_histreg.plugin.viewer import layer_sync, session_registry

    viewer = ViewerModel()
    layer_sync_of(viewer)
    key = id(viewer)
    assert key in layer_sync._layer_syncs
    del viewer
    gc.collect()
    assert key not in layer_sync._layer_syncs
    assert key not in session_registry._sessions
