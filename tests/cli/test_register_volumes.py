"""``histreg register --volume``: what is asked for wrongly is told in a sentence before anything is done."""

import pytest

from napari_histreg.volumes import write_volume
from volumes.bodies import bent_pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    place = tmp_path_factory.mktemp("volumes")
    mr, ct, *_ = bent_pair(0.0, shape=(18, 18, 17), spacing=11.0)
    return write_volume(mr, place / "mr.nii.gz"), write_volume(ct, place / "ct.nii.gz")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("transform=elastic",), "bent after that"),
        (("grid_spacing_mm=20",), "grid_spacing_mm is of a bend; give -p transform=bspline with it."),
        (("transform=bspline", "grid_spacing_mm=wide"), "grid_spacing_mm is a number, not 'wide'"),
        (("transform=bspline", "grid_spacing_mm=0"), "grid_spacing_mm is a distance above 0 mm, not 0."),
        (("transform=bspline", "bending=-1"), "bending is a weight from 0"),
        (("transform=bspline", "iterations=0"), "iterations is a number from 1"),
        (("seed=1.5",), "seed is a whole number"),
        (("grid_spacing_px=4",), "grid_spacing_mm, bending, iterations"),
    ],
)
def test_a_wrong_wish_is_told_in_a_sentence(histreg, pair, tmp_path, given, told):
    wishes = [word for wish in given for word in ("-p", wish)]
    ended = histreg("register", *pair, "--method", "mi", "--volume", *wishes, "-o", tmp_path / "out")
    assert ended.code in (1, 2)
    assert told in ended.err.replace("\n", " ")
    assert "Traceback" not in ended.err
    assert not (tmp_path / "out").exists()
