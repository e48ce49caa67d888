"""The automatic widget, with real clicks."""

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QFileDialog, QSpinBox

from canvas_mouse import press, settle, wait_for
from napari_histreg.errors import NoTissue
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.models import automatic_model
from napari_histreg.plugin.widgets.registration_widget import RegistrationWidget
from napari_histreg.plugin.widgets.slide_chooser import SlideChooser
from napari_histreg.registration.catalogue import method_spec
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide
from plugin_slides import tissue

pytestmark = pytest.mark.qt


@pytest.fixture
def pair():
    return phantom_pair(700, angle_deg=20)


@pytest.fixture
def window(make_napari_viewer, cache, pair):
    def opened(*, slides=2):
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1200, 850)
        for slide in (pair.fixed, pair.moving)[:slides]:
            add_slide(viewer, slide)
        widget = RegistrationWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Automatic", area="right")
        settle(0.2)
        return viewer, widget

    return opened


def choose(control, value):
    """Choose an item of a list by the keyboard."""
    control.setFocus()
    QTest.keyClick(control, Qt.Key.Key_Home)
    for _ in range(control.findData(value)):
        QTest.keyClick(control, Qt.Key.Key_Down)
    control.activated.emit(control.currentIndex())
    settle()
    assert control.currentData() == value


def run(widget):
    press(widget.run_button)
    wait_for(lambda: widget.model.state == "idle", 60)
    settle(0.2)


def test_nothing_can_be_pressed_that_cannot_work(window):
    _, widget = window(slides=1)
    assert not widget.run_button.isEnabled()
    assert widget.run_button.toolTip() == "Choose a fixed and a moving slide first."
    assert widget.cancel_button.toolTip() == "Nothing is running."
    assert widget.fixed_channel.count() == 4
    assert not widget.moving_channel.isEnabled()


def test_the_form_follows_the_method(window):
    _, widget = window()
    choose(widget.method, "sift")
    assert widget.summary.text() == widget.model.spec.summary
    assert isinstance(widget.form.entry("max_keypoints"), QSpinBox)
    assert isinstance(widget.form.entry("ratio"), QDoubleSpinBox)
    assert isinstance(widget.form.entry("model"), QComboBox)
    assert "by default" in widget.form.entry("ratio").toolTip()
    assert widget.form.entry("max_keypoints").minimum() == 50
    choose(widget.method, "ecc")
    assert "iterations" in widget.advanced_form._fields
    assert "ratio" not in widget.form._fields
    choose(widget.method, "auto")
    assert {"nonrigid", "mirror"} == set(widget.form._fields)
    assert "scale_play" in widget.advanced_form._fields


def test_a_trained_model_is_chosen_by_its_folder(window, monkeypatch, tmp_path):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *question: str(tmp_path))
    _, widget = window()
    choose(widget.method, "learned")
    entry = widget.form._fields["model"][1]
    widget.parameters.expand(animate=False)
    settle(0.2)
    press(entry.browse)
    assert widget.form.entry("model").text() == str(tmp_path)
    assert widget.model.parameters == {"model": str(tmp_path)}


@pytest.mark.thorough
def test_advanced_holds_what_few_people_need(window, monkeypatch):
    missing = replace(method_spec("sift"), requires=("no_such_module",))
    model = automatic_model.AutomaticModel
    found = model.methods.fget
    monkeypatch.setattr(
        model, "methods", property(lambda m: [missing if s.name == "sift" else s for s in found(m)])
    )
    _, widget = window()
    assert widget.method.findData("sift") < 0
    widget.advanced.expand(animate=False)
    settle(0.2)
    widget.missing.click()
    place = widget.method.findData("sift")
    assert widget.method.itemText(place) == "SIFT features (not installed)"
    assert "pip install" in widget.method.itemData(place, Qt.ItemDataRole.ToolTipRole)
    widget.advanced_form.entry("scale_play").setValue(0.2)
    assert widget.model.parameters == {"scale_play": 0.2}
    widget.missing.click()
    assert widget.method.findData("sift") < 0
    assert widget.method.currentData() == "auto"


@pytest.mark.thorough
def test_of_several_slides_the_nearest_to_all_becomes_the_fixed_one(make_napari_viewer, cache):
    viewer = make_napari_viewer(show=True)
    picture = tissue(3, (160, 160)) / 255.0
    # The middle one is half of each of the others.
    for name, share in (("first", 0.0), ("middle", 0.5), ("last", 1.0)):
        pixels = (1 - share) * picture + share * picture[::-1, ::-1]
        add_slide(viewer, open_slide((255 * pixels).astype(np.uint8), pixel_size_um=1.0, name=name))
    chooser = SlideChooser(viewer)
    viewer.window.add_dock_widget(chooser, area="right")
    settle(0.2)
    press(chooser.template_button)
    wait_for(lambda: chooser.task is not None and not chooser.task.is_running, 30)
    settle()
    assert chooser.sync.fixed.name == "middle"
    assert chooser.sync.moving.name == "first"
    assert chooser.notice.text().startswith("middle is nearest to the others (mean distance: middle 0.")


def test_a_value_typed_into_the_form_reaches_the_method(window, monkeypatch):
    _, widget = window()
    choose(widget.method, "sift")
    seen = {}

    def record(*slides, **wishes):
        seen.update(wishes)
        raise NoTissue("Enough seen.")

    monkeypatch.setattr(automatic_model, "register", record)
    widget.parameters.expand(animate=False)
    settle(0.2)
    spin = widget.form.entry("max_keypoints")
    spin.setFocus()
    spin.selectAll()
    QTest.keyClicks(spin, "1234")
    QTest.keyClick(spin, Qt.Key.Key_Return)
    widget.form.entry("mirror").click()
    choose(widget.moving_channel, 1)
    run(widget)
    assert (seen["method"], seen["max_keypoints"], seen["mirror"]) == ("sift", 1234, False)
    assert seen["moving_channel"] == 1
    assert "ratio" not in seen
    assert widget.headline.text() == "Enough seen."
    # Back to the defaults, and nothing is handed over any more.
    widget.form.reset()
    assert widget.form.values == {}


def test_run_shows_stages_then_the_verdict_and_moves_the_layers(window, pair):
    viewer, widget = window()
    choose(widget.method, "sift")
    stages = []
    widget.model.changed.connect(lambda: stages.append(widget.stage_name.text()))
    press(widget.run_button)
    assert not widget.run_button.isEnabled()
    assert widget.cancel_button.isEnabled()
    wait_for(lambda: widget.model.state == "idle", 60)
    settle(0.2)
    assert len(set(stages)) >= 3
    assert widget.headline.text().startswith("Aligned — confidence")
    assert widget.reasons.text()
    assert not widget.progress.isVisible()
    points = pair.landmarks(9).fixed
    shown = widget._sync.shown_fixed_to_moving()
    # Half a pixel of the moving slide is what SIFT states for two stains of one tissue; the worst of nine.
    assert abs(shown(points) - pair.fixed_to_moving(points)).max() < 2 * pair.moving.pixel_size_um[0]
    assert all(layer.affine.affine_matrix[0, 1] != 0 for layer in viewer.layers[1:])
    press(widget.landmarks_button)
    session = widget._sync.session
    assert 3 <= len(session.landmarks) <= automatic_model.MOST_PAIRS
    assert session.origin == "landmarks"
    press(widget.undo_button)
    press(widget.undo_button)
    assert session.origin == "initial"
    assert not widget.undo_button.isEnabled()


def test_an_error_is_said_once_in_the_panel_and_the_widget_goes_on(window, monkeypatch):
    said = []
    monkeypatch.setattr("napari.utils.notifications.show_error", said.append)
    _, widget = window()

    def fail(*slides, **wishes):
        raise NoTissue("phantom H&E is blank. Choose another slide.")

    monkeypatch.setattr(automatic_model, "register", fail)
    run(widget)
    assert widget.headline.text() == "phantom H&E is blank. Choose another slide."
    assert said == []
    assert widget.run_button.isEnabled()


def test_closing_the_dock_stops_the_run_and_leaves_nothing(window):
    import gc
    import threading
    import weakref

    viewer, widget = window()
    choose(widget.method, "auto")
    press(widget.run_button)
    wait_for(lambda model=widget.model: model.fraction > 0)
    parts = [weakref.ref(part) for part in (widget, widget.model, widget.task)]
    viewer.window.remove_dock_widget(widget)
    widget.close()
    widget.deleteLater()
    del widget
    settle(0.5)
    wait_for(lambda: gc.collect() >= 0 and [part() for part in parts] == [None] * 3, 10)
    assert not [thread for thread in threading.enumerate() if "register" in thread.name]
