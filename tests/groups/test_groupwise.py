import numpy as np
import pytest

from napari_histreg.errors import NotConverged
from napari_histreg.groups.group import Member
from napari_histreg.groups.groupwise import bend_groupwise
from napari_histreg.groups.recipe import register_group
from napari_histreg.methods.elastix.groupwise import ElastixGroupwise
from napari_histreg.records.record import SlideRecord
from napari_histreg.samples.stack import phantom_stack
from napari_histreg.transforms import Translation
from napari_histreg.transforms.bspline import BSpline

STACK = phantom_stack(3, size_px=128, pixel_size_um=40.0, shift_um=0.0, angle_deg=0.0)
OFF = (0.0, 120.0, -120.0)


def spline(shift):
    """A B-spline that moves everything alike."""
    numbers = np.repeat([0.0, shift], 64)
    return BSpline.from_itk(
        numbers, size_xy=(8, 8), origin_xy=(-1500.0, -1500.0), spacing_xy=(1200.0, 1200.0)
    )


class Known(ElastixGroupwise):
    """Finds what it is told to find."""

    shifts: tuple[float, ...] = ()

    def estimate_group(self, images, *, progress=None):
        if not self.shifts:
            raise NotConverged("elastix gave up on the group.")
        return tuple(spline(shift) for shift in self.shifts)


def members():
    """Three sections, the places of two of them off by three pixels."""
    return [
        Member(SlideRecord.of(slide), Translation.of((off, 0.0)), "accepted", 1.0)
        for slide, off in zip(STACK.slides, OFF, strict=True)
    ]


def test_a_bend_that_makes_slides_more_alike_is_taken():
    before = members()
    found, done = bend_groupwise(before, STACK.slides, 0, Known(shifts=(0.0, -120.0, 120.0), max_side_px=128))
    assert done.is_better
    assert "raised the mean correlation" in done.note
    middle = np.array([[2500.0, 2500.0]])
    for member in found:
        assert np.allclose(member.frame_to_slide(middle), middle, atol=1.0)


@pytest.mark.parametrize("shifts", [(0.0, 200.0, -200.0), ()])
def test_a_bend_that_does_not_help_is_left(shifts):
    before = members()
    found, done = bend_groupwise(before, STACK.slides, 0, Known(shifts=shifts, max_side_px=128))
    assert found == tuple(before)
    assert not done.is_better


def test_its_parameters_are_checked_before_pairs_are_aligned():
    with pytest.raises(ValueError, match=r"elastix_groupwise.*iterations"):
        register_group(STACK.slides, method="elastix_groupwise", iterations=0)
