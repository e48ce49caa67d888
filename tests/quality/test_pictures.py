import numpy as np
import pytest

from napari_histreg.geometry import Region
from napari_histreg.quality.pictures import (
    before_after,
    checkerboard,
    curtain,
    in_colours,
    overlay,
    zoom,
)
from napari_histreg.raster import Raster
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Affine, Translation


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(1024, seed=2)


def colourless(picture):
    """How much of the light is white: magenta and green cancel where both agree."""
    spread = picture.max(-1).astype(float) - picture.min(-1)
    return 1 - spread.sum() / picture.max(-1).sum()


def test_the_right_alignment_turns_white(pair):
    picture = before_after(pair.fixed, pair.moving, pair.fixed_to_moving, max_px=256)
    half = (picture.shape[1] - 8) // 2
    before, after = picture[30:, :half], picture[30:, -half:]
    assert picture.dtype == np.uint8
    assert colourless(after) > colourless(before) + 0.15


def test_without_a_transform_there_is_no_after(pair):
    picture = before_after(pair.fixed, pair.moving, None, max_px=128)
    assert picture.shape[1] == 128


def test_unknown_pixel_sizes_are_placed_side_on_side():
    plane = (np.random.default_rng(0).random((60, 80)) * 255).astype(np.uint8)
    picture = before_after(open_slide(plane), open_slide(np.repeat(plane, 3, 1)), Affine.identity(), 80)
    assert picture.shape[1] == 168


def test_overlay_is_magenta_green_and_white():
    one = Raster(np.array([[1.0, 0.0, 1.0, 0.0]], np.float32))
    two = Raster(np.array([[0.0, 1.0, 1.0, 0.0]], np.float32))
    assert overlay(one, two)[0].tolist() == [[255, 0, 255], [0, 255, 0], [255, 255, 255], [0, 0, 0]]
    with pytest.raises(ValueError, match="one frame"):
        overlay(one, Raster(np.zeros((2, 2), np.float32)))


def test_checkerboard_and_curtain_show_half_of_each():
    black, white = np.zeros((80, 80, 3), np.uint8), np.full((80, 80, 3), 255, np.uint8)
    assert checkerboard(black, white, fields=4).mean() == pytest.approx(127.5)
    strips = curtain(black, white, strips=4)
    assert (strips[0, 2:18] == 0).all()
    assert (strips[0, 22:38] == 255).all()
    with pytest.raises(ValueError, match="one frame"):
        curtain(black, white[:40])


def test_colours_of_both_slides_lie_on_each_other(pair):
    one, other = in_colours(pair.fixed, pair.moving, pair.fixed_to_moving, 256)
    assert one.picture.shape == other.picture.shape == (256, 256, 3)
    dark = 255 - one.picture.mean(-1)
    glow = other.picture.max(-1).astype(float)
    assert np.corrcoef(dark.ravel(), glow.ravel())[0, 1] > 0.5
    # outside the moving slide there is its background
    _, away = in_colours(pair.fixed, pair.moving, Translation.of((1e6, 0)).then(pair.fixed_to_moving), 128)
    assert away.picture.max() == 0


def test_a_zoom_shows_the_same_nuclei_and_reads_little():
    pair = phantom_pair(20_000)
    read = []
    source = pair.fixed.source

    class Counting:
        def read(self, level, region, channels=None):
            read.append(region.height * region.width)
            return source.read(level, region, channels)

        def close(self):
            return None

    from dataclasses import replace

    point = pair.landmarks(9).fixed[4]
    fixed = replace(pair.fixed, source=Counting())
    picture = zoom(fixed, pair.moving, pair.fixed_to_moving, point, 60.0, side_px=240)
    assert picture.shape == (240, 240 * 3 + 8, 3)
    mixed = picture[:, -240:]
    assert colourless(mixed) > 0.6
    assert sum(read) < 500**2
    # the nucleus lies in the middle: dark in the fixed picture, bright in the overlay
    middle = slice(114, 126)
    assert picture[middle, middle].mean() < picture[:, :240].mean()
    assert mixed[middle, middle].mean() > 2 * mixed.mean()


def test_a_zoom_beyond_the_slide_is_background(pair):
    picture = zoom(
        pair.fixed, pair.moving, Translation.of((1e5, 1e5)), np.array([1e5, 1e5]), 50.0, side_px=64
    )
    assert (picture[2:20, 5:60] == 255).all()


def test_a_zoom_of_a_small_place_is_enlarged(pair):
    picture = zoom(pair.fixed, pair.moving, pair.fixed_to_moving, np.array([128.0, 128.0]), 16.0)
    assert picture.shape[0] == 320


def test_inputs_are_not_changed(pair):
    one, other = np.zeros((100, 100, 3), np.uint8), np.full((100, 100, 3), 255, np.uint8)
    checkerboard(one, other)
    curtain(one, other)
    assert not one.any()
    assert other.all()
    assert pair.fixed.read(0, Region(0, 0, 2, 2)).shape == (3, 2, 2)
