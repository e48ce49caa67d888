import hashlib

import numpy as np
import pytest

from napari_histreg.errors import WriteError
from napari_histreg.preprocess import guess_modality, prepare_pair
from napari_histreg.samples import demo_pair
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Translation, resample


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return demo_pair(tmp_path_factory.mktemp("demo"))


def test_the_slides_are_what_they_say(pair):
    with open_slide(pair.fixed) as fixed, open_slide(pair.moving) as moving:
        assert (fixed.shape, fixed.is_rgb, fixed.dtype) == ((512, 512), True, np.uint8)
        assert fixed.pixel_size_um == (0.5, 0.5)
        assert [c.name for c in moving.channels] == ["DAPI", "DAB", "Autofluorescence"]
        assert all(c.colour is not None for c in moving.channels)
        assert (moving.dtype, moving.is_rgb) == (np.uint16, False)
        assert moving.pixel_size_um == pytest.approx((0.4, 0.4))
        assert guess_modality(fixed.read_level(0)) == "brightfield"
        assert guess_modality(moving.read_level(0)) == "fluorescence"


def test_the_truth_is_true(pair):
    with open_slide(pair.fixed) as first, open_slide(pair.moving) as second:
        fixed, moving = prepare_pair(first, second)

    def likeness(shift):
        seen = resample(moving, pair.fixed_to_moving.then(Translation.of(shift)), fixed)
        return np.corrcoef(fixed.pixels[seen.mask], seen.pixels[seen.mask])[0, 1]

    best = likeness((0, 0))
    assert best > 0.8
    # half a pixel to any side is worse: the truth is right to less than that
    for shift in ((0.25, 0), (-0.25, 0), (0, 0.25), (0, -0.25)):
        assert likeness(shift) < best


def test_the_pair_needs_a_mirror_a_turn_and_a_scale(pair):
    truth = pair.fixed_to_moving
    assert truth.mirrored
    assert abs(truth.angle_deg) > 30
    assert truth.scale != 1
    marks = pair.landmarks()
    assert len(marks) == 49
    np.testing.assert_allclose(truth(marks.fixed), marks.moving)


def test_writing_twice_gives_the_same_files(pair, tmp_path):
    again = demo_pair(tmp_path)
    for a, b in ((pair.fixed, again.fixed), (pair.moving, again.moving)):
        assert hashlib.sha256(a.read_bytes()).digest() == hashlib.sha256(b.read_bytes()).digest()
    assert sorted(p.name for p in tmp_path.iterdir()) == [again.moving.name, again.fixed.name]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WriteError, match="nowhere"):
        demo_pair(tmp_path / "nowhere")
