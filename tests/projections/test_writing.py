import csv
import io
import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_histreg.errors import OutputIsInput, WriteError
from napari_histreg.projections import align_projections, open_projections
from napari_histreg.projections.preview import reconstructed, sinogram
from napari_histreg.projections.tables import record_json, shift_table, tomopy_table, txm_wizard_table
from napari_histreg.projections.writing import check_projection_folder, write_projections
from napari_histreg.samples import phantom_projections


@pytest.fixture(scope="module")
def series(scan):
    frames = scan.frames.copy()
    frames[7] = 0
    return open_projections(frames, scan.angles_deg, pixel_size_um=0.02)


@pytest.fixture(scope="module")
def found(series):
    return align_projections(series, method="moments")


@pytest.fixture(scope="module")
def folder(found, series, tmp_path_factory):
    target = tmp_path_factory.mktemp("out") / "aligned"
    write_projections(found, series, target)
    return target


def test_everything_is_there_and_nothing_half_written(folder):
    assert sorted(p.name for p in folder.iterdir()) == [
        "aligned.ome.tif",
        "alignment.json",
        "angles.txt",
        "preview.ome.tif",
        "report.html",
        "shifts.csv",
        "shifts_tomopy.txt",
        "shifts_txm_wizard.txt",
    ]


def test_the_stack_holds_the_frames_in_use_with_their_angles(folder, found, scan):
    with tifffile.TiffFile(folder / "aligned.ome.tif") as file:
        assert file.is_ome
        assert 'PhysicalSizeX="0.02"' in file.ome_metadata
        stack = file.asarray()
    angles = np.loadtxt(folder / "angles.txt")
    assert stack.shape == (59, 64, 64)
    assert np.allclose(angles, np.delete(scan.angles_deg, 7))
    assert np.allclose(stack[6], found.aligned(scan.frames[6], 6), atol=1e-5)
    assert np.allclose(stack[7], found.aligned(scan.frames[8], 8), atol=1e-5)


def test_hdf5_is_read_back_as_the_same_series(found, series, tmp_path):
    pytest.importorskip("h5py")
    write_projections(found, series, tmp_path, stack="hdf5")
    again = open_projections(tmp_path / "aligned.h5", kind="absorption")
    assert again.shape == (59, 64, 64)
    assert again.pixel_um == 0.02
    assert align_projections(again).shifts_px[again.angles_deg >= 0].std() < 0.2


def test_the_table_names_units_and_what_was_left_out(found):
    rows = list(csv.DictReader(io.StringIO(shift_table(found))))
    assert len(rows) == 60
    assert (rows[7]["used"], rows[7]["shift_y_px"]) == ("0", "")
    assert "shutter" in rows[7]["reason"]
    assert float(rows[3]["shift_x_um"]) == pytest.approx(0.02 * found.shifts_px[3, 1], rel=1e-3)


def test_tables_of_other_tools_have_their_signs(found):
    ours = found.shifts_px
    assert np.allclose(np.loadtxt(io.StringIO(tomopy_table(found))), ours, atol=1e-5)
    theirs = np.loadtxt(io.StringIO(txm_wizard_table(found)))
    assert np.allclose(theirs[:, 0], np.arange(1, 61))
    assert np.allclose(theirs[:, 1:], -ours[:, ::-1], atol=1e-4)


def test_the_record_is_plain_json(found):
    record = json.loads(record_json(found))
    assert record["verdict"] == found.verdict
    assert list(record["left_out"]) == ["7"]
    assert "cosine" in record["convention"]


def test_the_report_needs_nothing_else_and_escapes_names(folder, found, series):
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert text.count("data:image") >= 10
    from dataclasses import replace

    from napari_histreg.projections.report import report_page

    page = report_page(replace(found, name="<script>alert(1)</script>"), None)
    assert "<script>alert" not in page


def test_the_preview_is_sharper_than_before(folder):
    preview = tifffile.imread(folder / "preview.ome.tif")
    assert preview.shape == (3, 2, 64, 64)
    sharp = np.hypot(*np.gradient(preview, axis=(2, 3))).std((2, 3))
    assert (sharp[:, 1] > sharp[:, 0]).all()


def test_a_slice_shows_the_body_where_it_is():
    scan = phantom_projections(90, (48, 48), jitter_px=0, noise=0, axis_offset_px=3)
    series = open_projections(scan.frames, scan.angles_deg, kind="absorption")
    found = align_projections(series, method="mass")
    lines = sinogram(series, found, 24)
    slice_ = reconstructed(lines, scan.angles_deg, found.axis_px)
    # The integral over the slice is that of any line of the sinogram.
    assert slice_.sum() == pytest.approx(float(lines.sum(1).mean()), rel=0.05)


def test_a_refused_series_leaves_no_stack(tmp_path):
    frames = np.random.default_rng(0).normal(size=(40, 48, 48)).astype(np.float32)
    series = open_projections(frames, "0:180")
    found = align_projections(series, must_find=False, method="mass")
    assert found.verdict == "refused"
    written = {path.name for path in write_projections(found, series, tmp_path)}
    assert "aligned.ome.tif" not in written
    assert "report.html" in written


def test_a_file_in_the_place_of_a_folder_is_said(found, series, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WriteError, match="is a file, not a folder"):
        write_projections(found, series, tmp_path / "file" / "out")


def test_pictures_are_whole(folder):
    assert Image.open(folder / "preview.ome.tif").size == (64, 64)


def test_only_what_an_earlier_result_made_is_replaced(found, series, tmp_path):
    (tmp_path / "angles.txt").write_text("my own")
    with pytest.raises(WriteError, match=r"holds a file angles\.txt that was not made there") as error:
        write_projections(found, series, tmp_path, stack="none")
    assert error.value.wants == "overwrite"
    assert [path.name for path in tmp_path.iterdir()] == ["angles.txt"]
    write_projections(found, series, tmp_path, overwrite=True)
    write_projections(found, series, tmp_path, stack="none")
    assert not (tmp_path / "aligned.ome.tif").exists(), "the stack of the earlier result would contradict"
    (tmp_path / "alignment.json").write_text('{"format": "mine"}')
    with pytest.raises(WriteError, match=r"alignment\.json that is none of ours"):
        check_projection_folder(tmp_path)


def test_the_folder_of_the_frames_is_no_place_for_results(tmp_path):
    (tmp_path / "angles.txt").write_text("0")
    for place in (tmp_path, tmp_path / "out"):
        with pytest.raises(OutputIsInput, match="is read for this"):
            check_projection_folder(place, inputs=[tmp_path, "0:180"])
    with pytest.raises(OutputIsInput, match=r"angles\.txt is read for this"):
        check_projection_folder(tmp_path, inputs=[tmp_path / "angles.txt"], overwrite=True)
