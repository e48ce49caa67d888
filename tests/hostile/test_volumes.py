"""Volumes from anywhere: SimpleITK reads the same numbers, and what is broken ends in one sentence."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from napari_histreg.errors import HistregError
from napari_histreg.volumes import open_volume
from volumes.dicom_files import write_slice

pydicom = pytest.importorskip("pydicom")
from pydicom.datadict import dictionary_VR, tag_for_keyword  # noqa: E402

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
SLOW = {"SC_rgb_jpeg.dcm"}  # takes SimpleITK seven seconds
EDITS = {
    "Rows": (0, 1, 65535),
    "Columns": (0, 65535),
    "BitsAllocated": (0, 1, 7, 64),
    "BitsStored": (0, 17, 40),
    "HighBit": (0, 40),
    "SamplesPerPixel": (0, 2, 3, 4),
    "PixelSpacing": (["0", "0"], ["-1", "1"], ["nan", "1"], ["1e30", "1"], ["1"], ["a", "b"]),
    "RescaleSlope": ("0", "nan", "1e300", "x", ""),
    "RescaleIntercept": ("inf", "x"),
    "ImageOrientationPatient": (["0"] * 6, ["1", "0", "0", "1", "0", "0"], ["nan"] * 6, ["1", "0", "0"]),
    "ImagePositionPatient": (["nan"] * 3, ["1"], ["1e300"] * 3),
    "NumberOfFrames": ("0", "-3", "9999999", "x"),
    "PhotometricInterpretation": ("", "FOO", "RGB", "PALETTE COLOR", "YBR_FULL"),
    "PixelRepresentation": (5,),
    "SOPClassUID": ("1.2.3",),
}


def opened(path):
    """Open what can be opened; None where one sentence says why not. Anything else is an error of ours."""
    try:
        volume = open_volume(path)
    except HistregError as error:
        said = str(error)
        assert len(said.splitlines()) == 1
        assert said.endswith(".")
        return None
    assert np.isfinite(volume.index_to_patient).all()
    assert min(volume.spacing_mm) > 0
    return volume


def test_simpleitk_reads_the_same_numbers_from_all_of_pydicoms_files():
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    alike = refused = 0
    for path in sorted(path for path in FILES.rglob("*") if path.is_file() and path.name not in SLOW):
        volume = opened(path)
        if volume is None:
            refused += 1
        elif not path.name.startswith("DICOMDIR"):
            expected = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
            assert volume.pixels.size == expected.size, path.name
            assert np.allclose(volume.pixels, expected.reshape(volume.pixels.shape)), path.name
            alike += 1
    assert alike > 70
    assert refused > 0


@pytest.mark.parametrize("name", EDITS)
def test_headers_that_contradict_themselves_end_in_a_sentence(tmp_path, name):
    plane = np.random.default_rng(0).integers(-900, 900, (20, 30), np.int16)
    base = write_slice(tmp_path / "base.dcm", plane)
    for k, value in enumerate((*EDITS[name], None)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = pydicom.dcmread(base)
            path = tmp_path / f"{name}{k}.dcm"
            try:
                tag, kind = tag_for_keyword(name), dictionary_VR(name)
                if name in data:
                    del data[name]
                if value is not None:
                    data[tag] = pydicom.DataElement(tag, kind, value, validation_mode=0)
                data.save_as(path)
            except (ValueError, TypeError, AttributeError):
                continue  # not even pydicom can write that
        opened(path)


@pytest.mark.parametrize("name", ["MR_small.dcm", "SC_rgb_small_odd.dcm", "MR_small_jpeg_ls_lossless.dcm"])
def test_bytes_that_were_hit_end_in_a_sentence(tmp_path, name):
    rng = np.random.default_rng(1)
    whole = (FILES / name).read_bytes()
    for k in range(15):
        hit = bytearray(whole)
        for _ in range(rng.integers(1, 8)):
            hit[rng.integers(132, min(len(hit), 3000))] = rng.integers(0, 256)
        path = tmp_path / f"{k}.dcm"
        path.write_bytes(hit[: rng.integers(140, len(hit))] if k % 5 == 0 else hit)
        opened(path)
