"""The inspect widget: what the canvas really shows."""

import gc
import threading
import weakref

import numpy as np
import pytest

from canvas_mouse import main_mouse, press, settle, wait_for
from napari_histreg.plugin.layers import signal
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.widgets.inspection_widget import InspectionWidget
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Similarity

pytestmark = pytest.mark.qt

TRUTH = Similarity.of(angle_deg=30, mirrored=True, centre=(375.0, 375.0))


@pytest.fixture
def window(make_napari_viewer, cache):
    """Two slides of one colour each, so that every pixel tells which slide it shows."""

    def opened():
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1200, 800)
        fixed = np.zeros((2000, 2400, 3), np.uint8)
        fixed[...] = (200, 40, 40)
        # The stains of overlays are estimated; a dark corner gives them something to go by.
        fixed[:200, :200] = (60, 20, 90)
        moving = np.full((1, 3000, 3000), 1000, np.uint16)
        moving[0, :1500] = 3000
        add_slide(viewer, open_slide(fixed, pixel_size_um=0.25, name="fixed"))
        add_slide(viewer, open_slide(moving, pixel_size_um=0.25, name="moving", channel_names=["DAPI"]))
        widget = InspectionWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Inspect", area="right")
        for layer in viewer.layers[1:]:
            layer.contrast_limits = (0, 3000)
            layer.colormap = "green"
        settle(0.2)
        viewer.reset_view()
        viewer.scene.camera.center = (0, 250, 300)
        viewer.scene.camera.zoom = 4.0
        settle(0.2)
        return viewer, widget

    return opened


def means(viewer):
    """Return the mean red and green of the canvas."""
    settle(0.15)
    pixels = viewer.screenshot(canvas_only=True, flash=False).astype(float)
    return pixels[..., 0].mean(), pixels[..., 1].mean()


def halves(viewer):
    """Return the mean red of the left and of the right half of the canvas."""
    settle(0.15)
    pixels = viewer.screenshot(canvas_only=True, flash=False).astype(float)
    middle = pixels.shape[1] // 2
    return pixels[:, : middle - 20, 0].mean(), pixels[:, middle + 20 :, 0].mean()


def test_nothing_can_be_pressed_without_two_slides(make_napari_viewer, cache):
    widget = InspectionWidget(make_napari_viewer(show=True))
    for control in (*widget.mode_buttons.values(), widget.measure_button, widget.arrows):
        assert not control.isEnabled()
        assert control.toolTip() == "Choose a fixed and a moving slide first."
    widget.close()
    widget.deleteLater()


def test_the_window_does_not_wait_for_the_colours_of_the_overlay(window, monkeypatch):
    """How a slide is to be overlaid takes tenths of a second to find: it is found before somebody asks."""
    threads = []
    guess = signal.guess_modality

    def noted(*values, **options):
        threads.append(threading.current_thread())
        return guess(*values, **options)

    monkeypatch.setattr(signal, "guess_modality", noted)
    _, widget = window()
    wait_for(lambda: threads)
    press(widget.mode_buttons["overlay"])
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


@pytest.mark.parametrize("zoom", [pytest.param(2.0, marks=pytest.mark.thorough), 30.0])
def test_the_curtain_shows_one_slide_on_each_side(window, zoom):
    viewer, widget = window()
    viewer.scene.camera.zoom = zoom
    press(widget.mode_buttons["curtain"])
    left, right = halves(viewer)
    # The fixed slide is red, the moving one green: the edge is in the middle.
    assert left > 120
    assert right < 40
    widget.horizontal.click()
    assert abs(np.subtract(*halves(viewer))) < 30
    press(widget.mode_buttons["layers"])
    assert max(halves(viewer)) < 40


@pytest.mark.thorough
def test_the_edge_of_the_curtain_is_dragged_with_the_mouse(window):
    viewer, widget = window()
    press(widget.mode_buttons["curtain"])
    mouse = main_mouse(viewer)
    centre = tuple(viewer.scene.camera.center)
    mouse.drag((250, 300), (250, 250))
    width = 2400 * 0.25
    assert widget.model.curtain == pytest.approx(250 / width, abs=0.01)
    assert widget.curtain.value() == pytest.approx(1000 * 250 / width, abs=10)
    # The view stayed where it was, and can be moved again away from the edge.
    assert tuple(viewer.scene.camera.center) == centre
    assert viewer.scene.camera.mouse_pan
    mouse.drag((250, 330), (250, 310))
    assert viewer.scene.camera.center[2] == pytest.approx(centre[2] + 20, abs=2)
    assert widget.model.curtain == pytest.approx(250 / width, abs=0.01)


@pytest.mark.thorough
def test_squares_show_both_slides_in_turn_at_any_zoom(window):
    viewer, widget = window()
    for zoom in (2.0, 8.0, 60.0):
        viewer.scene.camera.zoom = zoom
        press(widget.mode_buttons["checkerboard"])
        widget.square.setValue(64)
        red, green = means(viewer)
        # Half of the canvas is red (200, 40), half green (0, 255, or 85 where it is dim).
        assert 70 < red < 130
        assert 50 < green < 160


def test_squares_on_a_turned_and_mirrored_slide(window):
    viewer, widget = window()
    widget._sync.session.restore(
        _placed(widget, TRUTH),
    )
    press(widget.mode_buttons["checkerboard"])
    widget.square.setValue(64)
    red, green = means(viewer)
    assert 70 < red < 130
    assert 50 < green < 160


def _placed(widget, transform):
    from dataclasses import replace

    return replace(widget._sync.session.state, placement=transform, placement_origin="dragged")


@pytest.mark.thorough
def test_the_slides_fade_into_each_other(window):
    viewer, widget = window()
    press(widget.mode_buttons["fade"])
    reds = []
    for value in (0, 50, 100):
        widget.fade.setValue(value)
        reds.append(means(viewer)[0])
    assert reds[0] > 190
    assert 60 < reds[1] < 140
    assert reds[2] < 10


@pytest.mark.thorough
def test_blinking_shows_the_slides_in_turn(window):
    viewer, widget = window()
    widget.model.set(blink_ms=200)
    press(widget.mode_buttons["blink"])
    assert widget.timer.isActive()
    seen = set()
    wait_for(lambda: seen.add(means(viewer)[0] > 100) or len(seen) == 2, 10)
    press(widget.mode_buttons["layers"])
    assert not widget.timer.isActive()
    assert [layer.opacity for layer in viewer.layers] == [1.0, 1.0]


def test_the_overlay_adds_lazy_layers_that_follow_and_go_again(window):
    viewer, widget = window()
    before = [(layer.name, layer.visible, layer.opacity) for layer in viewer.layers]
    press(widget.mode_buttons["overlay"])
    wait_for(lambda: len(viewer.layers) == 4 and viewer.layers[-1].visible)
    magenta, green = viewer.layers[-1], viewer.layers[-2]
    names = sorted((magenta.name, green.name))
    assert names == ["fixed (magenta)", "moving (green)"]
    assert [layer.visible for layer in viewer.layers[:2]] == [False, False]
    widget._sync.session.restore(_placed(widget, TRUTH))
    moving = next(layer for layer in viewer.layers if layer.name == "moving (green)")
    assert np.allclose(moving.affine.affine_matrix, viewer.layers[1].affine.affine_matrix)
    assert not np.allclose(moving.affine.affine_matrix, np.eye(3))
    assert widget._sync.slides == [widget._sync.fixed, widget._sync.moving]
    widget._sync.session.undo()
    press(widget.mode_buttons["layers"])
    # To remove a layer napari stands still: these wait, hidden, for whoever compares in several ways.
    assert [(layer.name, layer.visible, layer.opacity) for layer in viewer.layers[:2]] == before
    assert not magenta.visible
    assert not green.visible
    press(widget.mode_buttons["overlay"])
    settle()
    assert magenta.visible
    assert green.visible
    viewer.layers.remove(magenta)
    press(widget.mode_buttons["layers"])
    press(widget.mode_buttons["overlay"])
    wait_for(lambda: len(viewer.layers) == 4 and viewer.layers[-1].visible)
    sync = widget._sync
    sync.choose(sync.moving, sync.fixed)
    wait_for(lambda: "fixed (green)" in viewer.layers and viewer.layers["fixed (green)"].visible)
    assert magenta not in viewer.layers
    sync.choose(None, None)
    settle()
    assert [(layer.name, layer.visible, layer.opacity) for layer in viewer.layers] == before


def test_arrows_follow_the_pairs(window):
    viewer, widget = window()
    assert widget.arrows.toolTip() == "There are no landmarks. Click pairs first."
    session = widget._sync.session
    for point in ([10.0, 10], [10, 400], [400, 10], [400, 400]):
        session.add_pair(point, point)
    widget.arrows.click()
    arrows = viewer.layers["residuals"]
    assert len(arrows.data) == 4
    session.move_point(session.state.pair_ids[0], "moving", [30, 10])
    assert np.abs(arrows.data[0, 1]).max() > 100
    widget.arrows.click()
    assert "residuals" not in viewer.layers


def test_measuring_fills_the_table(window):
    _, widget = window()
    press(widget.measure_button)
    assert not widget.measure_button.isEnabled()
    wait_for(lambda: not widget.task.is_running, 60)
    settle()
    assert widget.model.is_current
    texts = [widget.grid.itemAt(k).widget().text() for k in range(widget.grid.count())]
    assert "Confidence" in texts
    assert widget.measure_button.isEnabled()


def test_nothing_is_left_after_the_dock_is_closed(window):
    viewer, widget = window()
    before = [(layer.name, layer.visible, layer.opacity) for layer in viewer.layers]
    press(widget.mode_buttons["overlay"])
    parts = [weakref.ref(part) for part in (widget, widget.comparison, widget.model)]
    viewer.window.remove_dock_widget(widget)
    widget.close()
    widget.deleteLater()
    del widget
    settle(0.5)
    wait_for(lambda: gc.collect() >= 0 and [part() for part in parts] == [None] * 3, 10)
    assert [(layer.name, layer.visible, layer.opacity) for layer in viewer.layers] == before
    ours = [call for call in viewer.mouse_drag_callbacks if "napari_histreg" in call.__module__]
    assert not ours
