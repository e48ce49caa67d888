"""The small things that a person stumbles over, each driven as a person would."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel

from canvas_mouse import press, settle
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.align_widget import AlignWidget
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Similarity
from plugin_slides import tissue

pytestmark = pytest.mark.qt

TRUTH = Similarity.of(angle_deg=15, translation=(8, -5))
POINTS = np.array([[30.0, 40.0], [150.0, 50.0], [140.0, 180.0], [60.0, 170.0], [100.0, 90.0]])


@pytest.fixture
def window(make_napari_viewer, cache):
    """Open a window; the fluorescence slide comes first."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1300, 850)
    planes = np.moveaxis(tissue(2, (450, 480), 2), -1, 0).astype(np.uint16) * 10
    add_slide(viewer, open_slide(planes, pixel_size_um=0.4, name="fluorescence"))
    add_slide(viewer, open_slide(tissue(1, (400, 500)), pixel_size_um=0.5, name="brightfield"))
    widget = AlignWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Align slides", area="right")
    settle(0.2)
    return viewer, widget


def click_row(table, row, modifier=Qt.KeyboardModifier.NoModifier):
    """Click the name in a row."""
    place = table.visualRect(table.model().index(row, 1)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, modifier, place)
    settle(0.05)


def names(table):
    return [row.name for row in table.rows]


def seen_as_selected(table):
    return [names(table)[index.row()] for index in table.selectionModel().selectedRows()]


def test_delete_takes_what_is_seen_as_selected_and_nothing_else(window):
    _, widget = window
    landmarks, session = widget.landmarks, widget.landmarks.session
    table = landmarks.table
    for point in POINTS:
        session.add_pair(point, TRUTH([point])[0])
    settle()
    assert names(table) == ["1", "2", "3", "4", "5"], "one number a pair"
    # Nothing is selected: neither the button nor the key does anything.
    assert not landmarks.delete_button.isEnabled()
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert len(session.landmarks) == 5
    # Two rows, kept while the table is shown anew and sorted otherwise; a tick selects nothing by itself.
    click_row(table, 1)
    click_row(table, 3, Qt.KeyboardModifier.ControlModifier)
    session.move_point(session.state.pair_ids[0], "moving", TRUTH([POINTS[0]])[0] + (0, 9))
    landmarks.worst_box.click()
    settle()
    assert names(table)[0] == "1"
    assert sorted(seen_as_selected(table)) == ["2", "4"]
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert sorted(names(table)) == ["1", "3", "5"]
    assert seen_as_selected(table) == []
    # The row that has come up in place of the deleted one is not taken by a second press.
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert not landmarks.delete_button.isEnabled()
    assert len(session.landmarks) == 3
    # After undo, too, only what is seen as selected goes.
    press(landmarks.undo_button)
    click_row(table, names(table).index("3"))
    press(landmarks.delete_button)
    assert sorted(names(table)) == ["1", "2", "4", "5"]


def test_names_roles_and_notes_are_as_the_user_left_them(window):
    viewer, widget = window
    sync, landmarks = layer_sync_of(viewer), widget.landmarks
    # Guessed from the slides, whatever the order of dropping.
    assert (sync.fixed.name, sync.moving.name) == ("brightfield", "fluorescence")
    sync.fixed_layers()[0].name = "biopsy 7, H&E"
    settle()
    assert widget.chooser.fixed.currentText() == "biopsy 7, H&E"
    # A refusal of the panel is done with the next edit.
    first = landmarks.session.add_pair(POINTS[0], TRUTH([POINTS[0]])[0])
    landmarks.session.add_pair(POINTS[1], TRUTH([POINTS[1]])[0])
    landmarks.table.model().setData(landmarks.table.model().index(1, 1), "1", Qt.ItemDataRole.EditRole)
    assert "1" in landmarks.said.text()
    landmarks.session.move_point(first, "fixed", POINTS[0] + 1)
    assert landmarks.said.isHidden()
    press(landmarks.keys_button)
    listed = " ".join(label.text() for label in landmarks.key_list.findChildren(QLabel))
    landmarks.key_list.close()
    assert all(word in listed for word in ("Wheel", "Drag", "Double-click"))
    # Named once on the canvas, where both slides lie on one another.
    points = {p.side: p.layer for p in landmarks.canvases.main.points}
    assert [points[side].text.visible for side in ("fixed", "moving")] == [True, False]
    assert list(points["fixed"].features["name"]) == ["1", "2"]
    for side, point in (("fixed", POINTS[2]), ("moving", TRUTH([POINTS[2]])[0])):
        landmarks.session.click(side, point)
    viewer.reset_view()
    assert_outlined(viewer, points["fixed"])


def assert_outlined(viewer, layer):
    """Names are seen in their colour and in the white around it, whatever the stain below."""
    settle(0.2)
    named = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    layer.text.visible = False
    settle(0.2)
    bare = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    # The letters themselves have no blue in them: only what is around them makes all three colours brighter.
    assert ((named - bare).min(axis=-1) > 25).sum() > 20, "white around the letters"
    drawn = named[np.abs(named - bare).max(axis=-1) > 40]
    assert ((drawn[:, 0] > 180) & (drawn[:, 2] < 90)).sum() > 10, "the letters"
