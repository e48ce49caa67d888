"""Maps show the numbers they were given, where they belong."""

from dataclasses import replace

import numpy as np
import pytest

from napari_histreg.quality.charts import as_picture
from napari_histreg.quality.flags import Flag
from napari_histreg.quality.independent import IndependentCheck
from napari_histreg.quality.tissue_maps import deformed_grid, error_map, heat_map, quiver
from napari_histreg.raster import Raster
from napari_histreg.transforms import Sequence, Similarity
from waves import Wave


@pytest.fixture
def check():
    """Nine blocks of 20 µm; the one in the middle is 4 µm off to the right, the last one is not judged."""
    y, x = np.meshgrid([10.0, 20.0, 30.0], [10.0, 20.0, 30.0], indexing="ij")
    shifts = np.zeros((3, 3, 2))
    shifts[1, 1] = 0.0, 4.0
    judged = np.ones((3, 3), bool)
    judged[2, 2] = False
    flag = Flag("moved", (10.0, 12.0), (30.0, 28.0), 4, (0.0, 4.0))
    ones = np.ones((3, 3))
    return IndependentCheck(
        np.stack([y, x], -1), shifts, ones, judged, ones, 20.0, "um", "contrast", 56.0, (flag,)
    )


@pytest.fixture
def frame():
    return Raster(np.zeros((80, 80), np.float32), (0.5, 0.5), (0.25, 0.25))


def test_the_error_map_lies_on_the_slide(check, frame):
    picture = np.full((80, 80, 3), 200, np.uint8)
    axes, bar = error_map(check, picture, frame).axes
    slide, shifts = axes.images
    assert slide.get_extent() == [0, 40, 40, 0]
    # Blocks overlap by half, so each stands for 10 µm around its centre.
    assert shifts.get_extent() == [5, 35, 35, 5]
    drawn = shifts.get_array()
    assert drawn[1, 1] == 4.0
    assert bool(np.ma.getmaskarray(drawn)[2, 2]) or np.isnan(drawn[2, 2])
    assert bar.get_ylabel() == "remaining shift (µm)"
    assert axes.get_ylim() == (40, 0)
    frame_of_flag = axes.patches[0]
    assert frame_of_flag.get_xy() == (12.0, 10.0)
    assert (frame_of_flag.get_width(), frame_of_flag.get_height()) == (16.0, 20.0)


def test_arrows_start_at_their_blocks_and_point_along_the_shift(check, frame):
    axes = quiver(check, np.full((80, 80, 3), 200, np.uint8), frame).axes[0]
    arrows = axes.collections[0]
    assert arrows.XY.tolist()[4] == [20.0, 20.0]
    assert (arrows.U[4], arrows.V[4]) == (4.0, 0.0)
    assert len(arrows.U) == 8
    assert f"{1 / arrows.scale:g} times" in axes.get_title()


def test_without_a_judged_block_the_chart_says_so(check, frame):
    nothing = replace(check, judged=np.zeros((3, 3), bool), flags=())
    picture = np.zeros((80, 80, 3), np.uint8)
    assert "No block" in quiver(nothing, picture, frame).axes[0].get_title()
    assert as_picture(error_map(nothing, picture, frame)).shape[2] == 3


def test_a_heat_map_covers_the_slide_and_keeps_its_limits():
    figure = heat_map(
        np.array([[0.0, 1.0], [np.nan, 0.5]]), low=0, high=1, size=(10, 20), unit="px", label="v"
    )
    image = figure.axes[0].images[0]
    assert image.get_clim() == (0, 1)
    assert image.get_extent() == [0, 20, 10, 0]
    picture = as_picture(figure)
    assert picture.dtype == np.uint8
    assert picture.shape[1] == 560


def test_the_grid_of_an_affine_is_straight_and_that_of_a_wave_bends():
    def unevenness(transform):
        lines = deformed_grid(transform, (100.0, 100.0)).axes[0].lines
        across, down = lines[:17], lines[17:]
        assert max(np.ptp(line.get_ydata()) for line in across) < 1e-6
        return np.ptp(np.diff([line.get_xdata().mean() for line in down]))

    assert unevenness(Similarity.of(angle_deg=77, mirrored=True, scale=3)) < 1e-6
    assert unevenness(Sequence.of(Wave(3.0, 60.0), Similarity.of(angle_deg=20))) > 1
