import numpy as np
import pytest
from qtpy.QtCore import Qt

from canvas_mouse import main_mouse, press, settle
from napari_histreg.plugin.canvas.pair_points import PAIR_ID
from napari_histreg.plugin.layers.slides import image_layers
from napari_histreg.transforms import Similarity

pytestmark = pytest.mark.qt

TRUTH = Similarity.of(angle_deg=15, translation=(8, -5))
POINTS = np.array([[30.0, 40.0], [150.0, 50.0], [140.0, 180.0], [60.0, 170.0], [100.0, 90.0]])


def add_pairs(widget, count=5):
    return [widget.session.add_pair(point, TRUTH([point])[0]) for point in POINTS[:count]]


def points_layer(widget, side):
    return next(points.layer for points in widget.canvases.main.points if points.side == side)


def test_points_deleted_moved_and_added_in_the_layer_are_understood(window):
    viewer, widget = window()
    ids = add_pairs(widget)
    layer = points_layer(widget, "fixed")
    viewer.layers.selection.active = layer
    mouse = main_mouse(viewer)
    # In napari's own select tool: choose the point of pair 2 with the mouse, delete it with the key.
    layer.mode = "select"
    settle()
    place = widget.canvases.main.view.to_canvas("fixed", POINTS[1])[0]
    mouse.click(place)
    assert layer.selected_data == {1}
    mouse.key(Qt.Key.Key_Delete)
    assert list(widget.session.state.pair_ids) == [ids[0], *ids[2:]]
    assert list(layer.features[PAIR_ID]) == [ids[0], *ids[2:]]
    assert len(points_layer(widget, "moving").data) == 4
    # Drag the point of pair 3: the id goes with it, whatever its place in the layer.
    place = widget.canvases.main.view.to_canvas("fixed", POINTS[2])[0]
    mouse.click(place)
    mouse.drag(place, place + np.array([-10, -20]))
    moved = widget.session.landmarks.fixed[widget.session.state.index(ids[2])]
    np.testing.assert_allclose(moved, POINTS[2] + np.array([-10, -20]), atol=1.0)
    others = widget.session.landmarks.fixed[[0, 2, 3]]
    np.testing.assert_array_equal(others, POINTS[[0, 3, 4]])
    # napari's add tool begins a new pair.
    layer.mode = "add"
    mouse.click(widget.canvases.main.view.to_canvas("fixed", [90.0, 130.0])[0])
    settle()
    assert widget.session.state.waiting is not None
    np.testing.assert_allclose(widget.session.landmarks.fixed[-1], [90, 130], atol=0.5)
    for _ in range(3):
        widget.session.undo()
    assert list(widget.session.state.pair_ids) == ids


@pytest.mark.thorough
def test_points_keep_their_size_on_screen_and_have_their_error_s_colour(window):
    viewer, widget = window()
    ids = add_pairs(widget)
    widget.session.move_point(ids[0], "moving", TRUTH([POINTS[0]])[0] + (0, 40))
    layer = points_layer(widget, "moving")
    for zoom in (0.5, 2.0, 16.0):
        viewer.scene.camera.zoom = zoom
        settle()
        on_screen = layer.size * layer.scale[-1] * zoom
        np.testing.assert_allclose(on_screen, on_screen[0])
        assert 10 < on_screen[0] < 20
    red, green, blue, _ = layer.face_color[0]
    assert red > 0.7 > green
    assert blue < 0.5
    assert widget.table.rows[0].doubt
    assert "1" in widget.doubts.text()


def test_flips_turns_and_drags_place_the_slide_and_undo_takes_them_back(window):
    viewer, widget = window()
    layers = widget._sync.moving_layers()
    assert len(layers) == 2
    start = layers[0].affine.affine_matrix.copy()
    press(widget.turn_buttons["flip left-right"])
    assert np.linalg.det(layers[0].affine.affine_matrix) < 0
    np.testing.assert_array_equal(layers[0].affine.affine_matrix, layers[1].affine.affine_matrix)
    press(widget.turn_buttons["turn left"])
    press(widget.drag_button)
    mouse = main_mouse(viewer)
    before = layers[0].affine.affine_matrix.copy()
    centre = tuple(viewer.scene.camera.center)
    mouse.drag((60.0, 60.0), (80.0, 95.0))
    after = layers[0].affine.affine_matrix
    np.testing.assert_allclose(after[:2, 2] - before[:2, 2], (20, 35), atol=0.7)
    np.testing.assert_allclose(after[:2, :2], before[:2, :2], atol=1e-9)
    # The picture stayed where it was: only the slide was dragged.
    np.testing.assert_allclose(viewer.scene.camera.center, centre)
    mouse.drag((60.0, 60.0), (90.0, 50.0), Qt.KeyboardModifier.ShiftModifier)
    assert not np.allclose(layers[0].affine.affine_matrix[:2, :2], before[:2, :2], atol=1e-3)
    assert np.linalg.det(layers[0].affine.affine_matrix) == pytest.approx(np.linalg.det(start) * -1)
    for _ in range(4):
        press(widget.undo_button)
    np.testing.assert_allclose(layers[0].affine.affine_matrix, start, atol=1e-9)
    assert not widget.undo_button.isEnabled()
    assert "nothing to undo" in widget.undo_button.toolTip()


def test_a_slide_taken_away_takes_its_points_along(window):
    viewer, widget = window()
    add_pairs(widget)
    for layer in image_layers(viewer.layers, widget._sync.moving):
        viewer.layers.remove(layer)
    settle(0.2)
    assert not widget.session.is_ready
    assert not widget.click_button.isEnabled()
    assert not [layer for layer in viewer.layers if "landmarks" in layer.name]
