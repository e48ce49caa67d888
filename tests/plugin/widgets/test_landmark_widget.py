import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel

from canvas_mouse import main_mouse, press, settle
from napari_histreg.transforms import Similarity

pytestmark = pytest.mark.qt

TRUTH = Similarity.of(angle_deg=15, translation=(8, -5))
POINTS = np.array([[30.0, 40.0], [150.0, 50.0], [140.0, 180.0], [60.0, 170.0], [100.0, 90.0]])


def add_pairs(widget, count=5):
    return [widget.session.add_pair(point, TRUTH([point])[0]) for point in POINTS[:count]]


def points_layer(widget, side):
    return next(points.layer for points in widget.canvases.main.points if points.side == side)


def test_nothing_can_be_pressed_before_there_are_slides_and_each_says_why(window):
    _, widget = window(slides=1)
    controls = [
        widget.click_button, widget.beside_button, widget.undo_button, widget.redo_button,
        widget.drag_button, widget.snap_button, widget.next_button, widget.delete_button,
        widget.follow_box, widget.model, widget.sessions.save_button, *widget.turn_buttons.values(),
    ]  # fmt: skip
    for control in controls:
        assert not control.isEnabled()
        assert control.toolTip().endswith("."), control.toolTip()
    assert "Open two slides" in widget.advice.text()
    assert widget.sessions.open_button.isEnabled()


def test_clicks_mean_pairs_only_while_the_button_is_on(window):
    viewer, widget = window()
    mouse = main_mouse(viewer)
    mouse.click((80.0, 80.0))
    assert len(widget.session.landmarks) == 0
    mouse.key(Qt.Key.Key_K)
    assert widget.click_button.isChecked()
    # Only the slide that is to be clicked is seen, then only the other one.
    fixed, moving = widget._sync.fixed_layers(), widget._sync.moving_layers()
    assert [layer.visible for layer in (*fixed, *moving)] == [True, False, False]
    mouse.drag((80.0, 80.0), (100.0, 120.0))
    assert len(widget.session.landmarks) == 0, "a drag pans, it is no click"
    mouse.click((80.0, 80.0))
    assert len(widget.session.landmarks) == 1
    assert [layer.visible for layer in (*fixed, *moving)] == [False, True, True]
    mouse.key(Qt.Key.Key_Escape)
    assert len(widget.session.landmarks) == 0
    mouse.key(Qt.Key.Key_K)
    assert all(layer.visible for layer in (*fixed, *moving))


def test_the_table_switches_renames_and_deletes(window):
    _, widget = window()
    ids = add_pairs(widget)
    table = widget.table
    model = table.model()
    model.setData(model.index(1, 0), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert not widget.session.landmarks.enabled[1]
    model.setData(model.index(0, 1), "vessel", Qt.ItemDataRole.EditRole)
    assert widget.session.landmarks.names[0] == "vessel"
    model.setData(model.index(1, 1), "vessel", Qt.ItemDataRole.EditRole)
    assert "vessel" in widget.said.text()
    table.selectRow(2)
    settle()
    press(widget.delete_button)
    assert ids[2] not in widget.session.state.pair_ids
    table.selectRow(0)
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert ids[0] not in widget.session.state.pair_ids
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle()
    assert ids[0] in widget.session.state.pair_ids


def test_the_keys_are_listed_and_fit_a_small_screen(window):
    _, widget = window()
    press(widget.keys_button)
    texts = " ".join(label.text() for label in widget.key_list.findChildren(QLabel))
    for keys in ("Ctrl+Z", "Ctrl+Shift+Z", ">K<", ">G<", ">N<", "Escape", "Delete"):
        assert keys in texts
    widget.key_list.close()
    assert widget.minimumSizeHint().height() < 640
    assert widget.minimumSizeHint().width() < 420


def test_the_model_and_who_decides(window):
    _, widget = window()
    add_pairs(widget)
    widget.model.setCurrentIndex(widget.model.findData("affine"))
    widget.model.activated.emit(widget.model.currentIndex())
    assert widget.summary.text().startswith("Affine by 5 pairs")
    widget.follow_box.click()
    assert "only measure" in widget.summary.text()
    assert widget.turn_buttons["turn left"].isEnabled()
    widget.session.undo()
    widget.session.undo()
    assert widget.model.currentData() == "auto"
    assert widget.follow_box.isChecked()


@pytest.mark.thorough
def test_a_thin_plate_spline_can_be_chosen_and_looked_at(window):
    _viewer, widget = window()
    add_pairs(widget)
    bent = widget.session.landmarks.moving[4] + [6.0, 0.0]
    widget.session.move_point(widget.session.state.pair_ids[4], "moving", bent)
    settle()
    assert widget.bent_button.isHidden()
    widget.model.setCurrentIndex(widget.model.findText("Thin plate"))
    widget.model.activated.emit(widget.model.currentIndex())
    settle()
    assert widget.session.state.fit.model == "thin_plate"
    assert "Thin plate by 5 pairs" in widget.summary.text()
    assert not widget.bent_button.isHidden()
    layers = widget._sync.moving_layers()
    fixed = widget._sync.fixed_layers()[0]
    assert all(layer.data[0].shape[:2] == fixed.data[0].shape[:2] for layer in layers)
    press(widget.bent_button)
    assert all(layer.data[0].shape[:2] != fixed.data[0].shape[:2] for layer in layers)


def test_units_are_pixels_where_the_size_is_unknown(window):
    _, widget = window(fixed_um=None)
    add_pairs(widget)
    header = widget.table.model().headerData(2, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole)
    assert header == "Residual\npx"
    assert "px" in widget.summary.text()
