import os
import struct

import numpy as np
import pytest
import tifffile

from napari_histreg.errors import DamagedFile, HistregError, MissingDependency, ReadError, UnsupportedFormat
from napari_histreg.projections import open_projections

FRAMES = np.random.default_rng(0).integers(1, 4000, (12, 20, 24)).astype(np.uint16)
ANGLES = np.arange(12) * 15.0


@pytest.fixture
def folder(tmp_path):
    for k, frame in enumerate(FRAMES):
        tifffile.imwrite(tmp_path / f"p_{k}.tif", frame)
    return tmp_path


def h5(path, **datasets):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name.replace("__", "/")] = values
    return path


def same(series):
    with series:
        return all(np.array_equal(series.frame(k), FRAMES[k]) for k in range(12))


def test_a_folder_is_read_in_the_order_of_its_numbers(folder):
    assert same(open_projections(folder, "0:165"))
    assert same(open_projections(sorted(folder.iterdir()), "0:165"))


@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"imagej": True}, {"photometric": "minisblack"}]
)
def test_one_tiff_with_many_pages(tmp_path, options):
    tifffile.imwrite(tmp_path / "stack.tif", FRAMES, **options)
    assert same(open_projections(tmp_path / "stack.tif", "0:165"))


def test_data_exchange_with_its_fields_and_angles(tmp_path):
    path = h5(
        tmp_path / "scan.h5",
        exchange__data=FRAMES,
        exchange__theta=ANGLES,
        exchange__data_dark=np.full((3, 20, 24), 7, np.uint16),
        exchange__data_white=np.full((2, 20, 24), 5000, np.uint16),
    )
    series = open_projections(path)
    assert series.kind == "intensity"
    assert np.array_equal(series.angles_deg, ANGLES)
    assert series.correction.dark.max() == 7
    assert same(series)


def test_nxtomo_takes_its_projections_by_their_keys(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "scan.nxs"
    with h5py.File(path, "w") as file:
        extra = np.full((2, 20, 24), 9, np.uint16)
        file["entry/instrument/detector/data"] = np.concatenate([extra, FRAMES, extra])
        file["entry/instrument/detector/image_key"] = [1, 2, *[0] * 12, 1, 3]
        file["entry/sample/rotation_angle"] = np.concatenate([[0, 0], ANGLES, [165, 165]])
        file["entry/instrument/detector/x_pixel_size"] = 6.5
        file["entry/instrument/detector/x_pixel_size"].attrs["units"] = "um"
    series = open_projections(path)
    assert series.pixel_um == 6.5
    assert np.array_equal(series.angles_deg, ANGLES)
    assert any("1 frames are marked as invalid" in note for note in series.notes)
    assert same(series)


def test_mrc_with_angles_beside(tmp_path):
    mrcfile = pytest.importorskip("mrcfile")
    with mrcfile.new(tmp_path / "tilt.st", FRAMES.astype(np.float32)) as file:
        file.voxel_size = 20.0
    (tmp_path / "tilt.rawtlt").write_text("\n".join(map(str, ANGLES)))
    series = open_projections(tmp_path / "tilt.st", kind="absorption")
    assert series.pixel_um == pytest.approx(0.002)
    assert np.array_equal(series.angles_deg, ANGLES)
    assert same(series)


def test_dark_and_flat_files(folder, tmp_path):
    fields = tmp_path / "fields"
    fields.mkdir()
    tifffile.imwrite(fields / "d.tif", np.full((20, 24), 3, np.uint16))
    tifffile.imwrite(fields / "f.tif", np.full((4, 20, 24), 5003, np.uint16), photometric="minisblack")
    series = open_projections(folder, "0:165", dark=fields / "d.tif", flat=fields / "f.tif")
    assert np.allclose(
        series.line_integrals(3).pixels.mean(),
        -np.log(np.maximum(FRAMES[3] - 3.0, 5) / 5000).mean(),
        atol=0.2,
    )
    tifffile.imwrite(fields / "small.tif", np.zeros((5, 5), np.uint16))
    with pytest.raises(ReadError, match="5x5 pixels, the projections 20x24"):
        open_projections(folder, "0:165", flat=fields / "small.tif")


def test_frames_are_read_when_they_are_needed(folder):
    series = open_projections(folder, "0:165")
    (folder / "p_7.tif").write_bytes(b"II*\0 broken")
    assert np.array_equal(series.frame(6), FRAMES[6])
    with pytest.raises(DamagedFile, match=r"p_7\.tif cannot be read"):
        series.frame(7)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("options", [{}, {"metadata": None}, {"compression": "zlib"}])
def test_truncated_tiffs_are_never_a_shorter_series(tmp_path, share, options):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, FRAMES, photometric="minisblack", **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    said, read = "", []
    try:
        with open_projections(path, "0:165") as series:
            read = [series.frame(k) for k in range(series.shape[0])]
    except HistregError as error:
        said = str(error)
    # Where only the list of pages is cut, the frames may be whole.
    assert "stack.tif" in said or np.array_equal(read, FRAMES)


def test_frames_of_two_sizes_are_refused(folder):
    tifffile.imwrite(folder / "p_5.tif", FRAMES[0, :10])
    with pytest.raises(DamagedFile, match=r"p_5.*All must be of one size"):
        open_projections(folder, "0:165").frame(5)


def test_datasets_that_are_missing_are_named(tmp_path):
    path = h5(tmp_path / "other.h5", entry__frames=FRAMES)
    with pytest.raises(ReadError, match=r"It holds: entry/frames.*--dataset"):
        open_projections(path, "0:165")
    assert same(open_projections(path, "0:165", dataset="entry/frames"))
    with pytest.raises(ReadError, match="Those of three dimensions are: entry/frames"):
        open_projections(path, "0:165", dataset="nothing")
    path = h5(tmp_path / "bare.h5", exchange__data=FRAMES)
    with pytest.raises(ReadError, match="does not hold its angles"):
        open_projections(path)
    path = h5(tmp_path / "words.h5", exchange__data=np.zeros((3, 4)))
    with pytest.raises(ReadError, match=r"shape \(3, 4\)"):
        open_projections(path)


def test_damaged_hdf5_and_mrc(tmp_path):
    pytest.importorskip("h5py")
    pytest.importorskip("mrcfile")
    for name in ("a.h5", "a.mrc"):
        path = tmp_path / name
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + struct.pack("<40i", *range(40)))
        with pytest.raises(DamagedFile, match=name):
            open_projections(path, "0:165")


def test_a_missing_package_names_the_extra(tmp_path, monkeypatch):
    from napari_histreg import optional

    def gone(name):
        raise ImportError(name)

    monkeypatch.setattr(optional.importlib, "import_module", gone)
    (tmp_path / "a.h5").write_bytes(b"x")
    from napari_histreg.projections.readers._hdf5 import open_hdf5

    with pytest.raises(MissingDependency, match=r"napari-histreg\[tomography\]"):
        open_hdf5(tmp_path / "a.h5")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
@pytest.mark.parametrize("name", ["p.tif", "p.h5", "p.mrc"])
def test_a_pipe_does_not_hang(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(ReadError, match="no regular file"):
        open_projections(tmp_path / name, "0:165")


def test_what_is_no_series(tmp_path):
    with pytest.raises(DamagedFile, match="There is no file"):
        open_projections(tmp_path / "none.tif", "0:165")
    with pytest.raises(ReadError, match="holds no TIFF files"):
        open_projections(tmp_path, "0:165")
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(UnsupportedFormat, match="cannot be read as projections"):
        open_projections(tmp_path / "a.png", "0:165")
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((20, 20, 3), np.uint8), photometric="rgb")
    with pytest.raises(ReadError, match="grey frames"):
        open_projections(tmp_path / "rgb.tif", "0:165")
    with pytest.raises(ReadError, match="no series of projections"):
        open_projections(np.zeros((2, 20, 20)), [0, 1])
    with pytest.raises(ReadError, match="must be"):
        open_projections(np.zeros((20, 20)), [0, 1])
    (tmp_path / "empty.tif").write_bytes(b"")
    with pytest.raises(DamagedFile, match="empty"):
        open_projections(tmp_path / "empty.tif", "0:165")
