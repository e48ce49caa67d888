import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_histreg.geometry import Region, pixel_to_world, tiles, world_to_pixel

sizes = st.integers(1, 300)


def test_the_half_pixel_of_a_coarse_level():
    assert pixel_to_world([0, 0], 64, 0.25).tolist() == [7.875, 7.875]
    assert pixel_to_world([[0, 0]], (1, 1), (0.5, 2)).tolist() == [[0, 0]]


@given(
    st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)),
    st.sampled_from([1, 2, 4, 64.5]),
    st.floats(0.01, 10),
)
def test_world_and_back(index, downsample, pixel_size):
    there = pixel_to_world([index], downsample, pixel_size)
    assert np.allclose(world_to_pixel(there, downsample, pixel_size), [index], atol=1e-6)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 64))
def test_tiles_cover_each_pixel_once(height, width, tile):
    count = np.zeros((height, width), int)
    for region in tiles((height, width), tile):
        count[region.slices] += 1
    assert (count == 1).all()


@given(st.integers(-50, 50), st.integers(-50, 50), sizes, sizes)
def test_a_clipped_region_lies_inside(y, x, height, width):
    clipped = Region(y, x, height, width).clipped((20, 30))
    inside = np.zeros((20, 30), bool)
    rows = [r for r in range(y, y + height) if 0 <= r < 20]
    columns = [c for c in range(x, x + width) if 0 <= c < 30]
    inside[clipped.slices] = True
    assert inside.sum() == len(rows) * len(columns) == clipped.height * clipped.width


def test_nonsense_is_named():
    with pytest.raises(ValueError, match="-1 x 4"):
        Region(0, 0, -1, 4)
    with pytest.raises(ValueError, match="at least 1 pixel wide, not 0"):
        list(tiles((3, 3), 0))
