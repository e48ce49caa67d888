"""From the menus to an alignment: open the demo pair, run, cancel, run again, edit, export, read back."""

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

from canvas_mouse import press, settle, wait_for
from napari_histreg.landmarks import read_landmarks
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.align_widget import AlignWidget
from napari_histreg.records.document import read_registration
from napari_histreg.samples import demo_pair

pytestmark = pytest.mark.qt


def choose(menu, *texts):
    """Go through menus by what they say, as a person reads them."""
    menu.aboutToShow.emit()
    action = next(a for a in menu.actions() if a.text().replace("&", "").startswith(texts[0]))
    if len(texts) > 1:
        choose(action.menu(), *texts[1:])
    else:
        assert action.isEnabled()
        action.trigger()
    settle(0.3)


def true_error(sync, truth):
    """Return the median distance in µm of true landmarks, as the layers show them."""
    landmarks = truth.landmarks()
    seen = sync.shown_fixed_to_moving().inverse()(landmarks.moving)
    return np.median(np.linalg.norm(seen - landmarks.fixed, axis=1))


def open_from_menus(viewer):
    """Open the demo pair and the docked widget; return the widget."""
    window = viewer.window
    choose(window.file_menu, "Open Sample", "Slide registration", "Demo pair")
    assert len(viewer.layers) == 4
    choose(window.layers_menu, "Register", "Align slides")
    widgets = [dock.inner_widget() for dock in window._wrapped_dock_widgets.values()]
    (widget,) = [widget for widget in widgets if isinstance(widget, AlignWidget)]
    return widget


def cancel_in_the_middle(automatic):
    press(automatic.run_button)
    wait_for(lambda: automatic.model.fraction > 0.05, 30)
    press(automatic.cancel_button)
    wait_for(lambda: automatic.model.state == "idle", 5)
    settle()
    assert automatic.headline.text() == "Cancelled. The slides lie as before."


def run_to_the_end(automatic):
    press(automatic.run_button)
    wait_for(lambda: automatic.model.state == "idle", 90)
    settle(0.3)
    assert automatic.headline.text().startswith("Aligned — confidence")


def export_and_read_back(export, session, folder, monkeypatch, points):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *question: (str(folder), ""))
    press(export.folder_button)
    wait_for(lambda: not export.task.is_running, 60)
    record = read_registration(folder)
    assert np.allclose(record.fixed_to_moving(points), session.fixed_to_moving(points), atol=1e-6)
    read = read_landmarks(folder / "landmarks.csv", fixed_pixel_size=0.5, moving_pixel_size=0.4)
    assert len(read) == len(session.landmarks)


def test_run_cancel_run_again_edit_export(make_napari_viewer, cache, tmp_path, monkeypatch):
    truth = demo_pair(tmp_path)
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1300, 850)
    widget, sync = open_from_menus(viewer), layer_sync_of(viewer)
    assert (widget.chooser.fixed.currentText(), widget.chooser.moving.currentText()) == (
        "demo_ihc",
        "demo_if",
    )
    widget.tabs.setCurrentWidget(widget.automatic)
    settle()
    before = true_error(sync, truth)
    assert before > 50

    cancel_in_the_middle(widget.automatic)
    assert true_error(sync, truth) == before
    run_to_the_end(widget.automatic)
    assert true_error(sync, truth) < 0.5  # a pixel of the fixed slide

    press(widget.automatic.landmarks_button)
    assert len(sync.session.landmarks) >= 4
    assert true_error(sync, truth) < 1.0

    widget.tabs.setCurrentWidget(widget.export)
    settle()
    points = truth.landmarks().fixed
    export_and_read_back(widget.export, sync.session, tmp_path / "results", monkeypatch, points)

    while sync.session.undo_label:
        sync.session.undo()
    assert true_error(sync, truth) == pytest.approx(before)


def test_the_landmarks_widget_and_the_others_open_from_the_plugins_menu(make_napari_viewer, cache):
    viewer = make_napari_viewer(show=True)
    for name in ("Landmarks", "Automatic registration", "Inspect the alignment", "Export the alignment"):
        choose(viewer.window.plugins_menu, "Slide registration", name)
    assert len(viewer.window.dock_widgets) == 4
