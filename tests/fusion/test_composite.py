import numpy as np
import pytest

from napari_histreg.fusion import brightfield_composite
from napari_histreg.slides import open_slide


def glowing():
    pixels = np.zeros((3, 64, 64), np.uint16)
    pixels[0, 8:24, 8:24] = 900
    pixels[1, 40:56, 40:56] = 500
    pixels[2, 8:24, 40:56] = 700
    return open_slide(pixels, channel_names=["DAPI", "AF", "CD3"])


def test_dark_is_white_glass_and_dyes_have_their_colours():
    shown = brightfield_composite(glowing(), {"DAPI": (0.2, 0.2, 0.6), "CD3": (0.6, 0.3, 0.1)})
    assert shown.is_rgb
    pixels = shown.read_level(0)
    assert pixels[:, 0, 0].tolist() == [255, 255, 255]
    assert pixels[:, 16, 16].tolist() == [51, 51, 153]
    # 0.3 and 0.1 of 255 lie half-way between two grey levels.
    assert np.abs(pixels[:, 16, 48] - [153, 76.5, 25.5]).max() <= 0.5
    assert pixels[:, 48, 48].tolist() == [255, 255, 255], "a channel that is not named is not shown"


def test_two_dyes_at_one_place_absorb_one_after_the_other():
    both = np.zeros((2, 32, 32), np.uint16)
    both[:, 8:20, 8:20] = 100
    pixels = brightfield_composite(open_slide(both), {0: (0.5, 1, 1), 1: (0.5, 0.5, 1)}).read_level(0)
    assert np.abs(pixels[:, 12, 12].astype(int) - [64, 128, 255]).max() <= 1


@pytest.mark.parametrize("colours", [{}, {0: (2, 0, 0)}, {0: (0.5, 0.5)}, {"CD99": (0, 0, 0)}])
def test_wishes_that_cannot_be_met_are_named(colours):
    with pytest.raises(ValueError, match=r"channel|Colours|inhomogeneous"):
        brightfield_composite(glowing(), colours)
