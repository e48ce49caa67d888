"""Pixel sizes that contradict what the pixels show are named, and those that do not are not."""

from dataclasses import replace

import numpy as np
import pytest

from napari_histreg.records.record import Outcome
from napari_histreg.registration import register
from napari_histreg.registration.scale_remark import scale_remark
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Affine

SLIDE = open_slide(np.ones((40, 50)), pixel_size_um=0.5)


def turned(scale, mirror=1.0):
    c, s = np.cos(0.7), np.sin(0.7)
    return Affine(
        np.array([[scale * c, -scale * s, 3.0], [mirror * scale * s, mirror * scale * c, -80.0], [0, 0, 1]])
    )


@pytest.mark.parametrize("scale", [1 / 16, 0.8, 1.2, 4.0])
@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_another_scale_is_named_whatever_the_turn(scale, mirror):
    said = scale_remark(Outcome(turned(scale, mirror), "accepted"), SLIDE, SLIDE)
    assert f"{scale:.3g} times" in said


@pytest.mark.parametrize("scale", [0.9, 1.0, 1.1])
def test_what_sections_shrink_by_is_no_contradiction(scale):
    assert scale_remark(Outcome(turned(scale), "doubtful"), SLIDE, SLIDE) is None


def test_nothing_is_said_of_a_guess_or_without_pixel_sizes():
    unknown = open_slide(np.ones((40, 50)))
    assert scale_remark(Outcome(turned(4.0), "refused"), SLIDE, SLIDE) is None
    assert scale_remark(Outcome(None, "refused"), SLIDE, SLIDE) is None
    assert scale_remark(Outcome(turned(4.0), "accepted"), SLIDE, unknown) is None
    assert scale_remark(Outcome(turned(4.0), "accepted"), unknown, SLIDE) is None


def test_a_slide_whose_file_lies_about_its_pixels_is_aligned_and_said_to():
    pair = phantom_pair(512, seed=4)
    lying = replace(pair.moving, pixel_size_um=tuple(8 * size for size in pair.moving.pixel_size_um))
    result = register(pair.fixed, lying)
    assert result.verdict == "accepted"
    # The phantom itself is 3 % larger.
    assert result.reasons[-1].startswith("The slides fit at 8.2")
    assert "check the pixel sizes" in result.reasons[-1]
