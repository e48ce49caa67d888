from types import SimpleNamespace

import numpy as np
import pytest

from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Translation
from napari_histreg.warping import Grid, Output, aligned_slide, warp_slide


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(512, angle_deg=20)


def test_by_default_it_is_the_moving_slide_on_the_fixed_grid(pair):
    found = aligned_slide(pair.fixed, pair.moving, pair.fixed_to_moving)
    known = warp_slide(pair.moving, pair.fixed_to_moving, Grid.of(pair.fixed))
    assert np.array_equal(found.read_level(0), known.read_level(0))
    assert found.pixel_size_um == pair.fixed.pixel_size_um


def test_merged_the_fixed_channels_come_first(pair):
    wanted = Output(channels=["SMA", "DAPI"], merge=True)
    found = aligned_slide(pair.fixed, pair.moving, pair.fixed_to_moving, wanted)
    assert [channel.name for channel in found.channels][-2:] == ["SMA", "DAPI"]
    assert np.array_equal(found.read_level(0)[:3], pair.fixed.read_level(0))


def test_the_union_covers_both_with_pixels_of_any_size(pair):
    wanted = Output(cover="union", pixel_size=1.0)
    found = aligned_slide(pair.fixed, pair.moving, pair.fixed_to_moving, wanted)
    assert found.pixel_size_um == (1.0, 1.0)
    assert min(found.shape) > max(pair.fixed.size)


def test_without_a_pixel_size_there_are_no_micrometres():
    still = open_slide(np.zeros((40, 60), np.uint8))
    assert aligned_slide(still, still, Translation.identity(), Output(pixel_size=2.0)).pixel_size_um is None


def test_a_channel_that_is_not_there_is_named(pair):
    with pytest.raises(ValueError, match="CD99"):
        aligned_slide(pair.fixed, pair.moving, pair.fixed_to_moving, Output(channels=["CD99"]))


def test_a_record_of_the_fixed_slide_does_where_its_pixels_are_not_needed(pair):
    record = SimpleNamespace(
        shape=pair.fixed.shape,
        pixel_size_um=pair.fixed.pixel_size_um,
        world_pixel_size=pair.fixed.world_pixel_size,
    )
    found = aligned_slide(record, pair.moving, pair.fixed_to_moving)
    assert found.shape == pair.fixed.shape
    with pytest.raises(ValueError, match="needs the fixed slide itself"):
        aligned_slide(record, pair.moving, pair.fixed_to_moving, Output(merge=True))
