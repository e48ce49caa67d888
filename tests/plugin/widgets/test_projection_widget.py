import numpy as np
import pytest
import tifffile

from canvas_mouse import settle
from napari_histreg.plugin.layers.projections import series_of
from napari_histreg.plugin.widgets.projection_widget import ProjectionWidget
from napari_histreg.samples import phantom_projections

pytestmark = pytest.mark.qt


@pytest.fixture
def scan(tmp_path):
    made = phantom_projections(36, (48, 48), jitter_px=2, noise=0.01)
    for k, frame in enumerate(20000 * np.exp(-made.frames)):
        tifffile.imwrite(tmp_path / f"p{k}.tif", frame.astype(np.uint16))
    return tmp_path


def until(widget, ready):
    for _ in range(600):
        settle(0.1)
        if ready() and widget.model.state == "idle":
            return
    raise AssertionError(f"still waiting: {widget.model.message}")


def test_open_align_cut_and_save(make_napari_viewer, scan, tmp_path):
    viewer = make_napari_viewer(show=True)
    widget = ProjectionWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Projections")
    assert not widget.run_button.isEnabled()
    assert "Open a series" in widget.run_button.toolTip()

    widget.angles.setText("0:175")
    widget.open(str(scan))
    until(widget, lambda: len(viewer.layers) == 1)
    layer = viewer.layers[0]
    assert layer.data.shape == (36, 48, 48)
    assert series_of(layer) is widget.model.series
    assert np.asarray(layer.data[5]).shape == (48, 48)

    widget.run_button.click()
    until(widget, lambda: len(viewer.layers) == 2)
    assert widget.model.result.verdict == "accepted"
    assert widget.headline.text().startswith("Accepted")
    aligned = viewer.layers[1]
    assert aligned.translate[-1] > 48
    assert np.allclose(
        np.asarray(aligned.data[7]),
        widget.model.result.aligned(np.asarray(layer.data[7]), 7),
        atol=1e-4,
    )

    viewer.dims.set_current_step(0, 7)
    settle(0.1)
    assert widget.stage_name.text().startswith("Projection 7, 35°: shift")

    widget.row.setValue(24)
    widget.slice_button.click()
    until(widget, lambda: len(viewer.layers) == 6)
    names = [one.name for one in viewer.layers]
    assert sum("sinogram" in name for name in names) == 2

    widget.save(str(tmp_path / "out"))
    until(widget, lambda: "Saved" in widget.stage_name.text())
    assert (tmp_path / "out" / "aligned.ome.tif").is_file()


def test_what_cannot_be_opened_is_said(make_napari_viewer, tmp_path):
    widget = ProjectionWidget(make_napari_viewer())
    widget.open(str(tmp_path))
    until(widget, lambda: "no TIFF files" in widget.stage_name.text())
