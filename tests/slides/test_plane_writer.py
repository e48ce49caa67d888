"""One plane as PNG, NIfTI or DICOM comes back with its values and its size, and names no patient."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PIL import Image

from napari_histreg.errors import MissingPixelSize, WriteError
from napari_histreg.slides import open_slide, write_slide

RNG = np.random.default_rng(4)
GREY = RNG.integers(0, 255, (40, 30)).astype(np.uint8)
DEEP = RNG.integers(0, 60000, (40, 30)).astype(np.uint16)
COLOURS = RNG.integers(0, 255, (40, 30, 3)).astype(np.uint8)


@pytest.mark.parametrize("ending", [".png", ".dcm", ".nii.gz"])
@pytest.mark.parametrize("pixels", [GREY, DEEP, COLOURS], ids=["grey", "16 bit", "colours"])
def test_values_come_back(tmp_path, ending, pixels):
    if ending == ".nii.gz" and pixels.ndim == 3:
        with pytest.raises(WriteError, match="holds one channel"):
            write_slide(open_slide(pixels, pixel_size_um=(800, 500)), tmp_path / "plane.nii.gz")
        return
    path = tmp_path / f"plane{ending}"
    write_slide(open_slide(pixels, pixel_size_um=(800, 500)), path)
    image = Image.open(path) if ending == ".png" else sitk.ReadImage(str(path))
    found = np.asarray(image) if ending == ".png" else sitk.GetArrayFromImage(image).reshape(pixels.shape)
    assert np.array_equal(found, pixels)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with open_slide(path) as again:
        assert again.shape == (40, 30)


def test_a_secondary_capture_has_its_spacing_and_no_patient(tmp_path):
    write_slide(open_slide(DEEP, pixel_size_um=(800, 500)), tmp_path / "a.dcm")
    header = pydicom.dcmread(tmp_path / "a.dcm")
    assert header.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    assert [float(v) for v in header.PixelSpacing] == pytest.approx([0.8, 0.5])
    assert header.Modality == "OT"
    assert not header.get("PatientName")
    assert not header.get("PatientID")
    assert np.array_equal(header.pixel_array, DEEP)


def test_nifti_has_millimetres_and_wants_them(tmp_path):
    write_slide(open_slide(GREY, pixel_size_um=(800, 500)), tmp_path / "a.nii.gz")
    assert sitk.ReadImage(str(tmp_path / "a.nii.gz")).GetSpacing()[:2] == pytest.approx((0.5, 0.8))
    with pytest.raises(MissingPixelSize, match="NIfTI wants millimetres"):
        write_slide(open_slide(GREY), tmp_path / "b.nii.gz")


@pytest.mark.parametrize(
    ("pixels", "words"),
    [(np.zeros((3, 40, 30), np.uint16), "3 channels"), (np.zeros((40, 30), np.float32), "float32")],
)
def test_what_does_not_fit_is_named(tmp_path, pixels, words):
    with pytest.raises(WriteError, match=words):
        write_slide(open_slide(pixels), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
