"""Labels carried along: the overlap before and after is that of masks known by construction."""

import numpy as np
import pytest

from napari_histreg import open_slide
from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.registration.label_evaluation import evaluate_labels
from napari_histreg.transforms import Translation

MASK = np.zeros((60, 80), np.uint8)
MASK[20:40, 30:50] = 255


def record(shift, pixel_size_um=None):
    slides = [
        SlideRecord.of(open_slide(MASK, pixel_size_um=pixel_size_um, name=name))
        for name in ("fixed", "moving")
    ]
    return Registration(*slides, Outcome(Translation.of(shift), "accepted", 1.0), method="by hand")


@pytest.mark.parametrize("pixel_size_um", [None, 0.5])
def test_overlap_before_and_after(pixel_size_um):
    shift = np.array([5, 10])
    world = shift * (pixel_size_um or 1)
    moving = open_slide(np.roll(MASK, shift, axis=(0, 1)))
    found = evaluate_labels(record(world, pixel_size_um), open_slide(MASK), moving)
    assert found.dice_before == pytest.approx(15 * 10 / 400)
    assert found.dice_after == 1.0


def test_labels_of_another_size_are_refused():
    with pytest.raises(ValueError, match="59 x 80 px and the slide moving is 60 x 80"):
        evaluate_labels(record((0, 0)), open_slide(MASK), open_slide(MASK[1:]))


def test_the_overlap_of_a_fundus_is_that_of_a_plain_count(shared):
    folder = shared / "data" / "fundus"
    if not folder.is_dir():
        pytest.skip("the development images beside the checkout are not here")
    from PIL import Image

    masks = [np.asarray(Image.open(folder / f"0{k}_manual1.gif").convert("L")) for k in (1, 2)]
    slides = [SlideRecord.of(open_slide(mask)) for mask in masks]
    made = Registration(*slides, Outcome(Translation.of((3, -2)), "accepted", 1.0), method="by hand")
    found = evaluate_labels(made, *[open_slide(mask) for mask in masks])
    still, moving = (mask > 0 for mask in masks)
    carried = np.zeros_like(moving)
    carried[:-3, 2:] = moving[3:, :-2]
    for after, expected in ((found.dice_before, moving), (found.dice_after, carried)):
        assert after == pytest.approx(2 * (still & expected).sum() / (still.sum() + expected.sum()))
