"""Slides from arrays."""

import dask.array as da
import numpy as np
import pytest
import zarr

from napari_histreg.geometry import Region
from napari_histreg.slides import open_slide

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("shape", "dtype", "is_rgb", "count"),
    [
        ((40, 50), "u1", False, 1),
        ((40, 50), "f4", False, 1),
        ((40, 50), "u4", False, 1),
        ((40, 50, 3), "u1", True, 3),
        ((40, 50, 3), "u2", True, 3),
        ((3, 40, 50), "u1", False, 3),
        ((7, 40, 50), "u2", False, 7),
        ((60, 40, 50), "f4", False, 60),
        ((2, 40, 3), "f4", False, 2),
    ],
)
@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr", "big endian"])
def test_layouts(shape, dtype, is_rgb, count, kind):
    pixels = (RNG.random(shape) * 200).astype(dtype)
    given = {
        "numpy": lambda: pixels,
        "dask": lambda: da.from_array(pixels, chunks=17),
        "zarr": lambda: zarr.array(pixels),
        "big endian": lambda: pixels.astype(pixels.dtype.newbyteorder(">")),
    }[kind]()
    truth = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0) if is_rgb else pixels
    slide = open_slide(given)
    assert slide.is_rgb == is_rgb
    assert slide.dtype == np.dtype(dtype)
    assert slide.dtype.isnative
    assert len(slide.channels) == count
    assert slide.pixel_size_um is None
    assert np.array_equal(slide.read_level(0), truth)
    assert np.array_equal(slide.read(0, Region(5, 1, 9, 2), [count - 1]), truth[count - 1 :, 5:14, 1:3])


def test_alpha_is_laid_over_white():
    pixels = RNG.integers(0, 256, (20, 30, 4)).astype(np.uint8)
    pixels[:5, :, 3], pixels[5:, :, 3] = 0, 255
    slide = open_slide(pixels)
    assert slide.is_rgb
    assert (slide.read_level(0)[:, :5] == 255).all()
    assert np.array_equal(slide.read_level(0)[:, 5:], np.moveaxis(pixels[5:, :, :3], -1, 0))


def test_list_of_levels():
    levels = [RNG.integers(0, 99, (2, 1025 // 2**k, 801 // 2**k)).astype(np.uint16) for k in range(4)]
    slide = open_slide(levels)
    assert [level.downsample for level in slide.levels] == [(1, 1), (2, 2), (4, 4), (8, 8)]
    for k, level in enumerate(levels):
        assert np.array_equal(slide.read_level(k), level)


@pytest.mark.parametrize(
    "shapes",
    [[(10, 10), (20, 20)], [(10, 10), (10, 10)], [(2, 10, 10), (3, 5, 5)], [(10, 10), (2, 5, 5)]],
)
def test_levels_that_do_not_belong_together(shapes):
    with pytest.raises(ValueError, match="pyramid"):
        open_slide([np.zeros(shape, np.uint8) for shape in shapes])


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((2, 3, 4, 5), np.uint8), r"\(Y, X\)"),
        (np.zeros(5, np.uint8), r"\(Y, X\)"),
        (np.zeros((0, 5), np.uint8), "no pixels"),
        (np.zeros((5, 5), np.complex64), "complex64"),
        (np.zeros((5, 5), object), "object"),
        (np.zeros((300, 300, 3), np.float32), "channels to the front"),
    ],
)
def test_arrays_that_are_no_image(pixels, message):
    with pytest.raises(ValueError, match=message):
        open_slide(pixels)


def test_the_array_is_not_changed_through_the_slide():
    pixels = RNG.integers(0, 99, (20, 30)).astype(np.uint16)
    before = pixels.copy()
    open_slide(pixels).read_level(0)[:] = 0
    assert np.array_equal(pixels, before)
