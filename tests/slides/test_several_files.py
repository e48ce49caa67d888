import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_histreg.errors import DamagedFile
from napari_histreg.geometry import Region
from napari_histreg.records.record import SlideRecord
from napari_histreg.records.reopening import reopen
from napari_histreg.records.schema import SlidePart
from napari_histreg.slides import open_slide
from napari_histreg.slides.several_files import channel_names

RNG = np.random.default_rng(0)
PLANES = RNG.integers(0, 4000, (3, 60, 80)).astype(np.uint16)
NAMES = ("c1_DAPI.tif", "c2_CD3.tif", "c10_CD8.tif")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "imc").mkdir()
    for name, plane in zip(NAMES, PLANES, strict=True):
        tifffile.imwrite(tmp_path / "imc" / name, plane)
    return tmp_path / "imc"


def test_a_list_of_files_is_one_slide(folder):
    with open_slide([folder / name for name in NAMES], pixel_size_um=0.5) as slide:
        assert [c.name for c in slide.channels] == ["c1_DAPI", "c2_CD3", "c10_CD8"]
        assert slide.pixel_size_um == (0.5, 0.5)
        assert np.array_equal(slide.read_level(0), PLANES)
        assert np.array_equal(slide.read(0, Region(5, 6, 20, 30), [2, 0]), PLANES[[2, 0], 5:25, 6:36])


def test_a_pattern_sorts_as_people_do(folder):
    with open_slide(str(folder / "*.tif")) as slide:
        assert np.array_equal(slide.read_level(0), PLANES)
    with pytest.raises(DamagedFile, match=r"No file fits .*\*\.png"):
        open_slide(str(folder / "*.png"))


def test_it_is_found_again_by_its_record(folder):
    with open_slide(str(folder / "*.tif")) as slide:
        record = SlideRecord.of(slide)
    again = SlidePart.of(record, folder.parent).to_record(folder.parent)
    with reopen(again, None, "fixed slide") as slide:
        assert np.array_equal(slide.read_level(0), PLANES)
    moved = folder.rename(folder.parent / "elsewhere")
    with pytest.raises(DamagedFile, match="not there any more"):
        reopen(record, None, "fixed slide")
    moved.rename(folder)


def test_channels_are_named_by_what_differs():
    assert channel_names(["run 5 DAPI (1).tif", "run 5 CD3 (1).tif"]) == ["DAPI", "CD3"]
    assert channel_names(["DAPI.ome.tif", "DAPI_2.ome.tif"]) == ["DAPI", "DAPI_2"]


def test_a_file_with_several_channels_keeps_their_names(folder, tmp_path):
    Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(tmp_path / "he.png")
    with open_slide([folder / NAMES[0], tmp_path / "he.png"]) as slide:
        assert [c.name for c in slide.channels] == ["c1_DAPI", "he red", "he green", "he blue"]
        assert not slide.is_rgb


def test_files_that_do_not_belong_together_are_refused(folder):
    tifffile.imwrite(folder / "small.tif", PLANES[0, :50])
    with pytest.raises(DamagedFile, match=r"small\.tif has 80 x 50 pixels and c1_DAPI\.tif 80 x 60"):
        open_slide([folder / NAMES[0], folder / "small.tif"])
    for name, size in (("a.ome.tif", 0.5), ("b.ome.tif", 0.25)):
        metadata = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size}
        tifffile.imwrite(folder / name, PLANES[0], metadata=metadata)
    with pytest.raises(DamagedFile, match=r"pixels of 0\.25 µm and a\.ome\.tif of 0\.5 µm"):
        open_slide([folder / "a.ome.tif", folder / "b.ome.tif"])
    with open_slide([folder / "a.ome.tif", folder / "b.ome.tif"], pixel_size_um=0.5) as slide:
        assert len(slide.channels) == 2


def test_a_name_that_looks_like_a_pattern_is_one_file(tmp_path):
    tifffile.imwrite(tmp_path / "tile[1].tif", PLANES[0])
    with open_slide(tmp_path / "tile[1].tif") as slide:
        assert len(slide.channels) == 1
