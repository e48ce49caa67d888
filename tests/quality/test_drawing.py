import numpy as np
import pytest

from napari_histreg.quality.drawing import beside, caption, nice_length, scale_bar


@pytest.mark.parametrize(
    ("longest", "expected"), [(37, 20), (1.0, 1), (0.99, 0.5), (523, 500), (0.0031, 0.002)]
)
def test_lengths_of_scale_bars(longest, expected):
    assert nice_length(longest) == pytest.approx(expected)


def test_a_scale_bar_is_as_long_as_it_says():
    picture = scale_bar(np.zeros((200, 400, 3), np.uint8), 0.5, "um")
    # 22 % of 400 px at 0.5 µm is 44 µm: the bar says 20 µm, 40 px
    row = picture[200 - 12]
    assert int((row[:, 0] == 255).sum()) in (40, 41)
    before = np.zeros((40, 40, 3), np.uint8)
    np.testing.assert_array_equal(scale_bar(before, 1, "px"), before)


def test_captions_of_any_length_fit():
    picture = caption(np.zeros((10, 100, 3), np.uint8), "a very long name of a slide " * 9)
    assert picture.shape[1] == 100
    assert caption(picture, "").shape[0] > picture.shape[0]


def test_a_micrometre_has_its_sign():
    blank = np.zeros((200, 400, 3), np.uint8)
    assert (caption(blank, "5 µm") != caption(blank, "5 um")).any()
    assert (caption(blank, "5 µm") != caption(blank, "5 \N{WHITE SQUARE}m")).any()


def test_pictures_beside_one_another_keep_their_pixels():
    left, right = np.full((4, 5, 3), 200, np.uint8), np.full((6, 3, 3), 100, np.uint8)
    both = beside([left, right], gap=2)
    assert (both[:4, :5] == 200).all()
    assert (both[:, 7:] == 100).all()
    with pytest.raises(ValueError, match="no pictures"):
        beside([])


def test_inputs_are_not_changed():
    source = np.zeros((100, 100, 3), np.uint8)
    scale_bar(source, 1, "um")
    caption(source, "words")
    assert not source.any()
