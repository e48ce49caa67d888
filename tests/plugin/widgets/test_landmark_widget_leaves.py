"""What the landmark widget leaves behind when its dock is closed: nothing but the work."""

import pytest
from qtpy.compat import isalive

from canvas_mouse import main_mouse, press, settle
from napari_histreg.plugin.canvas.landmark_canvases import _all_canvases
from napari_histreg.plugin.widgets.landmark_widget import LandmarkWidget

pytestmark = pytest.mark.qt


def test_nothing_is_left_after_the_dock_is_closed(window):
    viewer, widget = window()
    assert viewer.keymap
    assert viewer.mouse_drag_callbacks
    press(widget.click_button)
    press(widget.beside_button)
    settle(0.3)
    mouse = main_mouse(viewer)
    mouse.click(widget.canvases.main.view.to_canvas("moving", [100.0, 120.0])[0])
    assert len(widget.session.landmarks) == 1
    session, beside, canvases = widget.session, widget.beside, widget.canvases
    canvas = beside.canvas
    viewer.window.remove_dock_widget(widget)
    widget.deleteLater()
    settle(0.5)
    assert not isalive(widget)
    assert not isalive(beside)
    assert not isalive(canvas)
    assert not canvases.canvases_at_work
    assert not [layer.name for layer in viewer.layers if "landmark" in layer.name or "guide" in layer.name]
    assert not viewer.keymap
    callbacks = [*viewer.mouse_drag_callbacks, *viewer.mouse_move_callbacks]
    assert not [call for call in callbacks if call.__module__.startswith("napari_histreg")]
    assert all(layer.visible for layer in viewer.layers)
    assert "Fixed slide" not in viewer.window.dock_widgets
    assert id(canvases.sync) not in _all_canvases
    # The work itself stays with the viewer: opened again, the widget shows it.
    assert len(session.landmarks) == 1
    widget = LandmarkWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Landmarks", area="right")
    settle(0.2)
    assert widget.session is session
    assert len(widget.table.rows) == 1


@pytest.mark.thorough
def test_the_second_canvas_goes_with_the_window(window):
    viewer, widget = window()
    press(widget.beside_button)
    settle(0.2)
    viewer.close()
    settle(0.2)
    assert widget.beside is None


def test_two_landmark_widgets_share_one_desk(window):
    viewer, widget = window()
    other = LandmarkWidget(viewer)
    viewer.window.add_dock_widget(other, name="Landmarks again", area="right")
    settle(0.2)
    assert other.canvases is widget.canvases
    count = len([layer for layer in viewer.layers if "landmarks" in layer.name])
    assert count == 2
    viewer.window.remove_dock_widget(other)
    other.deleteLater()
    settle(0.2)
    assert widget.canvases.canvases_at_work
    assert len([layer for layer in viewer.layers if "landmarks" in layer.name]) == 2
