"""Planes of volumes as slides: spacing, addresses, records without a patient."""

import numpy as np
import pytest

from napari_histreg import open_slide, register
from napari_histreg.errors import ReadError, UnsupportedFormat
from napari_histreg.slides.address import PlaneChoice, file_of, parse_address
from napari_histreg.slides.fingerprint import fingerprint
from napari_histreg.volumes import Volume, open_volume, write_volume

pytest.importorskip("pydicom")
from volumes.dicom_files import WHOLE_SLIDE, write_series, write_slice


def stack(shape=(5, 40, 60), seed=0):
    return np.random.default_rng(seed).integers(-900, 2000, shape, np.int16)


def test_spacing_in_millimetres_becomes_a_pixel_size_in_micrometres(tmp_path):
    write_series(tmp_path / "ct", stack(), heights=np.arange(5) * 2.5)
    with open_slide(tmp_path / "ct", plane="axial", index=1) as slide:
        assert slide.pixel_size_um == (500.0, 750.0)
        assert np.array_equal(slide.read_level(0)[0], stack()[1])
        assert (slide.metadata["modality"], slide.metadata["count"]) == ("CT", 5)
    with open_slide(tmp_path / "ct", plane="coronal") as slide:
        assert slide.pixel_size_um == pytest.approx((2500.0, 750.0))


def test_an_address_opens_the_same_plane_again(tmp_path):
    write_series(tmp_path / "ct", stack(), heights=range(5))
    with open_slide(tmp_path / "ct", plane="sagittal", index=7) as slide:
        with open_slide(slide.path) as again:
            assert slide.path.endswith("ct#sagittal=7")
            assert again.path == slide.path
            assert fingerprint(again) == fingerprint(slide)
        with open_slide(slide.path, index=8) as other:
            assert other.path.endswith("#sagittal=8")


def test_a_window_cuts_values_off(tmp_path):
    path = write_volume(Volume("v", stack(), np.eye(4)), tmp_path / "v.nii.gz")
    with open_slide(f"{path}#axial=2,window=40:400") as slide:
        pixels = slide.read_level(0)
        assert np.array_equal(pixels[0], np.clip(stack()[2], -160, 240))


def test_beyond_a_windowed_plane_is_air_as_the_window_shows_it(tmp_path):
    """What lies beyond its edges is no darker than the window's own black, or it would stretch the greys."""
    air = np.pad(stack().astype(float), ((0, 0), (2, 2), (2, 2)), constant_values=-1000)
    path = write_volume(Volume("v", air.astype(np.int16), np.eye(4)), tmp_path / "v.nii.gz")
    for address, background in (("", -1000), (",window=40:400", -160), (",window=200:100", 150)):
        with open_slide(f"{path}#axial=2{address}") as slide:
            assert slide.background == background, address


def test_addresses():
    for choice in (
        PlaneChoice("axial", 3), PlaneChoice(index=2), PlaneChoice("coronal", 1, "1.2.3", 4, (40.0, 400.0)),
    ):  # fmt: skip
        assert parse_address(choice.of("a/b.nii.gz"))[1] == choice
    assert parse_address("well #3.svs") == (file_of("well #3.svs"), None)
    with pytest.raises(ValueError, match="index cannot be 'x'"):
        parse_address("ct#axial=x")
    with pytest.raises(ValueError, match="'depth' is none of"):
        parse_address("ct#axial=1,depth=2")


def test_a_plane_is_asked_of_volumes_only(tmp_path):
    from PIL import Image

    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png is no volume"):
        open_slide(tmp_path / "a.png", index=3)


def test_whole_slides_in_dicom_are_not_taken_for_volumes(tmp_path):
    path = write_slice(tmp_path / "a.dcm", stack(), sop_class=WHOLE_SLIDE, modality="SM")
    with pytest.raises(ReadError, match=r"a\.dcm"):  # OpenSlide says what is missing in it
        open_slide(path)
    with pytest.raises(UnsupportedFormat, match="whole slide in DICOM"):
        open_volume(path)


def test_no_patient_reaches_a_record_or_its_files(tmp_path):
    from napari_histreg.records.document import to_json
    from napari_histreg.slides import describe

    body = stack()
    write_series(tmp_path / "one", body, heights=range(5))
    write_series(tmp_path / "two", body, heights=range(5))
    with open_slide(tmp_path / "one") as fixed, open_slide(tmp_path / "two") as moving:
        result = register(fixed, moving, method="phase", must_find=False)
        told = to_json(result) + repr(describe(fixed)) + repr(fixed.metadata) + repr(fixed)
    assert "ecret" not in told
    assert "1933" not in told
