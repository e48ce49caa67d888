"""What used to go wrong without a word, each driven as a person would."""

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt

from canvas_mouse import CanvasMouse, main_mouse, press, settle, wait_for
from napari_histreg.plugin.layers.bend import bend_of
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.align_widget import AlignWidget
from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Similarity, Translation
from plugin_slides import tissue

pytestmark = pytest.mark.qt

TRUTH = Similarity.of(angle_deg=15, translation=(8, -5))
POINTS = np.array([[30.0, 40.0], [150.0, 50.0], [140.0, 180.0], [60.0, 170.0], [100.0, 90.0]])


@pytest.fixture
def window(make_napari_viewer, cache):
    """Open a window with slides and the whole widget, as the menu does."""

    def opened(slides=2, size=(1300, 850)):
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(*size)
        add_slide(viewer, open_slide(tissue(1, (400, 500)), pixel_size_um=0.5, name="fixed"))
        for k in range(1, slides):
            planes = np.moveaxis(tissue(1 + k, (450, 480), 2), -1, 0).astype(np.uint16) * 10
            add_slide(viewer, open_slide(planes, pixel_size_um=0.4, name=f"moving {k}"))
        widget = AlignWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Align slides", area="right")
        settle(0.2)
        viewer.reset_view()
        settle(0.1)
        return viewer, widget

    return opened


def a_result(fixed, moving, transform=TRUTH, verdict="accepted"):
    records = SlideRecord.of(fixed), SlideRecord.of(moving)
    return Registration(*records, Outcome(transform, verdict, 0.9, ("A reason.",)), method="auto")


def shown_error(sync, points=POINTS):
    seen = sync.shown_fixed_to_moving()(points)
    return np.abs(seen - TRUTH(points)).max()


def click_pair(widget, mouse, point, wrong_by=(0.0, 0.0)):
    view = widget.landmarks.canvases.main.view
    mouse.click(view.to_canvas("fixed", point)[0])
    mouse.click(view.to_canvas("moving", TRUTH([point])[0] + wrong_by)[0])


def show_table(widget):
    return [(row.name, row.placed) for row in widget.landmarks.table.rows]


def test_delete_undo_and_redo_while_pairs_are_clicked(window):
    viewer, widget = window()
    landmarks, session = widget.landmarks, widget.landmarks.session
    mouse = main_mouse(viewer)
    press(landmarks.click_button)
    for point in POINTS[:4]:
        click_pair(widget, mouse, point)
    assert [name for name, _ in show_table(widget)] == ["1", "2", "3", "4"]
    landmarks.table.selectRow(1)
    press(landmarks.delete_button)
    assert [name for name, _ in show_table(widget)] == ["1", "3", "4"]
    assert "3 pairs" in landmarks.summary.text()
    mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert [name for name, _ in show_table(widget)] == ["1", "2", "3", "4"]
    mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert [name for name, _ in show_table(widget)] == ["1", "3", "4"]
    # Side by side: pairs added and taken back one after the other, down to none.
    press(landmarks.beside_button)
    settle(0.2)
    second = CanvasMouse(landmarks.beside.canvas.canvas)
    second.click(landmarks.canvases.beside.view.to_canvas("fixed", POINTS[4])[0])
    mouse.click(landmarks.canvases.main.view.to_canvas("moving", TRUTH([POINTS[4]])[0])[0])
    assert len(session.landmarks) == 4
    for left in (3, 2, 1):
        while len(session.landmarks) > left:
            mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
            assert len(show_table(widget)) == len(session.landmarks)
        if left == 3:
            # What was deleted before comes back before it goes.
            mouse.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    for canvas in landmarks.canvases.canvases_at_work:
        for points in canvas.points:
            assert len(points.layer.data) == len(points.ids) == int(points._placed().sum())


def test_one_listener_that_fails_keeps_nobody_else_from_hearing(window):
    _, widget = window()
    session = widget.landmarks.session

    def fail(_state):
        raise RuntimeError("a defect elsewhere")

    session.events.state_changed.connect(fail)
    with pytest.raises(Exception, match="defect"):
        session.add_pair(POINTS[0], TRUTH([POINTS[0]])[0])
    session.events.state_changed.disconnect(fail)
    assert [name for name, _ in show_table(widget)] == ["1"]
    # The slide followed, too.
    assert shown_error(widget.landmarks._sync, POINTS[:1]) < 1e-6


def test_a_result_belongs_to_the_slides_that_it_was_computed_from(window):
    viewer, widget = window(slides=3)
    sync, automatic = layer_sync_of(viewer), widget.automatic
    fixed, first, second = sync.slides
    result = a_result(fixed, first)
    # Another moving slide is chosen while it runs.
    automatic.model.begin(sync.shown_fixed_to_moving())
    widget.chooser.moving.setCurrentIndex(widget.chooser.moving.findText("moving 2"))
    widget.chooser._choose()
    before = sync.shown_fixed_to_moving()
    automatic.model.succeed(result)
    settle()
    assert sync.moving is second
    np.testing.assert_array_equal(sync.shown_fixed_to_moving().matrix, before.matrix)
    assert "Aligned" not in automatic.headline.text()
    assert "moving 1 was aligned to fixed, but these are not the slides" in automatic.headline.text()
    assert automatic.landmarks_button.isHidden()
    # Chosen again, it lies as the result says, which is undone like any other.
    sync.choose(fixed, first)
    settle()
    assert shown_error(sync) < 1e-6
    assert automatic.headline.text().startswith("Aligned")
    sync.session.undo()
    assert shown_error(sync) > 1

    # Swapped while it runs.
    automatic.model.begin(sync.shown_fixed_to_moving())
    press(widget.chooser.swap)
    before = sync.shown_fixed_to_moving()
    automatic.model.succeed(result)
    np.testing.assert_array_equal(sync.shown_fixed_to_moving().matrix, before.matrix)
    assert "not the slides that are chosen" in automatic.headline.text()
    press(widget.chooser.swap)
    assert shown_error(sync) < 1e-6

    # The moving slide removed while it runs.
    automatic.model.begin(sync.shown_fixed_to_moving())
    for layer in sync.moving_layers():
        viewer.layers.remove(layer)
    settle()
    automatic.model.succeed(result)
    assert not automatic.headline.text().startswith("Aligned")
    assert "not the slides that are chosen" in automatic.headline.text()


def test_pairs_take_over_from_a_guess_and_are_asked_about_after_a_result(window):
    viewer, widget = window()
    sync, landmarks, automatic = layer_sync_of(viewer), widget.landmarks, widget.automatic
    off = TRUTH.then(Translation.of((30, -20)))
    guess = a_result(sync.fixed, sync.moving, off, "refused")
    automatic.model.begin(sync.shown_fixed_to_moving())
    automatic.model.succeed(guess)
    widget.tabs.setCurrentWidget(automatic)
    settle()
    press(automatic.guess_button)
    assert shown_error(sync) > 15
    widget.tabs.setCurrentWidget(landmarks)
    settle()
    assert "guess" in landmarks.summary.text()
    assert "automatic result" not in landmarks.summary.text()
    mouse = main_mouse(viewer)
    press(landmarks.click_button)
    viewer.reset_view()
    settle()
    for k, point in enumerate(POINTS[:3]):
        assert ("pairs decide in place of the guess" in landmarks.advice.text()) or k == 0
        assert shown_error(sync) > 15
        click_pair(widget, mouse, point)
    assert shown_error(sync) < 1.5
    assert "by 3 pairs" in landmarks.summary.text()
    assert landmarks.follow_box.isChecked()

    # After an accepted result the panel asks, once.
    sync.session.accept_registration(replace(guess, outcome=replace(guess.outcome, verdict="accepted")))
    assert landmarks.question.isHidden()
    click_pair(widget, mouse, POINTS[3])
    assert landmarks.question.isVisible()
    assert shown_error(sync) > 15
    press(landmarks.measure_button)
    assert landmarks.question.isHidden()
    click_pair(widget, mouse, POINTS[4])
    assert landmarks.question.isHidden()
    assert "move nothing" in landmarks.advice.text()
    sync.session.accept_registration(replace(guess, outcome=replace(guess.outcome, verdict="doubtful")))
    click_pair(widget, mouse, [80.0, 60.0])
    press(landmarks.decide_button)
    assert shown_error(sync) < 1.5
    assert landmarks.follow_box.isChecked()


def test_a_refused_guess_is_written_only_with_the_tick(window, tmp_path):
    viewer, widget = window()
    sync, export = layer_sync_of(viewer), widget.export
    widget.automatic.model.begin(sync.shown_fixed_to_moving())
    widget.automatic.model.succeed(a_result(sync.fixed, sync.moving, TRUTH, "refused"))
    widget.automatic.model.show_guess()
    widget.tabs.setCurrentWidget(export)
    settle()
    for control in (export.matrix_button, export.warp_button):
        assert not control.isEnabled()
        assert "refused" in control.toolTip()
        assert "Even if refused" in control.toolTip()
    # The record and its folder say themselves that it was refused, as on the command line.
    export.write_folder(str(tmp_path / "folder"))
    wait_for(lambda: not export.task.is_running)
    names = sorted(path.name for path in (tmp_path / "folder").iterdir())
    assert names == ["overlay.png", "registration.json", "session.histreg.json"]
    export.even_box.click()
    assert export.matrix_button.isEnabled()
    export.write_matrix(str(tmp_path / "matrix.csv"))
    wait_for(lambda: not export.task.is_running)
    assert (tmp_path / "matrix.csv").exists()
    # Placed by hand: nothing vouches for it either, which shows once the images are compared.
    export.even_box.click()
    sync.session.turn("turn left")
    export.write_matrix(str(tmp_path / "by_hand.csv"))
    wait_for(lambda: not export.task.is_running, 60)
    assert not (tmp_path / "by_hand.csv").exists()
    assert "Even if refused" in export.said.text()


def picture(viewer):
    settle(0.15)
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(float)


PULL = np.array([14.0, 0.0])


def bend(session):
    """Place six pairs, one of them pulled aside, and let a thin-plate spline follow it."""
    for point in (*POINTS, (170.0, 110.0)):
        session.add_pair(point, TRUTH([point])[0])
    session.move_point(session.state.pair_ids[4], "moving", TRUTH([POINTS[4]])[0] + PULL)
    session.set_model("thin_plate")
    settle()


def test_the_bent_slide_is_the_moving_slide_where_it_is_clicked(window):
    viewer, widget = window()
    sync, landmarks = layer_sync_of(viewer), widget.landmarks
    session = sync.session
    stiff = [layer.data[0].shape for layer in sync.moving_layers()]
    bend(session)
    count = len(viewer.layers)
    assert landmarks.bent_button.isVisible()
    assert landmarks.bent_button.isChecked()
    assert all(bend_of(layer) is not None for layer in sync.moving_layers())
    # Both points of the pulled pair lie on one another, and a click there means that spot of the slide.
    view = landmarks.canvases.main.view
    bent = session.landmarks.moving[4]
    spot = view.to_canvas("moving", bent)[0]
    np.testing.assert_allclose(spot, session.fixed_to_moving.inverse()([bent])[0], atol=1e-6)
    np.testing.assert_allclose(view.to_slide("moving", spot), bent, atol=1e-6)
    points = {p.side: p.layer for p in landmarks.canvases.main.points}["moving"]
    np.testing.assert_allclose(points.data_to_world(points.data[4])[-2:], spot, atol=1e-6)
    # The pixel shown there is the pixel of the moving slide at that spot, as nothing affine could show it.
    flat = np.asarray(sync.moving.read_level(0)[0])
    row, column = np.round(np.array(bent) / 0.4).astype(int)
    y, x = np.round(np.array(spot) / 0.5).astype(int)
    shown = float(np.asarray(sync.moving_layers()[0].data[0][y, x]))
    assert abs(shown - flat[row - 2 : row + 3, column - 2 : column + 3].mean()) < 150

    # A point dragged in the bent picture goes where the mouse was let go.
    press(landmarks.click_button)
    landmarks.one_box.click()
    mouse = main_mouse(viewer)
    start = view.to_canvas("moving", session.landmarks.moving[2])[0]
    stop = start + np.array([6.0, 4.0])
    wanted = view.to_slide("moving", stop)
    session.set_next_side("moving")
    mouse.drag(start, stop)
    assert np.abs(session.landmarks.moving[2] - wanted).max() < 1.0
    session.undo()
    # Pressed again, only the affine part is shown; undo of the model takes the bending away.
    press(landmarks.bent_button)
    assert all(bend_of(layer) is None for layer in sync.moving_layers())
    press(landmarks.bent_button)
    assert all(bend_of(layer) is not None for layer in sync.moving_layers())
    session.undo()
    settle()
    assert all(bend_of(layer) is None for layer in sync.moving_layers())
    assert [layer.data[0].shape for layer in sync.moving_layers()] == stiff
    assert len(viewer.layers) == count


def test_the_bent_slide_is_the_moving_slide_where_it_is_inspected(window):
    viewer, widget = window()
    session, inspection = widget.landmarks.session, widget.inspection
    bend(session)
    count = len(viewer.layers)
    widget.tabs.setCurrentWidget(inspection)
    settle()
    for mode in ("overlay", "fade", "curtain", "checkerboard"):
        press(inspection.mode_buttons[mode])
        if mode == "overlay":
            # Its colours are worked out beside the window.
            wait_for(lambda: len(viewer.layers) == count + 2 and viewer.layers[-1].visible)
        before = picture(viewer).mean(axis=2)
        assert len(viewer.layers) <= count + 2, "no copies but the two colours of the overlay"
        session.move_point(session.state.pair_ids[4], "moving", TRUTH([POINTS[4]])[0] - PULL)
        assert np.abs(picture(viewer).mean(axis=2) - before).max() > 20, mode
        session.undo()
        assert np.abs(picture(viewer).mean(axis=2) - before).mean() < 1.0, mode
