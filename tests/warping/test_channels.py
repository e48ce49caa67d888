import numpy as np
import pytest

from napari_histreg.geometry import Region
from napari_histreg.slides import open_slide
from napari_histreg.warping import merge_slides, select_channels

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 255, (40, 50, 3)).astype(np.uint8)
FIVE = RNG.integers(0, 60000, (5, 40, 50)).astype(np.uint16)


def test_selected_channels_come_in_the_order_asked_for():
    chosen = select_channels(open_slide(FIVE), [3, 1])
    assert np.array_equal(chosen.read_level(0), FIVE[[3, 1]])
    assert np.array_equal(chosen.read(0, Region(2, 3, 4, 5), [1]), FIVE[[1], 2:6, 3:8])


def test_merged_channels_keep_their_values():
    merged = merge_slides(open_slide(RGB), open_slide(FIVE))
    expected = np.concatenate([np.moveaxis(RGB, -1, 0).astype(np.uint16), FIVE])
    assert merged.dtype == np.uint16
    assert not merged.is_rgb
    assert np.array_equal(merged.read_level(0), expected)
    assert np.array_equal(merged.read(0, Region(0, 0, 9, 9), [7, 0, 4]), expected[[7, 0, 4], :9, :9])


def test_names_that_occur_twice_are_told_apart():
    one, two = open_slide(FIVE, name="day 1"), open_slide(FIVE, name="day 2")
    names = [channel.name for channel in merge_slides(one, two).channels]
    assert len(set(names)) == 10
    assert names[0].startswith("day 1 ")


def test_wishes_that_cannot_be_met_are_named():
    with pytest.raises(ValueError, match="at least one"):
        select_channels(open_slide(FIVE), [])
    with pytest.raises(ValueError, match="no channel 'CD3'"):
        select_channels(open_slide(FIVE), ["CD3"])
    with pytest.raises(ValueError, match="one grid"):
        merge_slides(open_slide(RGB), open_slide(FIVE[:, :20]))
