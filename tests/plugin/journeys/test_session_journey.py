"""A session saved, the window closed, another one opened: everything is there again."""

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

from canvas_mouse import press, settle
from napari_histreg.plugin.layers.affine import read_fixed_to_moving
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.widgets.landmark_widget import LandmarkWidget
from napari_histreg.samples import demo_pair
from napari_histreg.slides import open_slide

pytestmark = pytest.mark.qt

POINTS = [[60.0, 80.0], [190.0, 90.0], [180.0, 170.0], [70.0, 165.0]]


@pytest.fixture
def pair(cache):
    folder = cache / "slides"
    folder.mkdir()
    return demo_pair(folder)


@pytest.fixture
def open_window(make_napari_viewer):
    def opened(*paths):
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1400, 850)
        for path in paths:
            add_slide(viewer, open_slide(path))
        widget = LandmarkWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Landmarks", area="right")
        settle(0.3)
        return viewer, widget

    return opened


def close_window(viewer):
    viewer.close()
    settle(0.1)


def work(widget, truth):
    for point in POINTS:
        widget.session.add_pair(point, truth([point])[0])
    widget.session.rename_pair(widget.session.state.pair_ids[2], "vessel")
    widget.session.switch_pair(widget.session.state.pair_ids[0], False)
    widget.session.click("fixed", [100.0, 100.0])


def assert_same(state, expected):
    assert state.landmarks == expected.landmarks
    assert state.pair_ids == expected.pair_ids
    assert state.model == expected.model


def test_saved_closed_reopened(open_window, pair, cache):
    truth = pair.fixed_to_moving
    viewer, widget = open_window(pair.fixed, pair.moving)
    work(widget, truth)
    state = widget.session.state
    widget.sessions.save(str(cache / "mine.histreg.json"))
    sync = widget._sync
    affine = read_fixed_to_moving(viewer.layers, sync.fixed, sync.moving).matrix
    close_window(viewer)

    viewer, widget = open_window()
    assert not widget.session.is_ready
    assert not widget.click_button.isEnabled()
    widget.sessions.open(str(cache / "mine.histreg.json"))
    settle(0.3)
    assert_same(widget.session.state, state)
    sync = widget._sync
    again = read_fixed_to_moving(viewer.layers, sync.fixed, sync.moving).matrix
    np.testing.assert_allclose(again, affine, rtol=0, atol=1e-9)
    assert [row.name for row in widget.table.rows] == list(state.landmarks.names)
    picture = viewer.window.screenshot(canvas_only=True, flash=False)[..., :3]
    assert picture.mean() > 20
    # Both slides of the viewer are known, so that they are not opened twice.
    count = len(viewer.layers)
    widget.sessions.open(str(cache / "mine.histreg.json"))
    assert len(viewer.layers) == count


def test_a_session_dropped_onto_the_canvas_opens(open_window, pair, cache, monkeypatch):
    viewer, widget = open_window(pair.fixed, pair.moving)
    work(widget, pair.fixed_to_moving)
    state = widget.session.state
    widget.sessions.save(str(cache / "mine.histreg.json"))
    widget.session.delete_pairs(widget.session.state.pair_ids)
    viewer.open(str(cache / "mine.histreg.json"), plugin="napari-histreg")
    settle(0.2)
    assert_same(widget.session.state, state)
    assert widget.session.undo_label == "restore session"
    # What is no session says so once, and leaves everything as it is.
    (cache / "other.histreg.json").write_text('{"format": "napari-histreg session", "version": 1}')
    said = []
    monkeypatch.setattr("napari_histreg.plugin.widgets.session_bar.show_error", said.append)
    widget.sessions.open(str(cache / "other.histreg.json"))
    assert len(said) == 1
    assert "damaged" in said[0]
    assert_same(widget.session.state, state)


def test_a_slide_that_moved_is_asked_for(open_window, pair, cache, monkeypatch):
    viewer, widget = open_window(pair.fixed, pair.moving)
    work(widget, pair.fixed_to_moving)
    state = widget.session.state
    widget.sessions.save(str(cache / "mine"))
    close_window(viewer)
    elsewhere = cache / "moved"
    elsewhere.mkdir()
    pair.moving.rename(elsewhere / "renamed.ome.tif")

    asked = []

    def answer(*arguments, **options):
        asked.append(arguments[1])
        return (str(elsewhere / "renamed.ome.tif"), "")

    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    _, widget = open_window()
    widget.sessions.open(str(cache / "mine.histreg.json"))
    settle(0.2)
    assert len(asked) == 1
    assert "moving slide" in asked[0]
    assert_same(widget.session.state, state)


def test_what_a_crash_left_is_offered(open_window, pair):
    viewer, widget = open_window(pair.fixed, pair.moving)
    work(widget, pair.fixed_to_moving)
    state = widget.session.state
    widget.autosave.write_now()
    close_window(viewer)

    _, widget = open_window(pair.fixed, pair.moving)
    assert len(widget.session.landmarks) == 0
    assert widget.offer.isVisible()
    assert "5 pairs" in widget.offer_text.text()
    buttons = {button.text(): button for button in widget.offer.findChildren(type(widget.click_button))}
    press(buttons["Continue"])
    assert not widget.offer.isVisible()
    assert_same(widget.session.state, state)
