import numpy as np
import pytest

from napari_histreg.errors import ReadError
from napari_histreg.plugin.models.projection_model import ProjectionModel
from napari_histreg.progress import silent
from napari_histreg.projections import open_projections
from napari_histreg.samples import phantom_projections


@pytest.fixture(scope="module")
def series():
    scan = phantom_projections(40, (48, 48), jitter_px=2, noise=0.01)
    return open_projections(scan.frames, scan.angles_deg, kind="absorption")


def test_a_run_from_series_to_slices(series, tmp_path):
    model = ProjectionModel()
    seen = []
    model.changed.connect(lambda: seen.append(model.state))
    assert "Open a series" in model.obstacle
    model.choose(series)
    assert model.obstacle is None
    assert "Press Align" in model.slice_obstacle
    model.method = "moments"
    call = model.begin()
    assert model.obstacle == "It is running. Cancel it first."
    model.succeed(call(silent))
    assert model.state == "idle"
    assert model.headline.startswith("Accepted: 40 of 40 projections")
    assert any("Rotation axis at column" in remark for remark in model.remarks)
    made = model.begin_slice(24)(silent)
    model.finish()
    assert {name: plane.shape for name, plane in made.items()} == {
        "sinogram before": (40, 48),
        "slice before": (48, 48),
        "sinogram after": (40, 48),
        "slice after": (48, 48),
    }
    assert (
        np.abs(np.diff(made["sinogram after"], axis=0)).mean()
        < 0.6 * np.abs(np.diff(made["sinogram before"], axis=0)).mean()
    )
    written = model.begin_saving(str(tmp_path))(silent)
    assert {path.name for path in written} >= {"shifts.csv", "report.html"}
    assert "running" in seen


def test_another_series_forgets_the_result(series):
    model = ProjectionModel()
    model.choose(series)
    model.method = "mass"
    model.succeed(model.begin()(silent))
    model.choose(None)
    assert model.result is None
    assert model.headline == ""


def test_opening_says_what_is_missing(tmp_path):
    with pytest.raises(ReadError, match="no TIFF files"):
        ProjectionModel().open(str(tmp_path), "0:180")(silent)
