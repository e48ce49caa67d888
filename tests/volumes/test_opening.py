"""Volumes are read as pydicom and the written numbers say, or refused in one sentence."""

import gzip
import re
import struct
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from napari_histreg.errors import DamagedFile, HistregError, ReadError, UnsupportedFormat, WriteError
from napari_histreg.volumes import Volume, list_series, open_volume, write_volume
from napari_histreg.volumes.itk_files import refuse_too_large
from volumes.dicom_files import PATIENT, write_series, write_slice

pydicom = pytest.importorskip("pydicom")
FILES = Path(pydicom.__file__).parent / "data" / "test_files"
# SimpleITK cannot read single-frame doses, and takes the others for other numbers without a word.
MISREAD = ("SC_rgb_rle_16bit", "SC_rgb_rle_32bit", "rtdose_1frame", "rtdose_rle_1", "rtdose_expb")
WITHOUT_PICTURE = {"rtstruct", "rtplan", "rtplan_truncated", "reportsi", "test-SR", "waveform_ecg"}


def stack(shape=(5, 20, 30), seed=0):
    return np.random.default_rng(seed).integers(-900, 2000, shape, np.int16)


def oracle(path):
    """Pixels as pydicom understands them, with what its own decoders cannot do left out."""
    from pydicom.pixels import apply_color_lut, apply_modality_lut, convert_color_space

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pydicom.dcmread(path, force=True)
        raw = pydicom.pixels.pixel_array(path, raw=True)
        kind = data.PhotometricInterpretation
        if kind == "PALETTE COLOR":
            return apply_color_lut(raw, data) >> 8
        if kind.startswith("YBR"):
            return convert_color_space(raw, kind, "RGB")
        return apply_modality_lut(raw, data)


def decodable():
    found = []
    for path in sorted(FILES.glob("*.dcm")):
        if path.name == "SC_rgb_jpeg.dcm":  # takes SimpleITK seven seconds
            continue
        try:
            expected = oracle(path)
        except Exception:  # noqa: BLE001 - pydicom raises anything where a plug-in is missing
            continue
        if pydicom.dcmread(path, force=True).get("Modality") != "SEG":  # bits: 0 and 255 in SimpleITK
            found.append(pytest.param(path, expected, id=path.name))
    return found


class _OneSentence(Exception):
    """The refusal was as it should be."""


@contextmanager
def one_sentence(name):
    try:
        yield
    except HistregError as error:
        said = str(error)
    else:
        return
    assert name in said
    assert len(said.splitlines()) == 1
    raise _OneSentence


DECODABLE = decodable()


@pytest.mark.parametrize(("path", "expected"), DECODABLE)
def test_pydicoms_own_files_are_read_as_pydicom_reads_them_or_refused(path, expected):
    if path.name.startswith(MISREAD):
        with pytest.raises(UnsupportedFormat, match=re.escape(path.name)):
            open_volume(path)
        return
    volume = open_volume(path)
    expected = np.asarray(expected, float).reshape(volume.pixels.shape)
    assert np.abs(volume.pixels.astype(float) - expected).max() <= 1e-3 * max(np.ptp(expected), 1)
    data = pydicom.dcmread(path, force=True)
    if "PixelSpacing" in data:
        assert volume.spacing_mm[1:] == pytest.approx([float(v) for v in data.PixelSpacing], rel=1e-5)
    else:
        assert not volume.is_scaled


@pytest.mark.parametrize(
    "path",
    sorted({*FILES.glob("*.dcm")} - {FILES / "SC_rgb_jpeg.dcm"} - {case.values[0] for case in DECODABLE}),
    ids=lambda path: path.name,
)
def test_every_file_gives_a_volume_or_one_sentence(path):
    with suppress(_OneSentence), one_sentence(path.name):
        assert open_volume(path).pixels.size
        assert path.stem not in WITHOUT_PICTURE


def test_dark_and_bright_are_exchanged_where_the_file_says_so():
    path = FILES / "dicomdirtests" / "77654033" / "CR1" / "6154"
    pixels = open_volume(path).pixels[0]
    assert np.corrcoef(pixels.ravel(), oracle(path).ravel())[0, 1] == pytest.approx(-1)


def test_a_series_is_put_in_order_and_in_its_place(tmp_path):
    pixels = stack()
    heights = [7.0, 9.5, 12.0, 14.5, 17.0]
    uid = write_series(tmp_path / "ct", pixels, heights=heights, slope=2.0, intercept=-1024.0)
    volume = open_volume(tmp_path / "ct")
    assert np.array_equal(volume.pixels, pixels.astype(int) * 2 - 1024)
    assert volume.spacing_mm == pytest.approx((2.5, 0.5, 0.75))
    assert volume.to_patient([[0, 0, 0], [4, 2, 2]]) == pytest.approx(
        np.array([[7.0, -20, -10], [17, -19, -8.5]])
    )
    assert (volume.modality, volume.series, volume.uneven) == ("CT", uid, "")


def test_a_missing_plane_is_named_and_rules_out_three_dimensions(tmp_path):
    write_series(tmp_path, stack(), heights=[0.0, 2.5, 5.0, 10.0, 12.5])
    volume = open_volume(tmp_path)
    assert "between 5 and 10 mm" in volume.uneven
    with pytest.raises(ReadError, match="planes may be missing"):
        volume.require_even("registering it")


def test_gaps_in_a_real_series_are_seen():
    folder = FILES / "dicomdirtests" / "77654033" / "CT2"
    assert "not evenly spaced" in open_volume(folder).uneven
    even = open_volume(FILES / "dicomdirtests" / "98892001" / "CT5N")
    assert (even.shape, even.uneven) == ((5, 16, 16), "")
    assert even.spacing_mm[0] == pytest.approx(2.5)


def test_a_dicomdir_stands_for_its_folder():
    found = list_series(FILES / "dicomdirtests" / "DICOMDIR")
    assert max(s.shape[0] for s in found) == open_volume(FILES / "dicomdirtests" / "DICOMDIR").shape[0]
    assert {s.modality for s in found} >= {"CT", "MR", "CR"}


def test_several_series_of_a_folder_are_told_apart(tmp_path):
    write_series(tmp_path, stack((3, 8, 8)), heights=[0, 1, 2], number=4)
    other = write_series(tmp_path / "deep", stack((6, 8, 8), 1), heights=range(6), number=5)
    assert open_volume(tmp_path).series == other
    assert open_volume(tmp_path, series=4).shape == (3, 8, 8)
    assert open_volume(tmp_path, series=other).shape == (6, 8, 8)
    with pytest.raises(ValueError, match="no series '9'"):
        open_volume(tmp_path, series="9")


def test_moments_in_time_at_the_same_place(tmp_path):
    pixels = stack((6, 8, 8))
    series = write_series(tmp_path, pixels[:3], heights=[0, 1, 2], shuffled=False)
    for k in range(3):
        write_slice(
            tmp_path / f"later{k}.dcm", pixels[3 + k], position=(-10, -20, k), series=series, instance=10 + k
        )
    assert np.array_equal(open_volume(tmp_path).pixels, pixels[:3])
    assert np.array_equal(open_volume(tmp_path, t=1).pixels, pixels[3:])
    with pytest.raises(ValueError, match="2 time points"):
        open_volume(tmp_path, t=2)


def test_an_unknown_pixel_size_stays_unknown(tmp_path):
    write_slice(tmp_path / "a.dcm", stack()[0], spacing=None, position=None)
    volume = open_volume(tmp_path / "a.dcm")
    assert not volume.is_scaled


def test_a_tilted_gantry_is_said(tmp_path):
    series = pydicom.uid.generate_uid()
    for k in range(4):
        write_slice(
            tmp_path / f"{k}.dcm", stack()[k], position=(0, 2.0 * k, 4.0 * k), series=series, instance=k
        )
    assert "aslant" in open_volume(tmp_path).uneven


def nifti(
    path, data, *, code=0, matrix=((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)), units=2, pixdim=(1, 1, 1)
):
    """Write NIfTI-1 by hand; `data` is (X, Y, Z) or (X, Y, Z, T) as the format counts."""
    head = bytearray(348)
    struct.pack_into("<i", head, 0, 348)
    shape = [data.ndim, *data.shape]
    struct.pack_into("<8h", head, 40, *shape, *[1] * (8 - len(shape)))
    struct.pack_into("<2h", head, 70, {"int16": 4, "float32": 16}[data.dtype.name], 8 * data.itemsize)
    struct.pack_into("<8f", head, 76, 1, *pixdim, *[1] * (7 - len(pixdim)))
    struct.pack_into("<3f", head, 108, 352, 1, 0)
    head[123] = units
    head[148:168] = PATIENT.encode().ljust(20, b"\0")
    struct.pack_into("<2h", head, 252, 0, code)
    struct.pack_into("<12f", head, 280, *np.ravel(matrix[:3]))
    head[344:348] = b"n+1\0"
    payload = bytes(head) + b"\0" * 4 + data.tobytes(order="F")
    path.write_bytes(gzip.compress(payload) if path.suffix == ".gz" else payload)
    return path


def test_nifti_lies_where_its_sform_says(tmp_path):
    data = stack((7, 8, 9))
    turn = np.array([[0, -2.0, 0, 5], [3.0, 0, 0, 6], [0, 0, 4.0, 7], [0, 0, 0, 1]])  # RAS, from (i, j, k)
    volume = open_volume(nifti(tmp_path / "a.nii.gz", data, code=1, matrix=turn))
    assert np.array_equal(volume.pixels, data.T)
    right, front, head = (turn @ [1, 2, 3, 1])[:3]
    assert volume.to_patient([[3, 2, 1]])[0] == pytest.approx([head, -front, -right])


def test_nifti_in_micrometres_and_with_time(tmp_path):
    data = np.stack([stack((5, 6, 7)), stack((5, 6, 7), 1)], -1)
    path = nifti(tmp_path / "a.nii", data, units=3, pixdim=(500, 250, 1000))
    assert open_volume(path).spacing_mm == pytest.approx((1.0, 0.25, 0.5))
    assert np.array_equal(open_volume(path, t=1).pixels, data[..., 1].T)
    with pytest.raises(ValueError, match="2 time points"):
        open_volume(path, t=5)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_what_is_written_comes_back(tmp_path, suffix):
    turn = np.eye(4)
    turn[:3, :3] = np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]]) * [4.0, 1.25, 0.5]
    turn[:3, 3] = [10, -20, 30]
    volume = Volume("a", stack(), turn)
    again = open_volume(write_volume(volume, tmp_path / f"b{suffix}"))
    assert np.array_equal(again.pixels, volume.pixels)
    assert again.index_to_patient == pytest.approx(turn, abs=1e-4)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("count", [1, 3])
def test_colours_are_written_and_come_back(tmp_path, suffix, count):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 8, 9, 3)).astype(np.uint8)
    place = np.diag([5.0, 2.0, 1.5, 1.0])
    place[:3, 3] = [0, 6, 7]
    again = open_volume(write_volume(Volume("a", pixels, place), tmp_path / f"b{suffix}"))
    assert np.array_equal(again.pixels, pixels)
    assert again.index_to_patient[:, 1:] == pytest.approx(place[:, 1:])


def test_masks_are_written_and_what_is_no_number_is_refused(tmp_path):
    mask = np.random.default_rng(0).random((3, 4, 5)) > 0.5
    assert np.array_equal(
        open_volume(write_volume(Volume("m", mask, np.eye(4)), tmp_path / "m.nii")).pixels, mask
    )
    waves = Volume("w", np.ones((3, 4, 5), complex), np.eye(4))
    with pytest.raises(WriteError, match="complex128"):
        write_volume(waves, tmp_path / "w.nii")
    assert not (tmp_path / "w.nii").exists()


def test_no_patient_is_carried_on(tmp_path):
    write_slice(tmp_path / "a.dcm", stack()[0])
    write_series(tmp_path / "s", stack(), heights=range(5))
    for source in (tmp_path / "a.dcm", tmp_path / "s", nifti(tmp_path / "n.nii", stack((4, 4, 4)))):
        volume = open_volume(source)
        assert "Secret" not in repr({**vars(volume), "pixels": None})
        for suffix in (".nii", ".nrrd", ".mha"):
            written = write_volume(volume, tmp_path / f"out{suffix}").read_bytes()
            assert b"ecret" not in written
            assert b"edwig" not in written


def damaged(folder):
    whole = nifti(folder / "whole.nii", stack((20, 20, 20))).read_bytes()
    zipped = gzip.compress(whole)
    slice_ = write_slice(folder / "whole.dcm", stack()[0]).read_bytes()
    huge = bytearray(whole)
    struct.pack_into("<8h", huge, 40, 3, 32767, 32767, 32767, 1, 1, 1, 1)
    flat = bytearray(whole)
    struct.pack_into("<2h", flat, 252, 0, 1)
    struct.pack_into("<12f", flat, 280, *[0.0] * 12)
    nan = bytearray(whole)
    struct.pack_into("<2h", nan, 252, 0, 1)
    struct.pack_into("<12f", nan, 280, *[float("nan")] * 12)
    raw = b"NRRD0004\ntype: short\ndimension: 3\nsizes: 4 4 4\nencoding: raw\ndata file: "
    meta = b"ObjectType = Image\nNDims = 3\nDimSize = 4 4 4\nElementType = MET_SHORT\nElementDataFile = "
    return {
        "cut.nii": whole[:2000],
        "cut.nii.gz": zipped[: len(zipped) // 2],
        "header.nii": whole[:352],
        "huge.nii": bytes(huge),
        "nan.nii": bytes(nan),
        "cut.dcm": slice_[: len(slice_) // 2],
        "mark.dcm": slice_[:132],
        "text.dcm": b"no picture at all",
        "empty.nii": b"",
        "elsewhere.nhdr": raw + b"/etc/passwd\n\n",
        "above.nrrd": raw + b"../whole.nii\n\n",
        "many.mhd": meta + b"LIST\n",
        "pattern.mhd": meta + b"x%03d.raw 0 3 1\n",
        "gone.mhd": meta + b"gone.raw\n",
        "short.mha": meta + b"LOCAL\n" + b"\0" * 7,
        "short.nrrd": raw.replace(b"data file: ", b"\n") + b"\0" * 7,
    }


DAMAGED = (
    "cut.nii", "cut.nii.gz", "header.nii", "huge.nii", "nan.nii", "cut.dcm", "mark.dcm", "text.dcm",
    "empty.nii", "elsewhere.nhdr", "above.nrrd", "many.mhd", "pattern.mhd", "gone.mhd", "short.mha",
    "short.nrrd",
)  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_refused_in_one_sentence(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(damaged(tmp_path)[name])
    with pytest.raises(_OneSentence), one_sentence(name):
        open_volume(path)


def test_what_is_no_volume_is_said(tmp_path):
    with pytest.raises(DamagedFile, match="no file"):
        open_volume(tmp_path / "nothing.nii")
    with pytest.raises(UnsupportedFormat, match="no volume"):
        open_volume(tmp_path)
    with pytest.raises(UnsupportedFormat, match="GB"):
        refuse_too_large("a.nii", (4000, 4000, 4000))
