from pathlib import Path

import pytest

from napari_histreg.errors import ReadError
from napari_histreg.groups.masks import match_masks


@pytest.fixture
def folder(tmp_path):
    def fill(*names):
        for name in names:
            (tmp_path / name).write_bytes(b"")
        return tmp_path

    return fill


@pytest.mark.parametrize(
    ("slides", "masks"),
    [
        (["a.tif", "b.ome.tif"], ["a.png", "b.gif"]),
        (["a.tif", "b.tif"], ["a_vessels.png", "b_vessels.png"]),
        (["eye1.tif", "eye1_left.tif", "eye10.tif"], ["eye1_v.png", "eye1_left_v.png", "eye10_v.png"]),
        (["01_test.tif", "02_test.tif"], ["01_manual1.gif", "02_manual1.gif"]),
        (["Image_01L.jpg", "Image_01R.jpg"], ["Image_01L_1stHO.png", "Image_01R_1stHO.png"]),
    ],
)
def test_masks_are_found_by_the_names_of_their_slides(folder, slides, masks):
    found = match_masks(slides, folder(*masks, "notes.txt", ".hidden.png"))
    assert [path.name for path in found] == masks
    assert [p.name for p in match_masks(slides[::-1], folder())] == masks[::-1]


def test_slides_in_the_same_folder_are_no_masks(folder):
    here = folder("a.tif", "b.tif", "a_vessels.tif", "b_vessels.tif")
    found = match_masks(["a.tif", "b.tif"], here, [here / "a.tif", here / "b.tif"])
    assert [path.name for path in found] == ["a_vessels.tif", "b_vessels.tif"]


@pytest.mark.parametrize(
    ("masks", "said"),
    [
        (["a.png"], r"no mask for b\.tif: it would be called b\.png"),
        (["a.png", "b.png", "b.gif"], r"several masks for b\.tif: b\.gif, b\.png"),
        (["a_1stHO.png", "a_2ndHO.png", "b_1stHO.png"], r"several masks for a\.tif: a_1stHO"),
        (["notes.txt"], "holds no masks"),
    ],
)
def test_what_is_missing_or_there_twice_is_named(folder, masks, said):
    with pytest.raises(ReadError, match=said) as error:
        match_masks(["a.tif", "b.tif"], folder(*masks))
    assert len(str(error.value).splitlines()) == 1


def test_a_folder_that_is_not_there_is_said():
    with pytest.raises(ReadError, match="is no folder"):
        match_masks(["a.tif"], Path("nowhere"))
