"""A volume dropped on the window: slide to a plane, align it by mutual information, look at it in Inspect."""

import time

import numpy as np
import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget

from canvas_mouse import press, settle, wait_for
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.align_widget import AlignWidget
from napari_histreg.plugin.widgets.planes_widget import PlanesWidget
from napari_histreg.volumes import write_volume
from plugin.journeys.test_automatic import choose
from plugin.widgets.test_planes_widget import drop
from volumes.bodies import as_ct, as_mr, head

pytestmark = [pytest.mark.qt, pytest.mark.slow, pytest.mark.thorough]


@pytest.fixture
def dropped(make_napari_viewer, our_plugin, cache, monkeypatch, tmp_path):
    from napari.settings import get_settings

    monkeypatch.setattr(get_settings().plugins, "extension2reader", {"*": "napari-histreg"})
    kinds, place = head(shape=(5, 120, 110), spacing=(16.0, 1.6, 1.6), grain=4.0)
    ct = as_ct(kinds, place)
    shifted = np.roll(ct.pixels, (4, -3), axis=(1, 2))
    write_volume(as_mr(kinds, place), tmp_path / "mr.nii.gz")
    write_volume(type(ct)("ct", shifted, place, modality="CT"), tmp_path / "ct.nii.gz")
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1300, 850)
    for name in ("mr.nii.gz", "ct.nii.gz"):
        drop(viewer, tmp_path / name)
    return viewer


def longest_gap(planes):
    """Go one plane on in each volume; return for how many seconds the window stood still at most."""
    beats = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(time.monotonic()))
    timer.start(5)
    for row in planes.rows:
        row.slider.setFocus()
        QTest.keyClick(row.slider, Qt.Key.Key_Right)
        settle(0.2)
    timer.stop()
    return np.diff(beats).max()


def opened(viewer):
    """Return the widget with the sliders, and the one that aligns, from the menu."""
    dock = next(
        d for d in viewer.window._qt_window.findChildren(QDockWidget) if d.name == "Planes of a volume"
    )
    choose(viewer.window.layers_menu, "Register", "Align slides")
    widgets = [dock.inner_widget() for dock in viewer.window._wrapped_dock_widgets.values()]
    (widget,) = [found for found in widgets if isinstance(found, AlignWidget)]
    return dock.findChild(PlanesWidget), widget


def test_a_plane_is_chosen_aligned_and_inspected(dropped):
    viewer, sync = dropped, layer_sync_of(dropped)
    planes, widget = opened(viewer)
    chosen = widget.chooser
    assert {chosen.fixed.currentText(), chosen.moving.currentText()} == {"mr axial 2", "ct axial 2"}

    assert longest_gap(planes) < 1.0
    # What is shown is what the names say, and a volume's heading does not go out of date.
    assert {chosen.fixed.currentText(), chosen.moving.currentText()} == {"mr axial 3", "ct axial 3"}
    assert sync.fixed.metadata["index"] == sync.moving.metadata["index"] == 3

    automatic = widget.automatic
    widget.tabs.setCurrentWidget(automatic)
    automatic.method.setCurrentIndex(automatic.method.findData("mi"))
    automatic._choose_method()
    settle()
    press(automatic.run_button)
    wait_for(lambda: automatic.model.state == "idle", 90)
    settle(0.3)
    assert automatic.headline.text().startswith("Aligned — confidence"), automatic.headline.text()
    middle = np.array([[96_000.0, 88_000.0]])
    found = (sync.shown_fixed_to_moving()(middle) - middle)[0]
    sign = 1 if sync.fixed.name.startswith("mr") else -1
    assert np.allclose(found, sign * np.array([6400.0, -4800.0]), atol=800.0)  # half a pixel

    widget.tabs.setCurrentIndex(widget.tabs.indexOf(widget.automatic) + 1)
    assert widget.tabs.tabText(widget.tabs.currentIndex()) == "Inspect"
    settle(0.5)
    # The neighbouring plane has no result; back on this one it is there again.
    moving = next(row for row in planes.rows if row.planes.shown is sync.moving)
    moving.slider.setFocus()
    QTest.keyClick(moving.slider, Qt.Key.Key_Left)
    settle(0.2)
    assert sync.session.fixed_to_moving is None or np.allclose(sync.shown_fixed_to_moving()(middle), middle)
    QTest.keyClick(moving.slider, Qt.Key.Key_Right)
    settle(0.2)
    assert np.allclose((sync.shown_fixed_to_moving()(middle) - middle)[0], found)
