"""Levels lie where `pixel_to_world` says, native or computed."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_histreg.geometry import Region
from napari_histreg.slides import Level, Slide, open_slide
from napari_histreg.slides.pyramid import halve, nominal_downsample, with_overview
from napari_histreg.slides.slide import Channel
from slides.slide_files import make_mirax, write_pyramid


def spot(shape, centre, sigma):
    """A bright Gaussian spot around `centre` (y, x) on black, as uint16."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    value = 60000 * np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * sigma**2))
    return np.rint(value).astype(np.uint16)


def centre_of_mass(plane):
    weight = plane.astype(float)
    y, x = np.indices(plane.shape)
    return np.array([(weight * y).sum(), (weight * x).sum()]) / weight.sum()


def found(slide, level):
    """World coordinates (y, x) of the spot on one level."""
    plane = slide.read_level(level).astype(float)
    plane = (plane if not slide.is_rgb else 255 - plane).mean(0)
    return slide.to_world(centre_of_mass(np.where(plane > 2, plane, 0)), level)


@settings(max_examples=15, deadline=None)
@given(
    height=st.integers(1100, 2300),
    width=st.integers(300, 1500),
    share=st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7)),
    pixel=st.floats(0.1, 3),
)
def test_spot_is_found_on_every_computed_level(height, width, share, pixel):
    centre = np.array([share[0] * height, share[1] * width])
    with open_slide(spot((height, width), centre, 12), pixel_size_um=pixel) as slide:
        assert max(slide.levels[-1].shape) <= 1024
        for level in range(len(slide.levels)):
            # A spot of this width moves by far less than 0.01 of a level's pixel through rounding.
            error = np.abs(found(slide, level) - centre * pixel)
            assert (error < 0.02 * np.array(slide.spacing(level))).all()


@pytest.mark.parametrize("shape", [(2051, 1733), (2048, 1024), (2047, 1023)])
@pytest.mark.parametrize("subifds", [True, False])
def test_spot_is_found_on_every_level_of_a_tiff(tmp_path, shape, subifds):
    centre = np.array([1200.3, 611.8])
    path = tmp_path / "spot.tif"
    write_pyramid(path, spot(shape, centre, 40)[None], subifds=subifds, levels=3, first={"metadata": None})
    with open_slide(path, pixel_size_um=0.5) as slide:
        assert len(slide.levels) == 4
        for level in range(4):
            error = np.abs(found(slide, level) - centre * 0.5)
            assert (error < 0.02 * np.array(slide.spacing(level))).all()


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"empty_border": True},
        {"empty_border": (1, 3, 2, 0), "tile": 32, "divisions": 1},
        {"positions": True, "camera_overlap": 40, "empty_border": True},
        {"positions": "zlib", "camera_overlap": 32, "empty_border": (3, 1, 0, 1), "jitter": 7},
        {"positions": True, "camera_overlap": 24, "jitter": 6, "drop_blank": 254, "empty_border": 2},
    ],
    ids=str,
)
def test_spot_is_found_on_every_level_of_a_mirax_slide(tmp_path, shared, variant):
    centre = np.array([420.0, 377.0])
    dark = 255 - spot((900, 800), centre, 40) // 300
    picture = np.repeat(dark.astype(np.uint8)[..., None], 3, 2)
    told = make_mirax().write_mirax(
        tmp_path / "spot.mrxs", picture, **{"tile": 64, "fmt": "PNG", "levels": 4, **variant}
    )
    with open_slide(tmp_path / "spot.mrxs") as slide:
        offset = np.array(slide.bounds_offset_px)
        assert offset.tolist() == [told["bounds"][1], told["bounds"][0]]
        assert slide.shape == (told["bounds"][3], told["bounds"][2])
        place = np.array(told["origin"][::-1]) + centre - offset
        for level in range(4):
            # Photos off the grid are cut at whole pixels of the level: up to half a pixel each way
            # of the stored tile, of which the average over the spot's many tiles leaves a part.
            error = np.abs(found(slide, level) - place * 0.25) / np.array(slide.spacing(level))
            assert (error < 0.1).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 6, 8), (3, 7, 9), (2, 1, 5), (4, 5, 1), (1, 1, 1), (3, 64, 33)])
def test_halve_is_the_rounded_mean(dtype, shape):
    planes = (np.random.default_rng(0).random(shape) * 250).astype(dtype)
    padded = np.pad(planes.astype(np.float64), ((0, 0), (0, shape[1] % 2), (0, shape[2] % 2)), mode="edge")
    mean = padded.reshape(shape[0], -(-shape[1] // 2), 2, -(-shape[2] // 2), 2).mean((2, 4))
    expected = mean if np.dtype(dtype).kind == "f" else np.floor(mean + 0.5)
    result = halve(planes)
    assert result.dtype == dtype
    # float32 sums of four numbers below 250 are exact to 1e-4
    assert np.allclose(result, expected, rtol=0, atol=1e-4 if np.dtype(dtype).kind == "f" else 0)
    interleaved = np.moveaxis(np.ascontiguousarray(np.moveaxis(planes, 0, -1)), -1, 0)
    assert np.array_equal(halve(interleaved), result)


def test_halve_leaves_nan_out():
    nan = np.nan
    planes = np.array([[[1, 3, nan, nan], [nan, 5, nan, nan]]], np.float32)
    result = halve(planes)
    assert result[0, 0, 0] == 3
    assert np.isnan(result[0, 0, 1])


@pytest.mark.parametrize("dtype", [np.uint32, np.int32, np.int64, bool])
def test_labels_are_never_blended(dtype):
    labels = np.random.default_rng(1).integers(0, 2, (1, 64, 64)).astype(dtype) * dtype(1)
    if dtype is not bool:
        labels = labels * dtype(70000)
    result = halve(labels)
    assert result.dtype == labels.dtype
    assert set(np.unique(result)) <= set(np.unique(labels))
    quads = labels.reshape(32, 2, 32, 2).astype(np.int64).sum((1, 3))
    top = int(labels.max())
    assert (result[0][quads == 3 * top] == top).all()
    assert (result[0][quads == top] == 0).all()


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_majority_of_four(four):
    counts = {value: four.count(value) for value in four}
    chosen = int(halve(np.array(four, np.uint32).reshape(1, 2, 2))[0, 0, 0])
    assert counts[chosen] == max(counts.values())


@given(full=st.integers(2, 100_000), halvings=st.integers(0, 6))
def test_nominal_downsample(full, halvings):
    down = up = full
    for _ in range(halvings):
        down, up = max(down // 2, 1), -(-up // 2)
    if down >= 8:
        assert nominal_downsample(full, down) == 2.0**halvings
        assert nominal_downsample(full, up) == 2.0**halvings


class Counting:
    """A source of rows that counts what is read of it at once and in all."""

    def __init__(self, shape):
        self.shape = shape
        self.largest = self.total = 0

    def read(self, level, region, channels=None):
        self.largest = max(self.largest, region.height * region.width)
        self.total += region.height * region.width
        count = 1 if channels is None else len(channels)
        rows = (np.arange(region.y, region.y + region.height) // 64 % 256).astype(np.uint8)
        return np.broadcast_to(rows[None, :, None], (count, *region.shape)).copy()

    def close(self):
        self.shape = None


def test_overview_of_a_large_flat_slide_takes_little_memory():
    source = Counting((20_000, 20_000))
    flat = Slide("flat", (Level((20_000, 20_000), (1.0, 1.0)),), (Channel("a"),), np.dtype(np.uint8), source)
    slide = with_overview(flat)
    tracemalloc.start()
    overview = slide.read_level(len(slide.levels) - 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert overview.shape == (1, 625, 625)
    # 400 MB are read once, a strip at a time; the strips of all levels together stay below 64 MB.
    assert source.total == 20_000**2
    assert peak < 64e6
    expected = np.arange(20_000) // 64 % 256
    assert np.abs(overview[0, :, 0] - expected.reshape(625, 32).mean(1)).max() <= 2.5


def test_overview_is_computed_once_also_for_many_threads():
    source = Counting((3000, 3000))
    slide = with_overview(
        Slide("flat", (Level((3000, 3000), (1.0, 1.0)),), (Channel("a"),), np.dtype(np.uint8), source)
    )
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: slide.read(2, Region(3, 4, 50, 60)), range(30)))
    assert source.total == 3000**2


def test_one_channel_does_not_compute_the_others():
    pixels = np.random.default_rng(0).integers(0, 60000, (5, 1500, 1500)).astype(np.uint16)
    with open_slide(pixels) as slide, open_slide(pixels[3]) as single:
        assert np.array_equal(slide.read_level(1, [3]), single.read_level(1))


def test_whole_equals_parts_on_levels_that_are_not_kept(tmp_path):
    path = tmp_path / "large.tif"
    pixels = np.random.default_rng(0).integers(0, 255, (5001, 4403)).astype(np.uint8)
    tifffile.imwrite(path, pixels, tile=(512, 512), compression="zlib", metadata=None)
    with open_slide(path) as slide:
        whole = slide.read_level(1)
        assert whole.shape == (1, 2501, 2202)
        for region in (Region(0, 0, 2501, 2202), Region(1999, 2000, 502, 202), Region(77, 1, 3, 2201)):
            assert np.array_equal(slide.read(1, region), whole[(..., *region.slices)])
