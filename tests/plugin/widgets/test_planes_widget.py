"""A DICOM folder and a NIfTI dropped on the window, a slider through them, and the shown planes aligned."""

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget

from canvas_mouse import settle
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.planes_widget import PlanesWidget
from napari_histreg.volumes import write_volume
from volumes.bodies import as_ct, as_mr, head
from volumes.dicom_files import write_series

pytestmark = pytest.mark.qt


@pytest.fixture
def volumes(tmp_path):
    """One head as MR in a NIfTI and as CT in the folder of a series."""
    kinds, place = head(shape=(6, 40, 36), spacing=(16.0, 5.0, 5.0))
    write_volume(as_mr(kinds, place), tmp_path / "mr.nii.gz")
    write_series(tmp_path / "ct", as_ct(kinds, place).pixels, heights=16.0 * np.arange(6), spacing=(5.0, 5.0))
    return tmp_path


@pytest.fixture
def ours(our_plugin, monkeypatch):
    """Answer beforehand which reader is to be taken: napari's own takes folders, too, and it would ask."""
    from napari.settings import get_settings

    monkeypatch.setattr(get_settings().plugins, "extension2reader", {"*": "napari-histreg"})


def drop(viewer, path):
    """Drop a file on the canvas, as a file manager does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    window = viewer.window._qt_viewer
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)
    settle(0.3)


def test_planes_are_slid_through_and_what_was_done_stays_with_them(make_napari_viewer, ours, volumes):
    viewer = make_napari_viewer(show=True)
    drop(viewer, volumes / "mr.nii.gz")
    drop(viewer, volumes / "ct")
    assert len(viewer.layers) == 2
    dock = next(
        d for d in viewer.window._qt_window.findChildren(QDockWidget) if d.name == "Planes of a volume"
    )
    widget = dock.findChild(PlanesWidget)
    assert dock.isVisible()
    assert [(row.planes.index, row.planes.count) for row in widget.rows] == [(3, 6), (3, 6)]

    sync = layer_sync_of(viewer)
    rows = {id(row.planes.shown): row for row in widget.rows}
    fixed, moving = rows[id(sync.fixed)], rows[id(sync.moving)]
    first = sync.fixed
    sync.session.add_pair([60_000.0, 50_000.0], [61_000.0, 50_000.0])
    assert fixed.number.text() == "3 / 5"
    fixed.slider.setFocus()
    QTest.keyClick(fixed.slider, Qt.Key.Key_Right)
    settle(0.1)
    assert (fixed.planes.index, sync.fixed.metadata["index"]) == (4, 4)
    assert sync.moving.metadata["index"] == 3
    assert len(sync.session.state.landmarks) == 0
    layer = sync.fixed_layers()[0]
    assert layer.name == f"{'mr' if 'mr' in first.name else 'ct'} axial 4"
    assert np.array_equal(np.asarray(layer.data[0]), sync.fixed.read_level(0)[0])

    QTest.keyClick(fixed.slider, Qt.Key.Key_Left)
    settle(0.1)
    assert sync.fixed is first
    assert len(sync.session.state.landmarks) == 1

    QTest.keyClick(moving.plane, Qt.Key.Key_Down)  # axial, coronal
    settle(0.1)
    assert (sync.moving.metadata["plane"], moving.slider.maximum()) == ("coronal", 39)
    assert sync.moving_layers()[0].scale.tolist() == [16_000.0, 5_000.0]
    assert len(viewer.layers) >= 2
