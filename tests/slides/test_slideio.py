"""Zeiss and Olympus slides whose pixels are known, read by slideio."""

import os
import shutil

import numpy as np
import pytest

from napari_histreg.errors import DamagedFile, MissingDependency
from napari_histreg.geometry import Region
from napari_histreg.slides import open_slide, opening
from napari_histreg.slides.readers import _slideio_child
from slides.czi_files import write_czi
from slides.vsi_files import write_vsi

Y, X = np.mgrid[:300, :400]
GREY = (Y * 3 + X * 2).astype(np.uint16)
RED_LEFT = np.stack([np.where(X < 200, 200, 30), Y // 2, np.full_like(X, 90)], -1).astype(np.uint8)
PART = Region(100, 190, 20, 30)
CUT = np.s_[100:120, 190:220]


@pytest.fixture
def installed():
    pytest.importorskip("slideio", reason="needs the extra slideio")


@pytest.mark.usefixtures("installed")
def test_a_czi_with_focal_planes_and_channels(tmp_path):
    planes = {(z, c): GREY + 1000 * c + 7 * z for z in range(2) for c in range(2)}
    path = write_czi(tmp_path / "a.czi", planes, names=("DAPI", "CD3"))
    with open_slide(path) as slide, open_slide(path, z=1) as second:
        assert (slide.vendor, slide.shape, slide.dtype) == ("slideio", (300, 400), np.uint16)
        assert [channel.name for channel in slide.channels] == ["DAPI", "CD3"]
        assert slide.pixel_size_um == pytest.approx((0.25, 0.25))
        assert np.array_equal(slide.read(0, PART), [GREY[CUT], GREY[CUT] + 1000])
        assert np.array_equal(second.read(0, PART, [1])[0], GREY[CUT] + 1007)
        assert not slide.is_rgb
    for wrong, said in (({"z": 2}, "Z from 0 to 1"), ({"series": 1}, "series 0 to 0")):
        with pytest.raises(ValueError, match=said):
            open_slide(path, **wrong)


@pytest.mark.usefixtures("installed")
def test_colours_come_in_the_order_in_which_openslide_sees_them(tmp_path):
    stored = {(0, 0): RED_LEFT[..., ::-1]}
    ours = write_czi(tmp_path / "z.czi", stored, names=("BF",), pixel_type="Bgr24")
    theirs = write_czi(tmp_path / "flat.czi", stored, names=("BF",), pixel_type="Bgr24", with_z=False)
    with open_slide(ours) as one, open_slide(theirs) as other:
        assert (one.vendor, other.vendor) == ("slideio", "zeiss")
        assert one.is_rgb
        assert np.array_equal(one.read(0, PART), np.moveaxis(RED_LEFT[CUT], -1, 0))
        assert np.array_equal(one.read(0, PART), other.read(0, PART))


@pytest.mark.usefixtures("installed")
def test_a_vsi_is_read_at_all_its_levels(tmp_path):
    path = write_vsi(tmp_path / "grey.vsi", {"10x DAPI": GREY}, um=0.5)
    with open_slide(path) as slide:
        assert [level.shape for level in slide.levels] == [(300, 400), (150, 200), (75, 100)]
        assert slide.pixel_size_um == pytest.approx((0.5, 0.5))
        assert np.array_equal(slide.read(0, PART)[0], GREY[CUT])
        assert np.array_equal(slide.read(2, Region(3, 5, 70, 60))[0], GREY[::4, ::4][3:73, 5:65])


@pytest.mark.usefixtures("installed")
def test_a_vsi_shows_the_slide_and_not_what_lies_beside_it(tmp_path):
    images = {"Overview": RED_LEFT[:90, :100], "20x BF": RED_LEFT}
    path = write_vsi(tmp_path / "he.vsi", images, kinds={"Overview": 1})
    renamed = shutil.copy(path, tmp_path / "he.tif")
    for each in (path, renamed):
        with open_slide(each) as slide:
            assert (slide.shape, slide.is_rgb) == ((300, 400), True)
            found = slide.read(0, PART).astype(int)
            assert np.abs(found - np.moveaxis(RED_LEFT[CUT], -1, 0)).max() <= 8, "but for what JPEG loses"


@pytest.mark.parametrize("suffix", [".vsi", ".tif"])
def test_a_vsi_without_its_pixels_shows_nothing_else(tmp_path, suffix):
    path = write_vsi(tmp_path / "he.vsi", {"10x": GREY}).rename(tmp_path / f"he{suffix}")
    shutil.rmtree(tmp_path / "_he_")
    with pytest.raises(
        DamagedFile, match=r"folder _he_ beside it.* only label and overview\. Copy the folder"
    ):
        open_slide(path)
    folder = tmp_path / "_he_" / "stack1"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "frame_t.ets")
    with pytest.raises(DamagedFile, match="is a pipe, not a file"):
        open_slide(path)


@pytest.mark.usefixtures("installed")
def test_label_and_overview_alone_are_no_slide(tmp_path):
    path = write_vsi(tmp_path / "he.vsi", {"Macro image": GREY, "Label": GREY[:90, :90]})
    with pytest.raises(DamagedFile, match="only label and overview"):
        open_slide(path)


def test_without_slideio_healthy_slides_name_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "is_installed", lambda name: False)
    paths = [
        write_czi(tmp_path / "grey.czi", {(0, 0): GREY}, names=("DAPI",)),
        write_vsi(tmp_path / "he.vsi", {"10x": GREY}),
    ]
    for path in paths:
        with pytest.raises(MissingDependency, match=r'pip install "napari-histreg\[slideio\]"') as caught:
            open_slide(path)
        assert path.name in str(caught.value)
        assert "damaged" not in str(caught.value)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
def test_a_slide_that_is_cut_short_is_said(tmp_path, share):
    path = write_czi(tmp_path / "a.czi", {(0, 0): GREY, (0, 1): GREY}, names=("DAPI", "CD3"))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DamagedFile, match=r"a\.czi"), open_slide(path) as slide:
        slide.read(0, Region.whole(slide.shape))


@pytest.mark.usefixtures("installed")
def test_what_ends_slideio_does_not_end_us(tmp_path, monkeypatch):
    """Some damaged files end the process that reads them; it is not this one."""
    path = write_czi(tmp_path / "a.czi", {(0, 0): GREY}, names=("DAPI",))
    monkeypatch.setattr(_slideio_child, "__name__", "crashing")
    (tmp_path / "crashing.py").write_text("import os\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(DamagedFile, match=r"a\.czi cannot be read by slideio: it contradicts itself"):
        open_slide(path)
