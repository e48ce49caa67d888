"""By hand, with mouse and keyboard: pairs clicked, a mistake seen and undone, views side by side."""

from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from canvas_mouse import CanvasMouse, main_mouse, press, settle, wait_for
from napari_histreg.plugin.layers.affine import read_fixed_to_moving
from napari_histreg.plugin.user_folders import cache_folder
from napari_histreg.plugin.widgets.landmark_widget import LandmarkWidget
from napari_histreg.samples import demo_pair

pytestmark = pytest.mark.qt

FIXED = np.array([[60.0, 80.0], [190.0, 90.0], [180.0, 170.0], [70.0, 165.0]])
CLICK_UM = 0.5
"""A click lands within half a pixel of the screen, which is 0.2 µm of the demo at the zoom of the start."""


@pytest.fixture
def scene(make_napari_viewer, cache):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1500, 900)
    viewer.open_sample("napari-histreg", "demo-pair")
    widget = LandmarkWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Landmarks", area="right")
    settle(0.5)
    Path(cache_folder()).mkdir(parents=True, exist_ok=True)
    truth = demo_pair(cache_folder()).fixed_to_moving
    return viewer, widget, truth, main_mouse(viewer)


def in_view(view, mouse, side, point):
    """Return the place of a point on the canvas, after showing its whole slide where it is not in view."""
    place = view.to_canvas(side, point)[0]
    if not mouse.sees(place):
        view.show_whole(side)
        settle(0.1)
    return place


def click_pairs(widget, truth, mouse, points):
    view = widget.canvases.main.view
    for point in points:
        mouse.click(in_view(view, mouse, "fixed", point))
        mouse.click(in_view(view, mouse, "moving", truth([point])[0]))


def shown_error(viewer, widget, truth):
    sync = widget._sync
    shown = read_fixed_to_moving(viewer.layers, sync.fixed, sync.moving)
    return np.abs(shown(FIXED) - truth(FIXED)).max()


def picture(viewer):
    return viewer.window.screenshot(canvas_only=True, flash=False)[..., :3].astype(float)


def test_four_pairs_a_mistake_and_its_undoing(scene):
    viewer, widget, truth, mouse = scene
    assert shown_error(viewer, widget, truth) > 20
    before = picture(viewer)
    press(widget.click_button)
    # Both slides must be in view to be clicked before they are aligned.
    viewer.reset_view()
    settle(0.2)
    click_pairs(widget, truth, mouse, FIXED)
    assert widget.session.state.usable_count == 4
    assert shown_error(viewer, widget, truth) < CLICK_UM
    for layer in widget._sync.moving_layers():
        np.testing.assert_array_equal(layer.affine.affine_matrix, widget._sync.moving_layers()[0].affine)
    viewer.reset_view()
    settle(0.3)
    after = picture(viewer)
    assert after.mean() > 20
    # The dock gets its width with the styles of the window, perhaps only by now.
    rows, columns = np.minimum(before.shape, after.shape)[:2]
    assert np.abs(after[:rows, :columns] - before[:rows, :columns]).mean() > 5

    state = widget.session.state
    start = widget.canvases.main.view.to_canvas("fixed", FIXED[1])[0]
    mouse.drag(start, start + np.array([0, -25]))
    rows = widget.table.rows
    pulled = state.pair_ids[1]
    press_check(widget.worst_box)
    assert widget.table.rows[0].pair_id == pulled
    assert widget.table.rows[0].leave_one_out > 5
    assert rows != widget.table.rows
    assert shown_error(viewer, widget, truth) > CLICK_UM

    mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert widget.session.state is state
    assert shown_error(viewer, widget, truth) < CLICK_UM
    mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert shown_error(viewer, widget, truth) > CLICK_UM


def press_check(box):
    box.click()
    settle()


def test_guided_clicks_snap_and_side_by_side(scene):
    viewer, widget, truth, mouse = scene
    press(widget.click_button)
    viewer.reset_view()
    settle(0.2)
    click_pairs(widget, truth, mouse, FIXED[:2])
    # The moving slide is mirrored, which two pairs cannot tell: a third one does.
    click_pairs(widget, truth, mouse, FIXED[2:3])
    assert shown_error(viewer, widget, truth) < 2 * CLICK_UM

    press(widget.beside_button)
    settle(0.3)
    second = CanvasMouse(widget.beside.canvas.canvas)
    spot = np.array([120.0, 120.0])
    second.click(widget.canvases.beside.view.to_canvas("fixed", spot)[0])
    assert widget.session.next_side == "moving"
    ring = widget.canvases.main.marks.shown["expected"]
    wanted = widget.canvases.main.view.to_canvas("moving", truth([spot])[0])[0]
    assert np.hypot(*(ring - wanted)) < 3 * CLICK_UM
    # The view is centred there.
    assert np.hypot(*(np.array(viewer.scene.camera.center)[-2:] - ring)) < 1e-3
    mouse.key(Qt.Key.Key_G)
    wait_for(lambda: widget.session.state.waiting is None)
    found = widget.session.landmarks.moving[-1]
    assert np.hypot(*(truth.inverse()([found])[0] - spot)) < CLICK_UM
    assert "correlation" in widget.said.text()
    settle(0.2)
    shot = widget.beside.canvas.screenshot(flash=False)[..., :3].astype(float)
    assert shot.mean() > 40


@pytest.mark.thorough
def test_views_locked_and_guided(scene):
    viewer, widget, truth, mouse = scene
    for point in FIXED:
        widget.session.add_pair(point, truth([point])[0])
    press(widget.beside_button)
    settle(0.3)
    second = CanvasMouse(widget.beside.canvas.canvas)
    press(widget.beside.lock_button)
    viewer.scene.camera.center = (0, 100, 90)
    viewer.scene.camera.zoom = 6
    settle()
    assert widget.beside.viewer.scene.camera.zoom == 6
    np.testing.assert_allclose(widget.beside.viewer.scene.camera.center[-2:], (100, 90))
    second.move((101.0, 91.0))
    cross = widget.canvases.main.marks.shown["mouse"]
    assert np.hypot(*(np.array(cross) - (101, 91))) < 1
    assert "mouse" not in widget.canvases.beside.marks.shown

    mouse.key(Qt.Key.Key_N)
    wait_for(lambda: "where next" in widget.canvases.beside.marks.shown)

    widget.table.selectRow(0)
    settle()
    for canvas in widget.canvases.canvases_at_work:
        centre = np.array(canvas.view.viewer.scene.camera.center)[-2:]
        assert np.hypot(*(centre - FIXED[0])) < 2

    press(widget.beside_button)
    assert widget.beside is None
    assert widget.canvases.beside is None
