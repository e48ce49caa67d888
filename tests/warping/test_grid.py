import numpy as np
import pytest

from napari_histreg.slides import open_slide
from napari_histreg.transforms import Translation
from napari_histreg.warping import Grid


def test_another_spacing_covers_the_same_area():
    grid = Grid((100, 200), (0.5, 0.5)).with_spacing(2.0)
    assert grid.shape == (25, 50)
    # The first large pixel covers the first four small ones: from -0.25 to 1.75 µm.
    assert grid.origin == (0.75, 0.75)


def test_the_union_holds_both_slides_and_keeps_the_fixed_pixels():
    fixed = open_slide(np.zeros((100, 100), np.uint8), pixel_size_um=0.5)
    moving = open_slide(np.zeros((40, 80), np.uint8), pixel_size_um=1.0)
    # Moving pixel (0, 0) lies 10 µm above and left of the fixed one.
    grid = Grid.union(fixed, moving, Translation.of((10.0, 10.0)))
    assert np.allclose(np.array(grid.origin) % 0.5, 0)
    assert grid.origin[0] <= -10.5 < grid.origin[0] + 1
    last = np.array(grid.origin) + (np.array(grid.shape) - 1) * 0.5
    assert last[0] >= 49.5
    assert last[1] >= 69.5


@pytest.mark.parametrize(("shape", "spacing"), [((0, 5), (1, 1)), ((5, 5), (0, 1)), ((5, 5), (np.nan, 1))])
def test_an_empty_grid_is_refused(shape, spacing):
    with pytest.raises(ValueError, match="positive size and spacing"):
        Grid(shape, spacing)
