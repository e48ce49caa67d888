"""Scanner slides against OpenSlide itself."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import openslide
import pytest

from napari_histreg.errors import ReadError
from napari_histreg.geometry import Region
from napari_histreg.slides import open_slide
from slides.mirax import write_mirax
from slides.slide_files import make_mirax, rgb


@pytest.fixture(
    scope="module",
    params=[
        "cmu-1-small-region.svs",
        pytest.param("tcga-cr-7395-01a-01-ts1.svs", marks=pytest.mark.thorough),
    ],
)
def svs(request, shared):
    return shared / "data" / "slides" / request.param


def test_real_slides_equal_openslide(svs):
    with openslide.OpenSlide(str(svs)) as oracle, open_slide(svs) as slide:
        assert slide.shape == oracle.dimensions[::-1]
        mpp = oracle.properties.get("openslide.mpp-x")
        assert slide.pixel_size_um == (None if mpp is None else (float(mpp), float(mpp)))
        for level, size in enumerate(oracle.level_dimensions):
            assert slide.levels[level].shape == size[::-1]
            assert slide.levels[level].downsample == (2.0**level, 2.0**level)
            # From the corner, OpenSlide places the pixels of any level exactly.
            whole = np.asarray(oracle.read_region((0, 0), level, size))[..., :3]
            pixels = np.moveaxis(slide.read_level(level), 0, -1)
            if level == 0:
                assert np.array_equal(pixels, whole)
                continue
            # Further on a level of 2.0005 is read up to half a level-0 pixel off, that is a quarter of
            # its own, and interpolated: each value then lies between those of its neighbours.
            low, high = (cv2.erode(whole, np.ones((3, 3))), cv2.dilate(whole, np.ones((3, 3))))
            inner = (slice(1, -1), slice(1, -1))
            assert (pixels[inner] >= np.maximum(low[inner], 1) - 1).all()
            assert (pixels[inner] <= np.minimum(high[inner], 254) + 1).all()
            shift, _ = cv2.phaseCorrelate(
                *(p[900:1400, 1500:2000, 1].astype(np.float32) for p in (whole, pixels))
            )
            assert max(np.abs(shift)) < 0.3


def test_a_pixel_does_not_depend_on_the_region_it_is_read_with(svs):
    with open_slide(svs) as slide:
        for level in range(len(slide.levels)):
            whole = slide.read_level(level)
            height, width = slide.levels[level].shape
            rng = np.random.default_rng(level)
            for _ in range(5):
                region = Region(int(rng.integers(height)), int(rng.integers(width)), 300, 200)
                region = region.clipped((height, width))
                assert np.array_equal(slide.read(level, region), whole[(..., *region.slices)])


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"empty_border": True},
        {"positions": True, "camera_overlap": 20, "empty_border": True},
        {"positions": "zlib", "camera_overlap": 20, "jitter": 3, "empty_border": (1, 0, 2, 1)},
        {"drop_blank": 240, "positions": True, "camera_overlap": 16},
    ],
    ids=str,
)
def test_mirax_equals_what_was_written(tmp_path, shared, variant):
    picture = rgb((500, 430))
    picture[:200, :200] = 255
    path = tmp_path / "a.mrxs"
    told = make_mirax().write_mirax(path, picture, pixel_size_um=(0.3, 0.4), tile=32, fmt="PNG", **variant)
    with open_slide(path) as slide:
        assert slide.pixel_size_um == (0.4, 0.3)
        assert slide.vendor == "mirax"
        x, y, width, height = told["bounds"]
        assert slide.bounds_offset_px == (y, x)
        assert slide.shape == (height, width)
        pixels = np.moveaxis(slide.read_level(0), 0, -1)
        truth = np.full((told["dimensions"][1], told["dimensions"][0], 3), 255, np.uint8)
        ox, oy = told["origin"]
        truth[oy : oy + 500, ox : ox + 430] = picture
        truth = truth[y : y + height, x : x + width]
        # Photos with an overlap are drawn over one another at whole pixels: the same pixels.
        assert np.array_equal(pixels, truth)


def test_the_border_that_was_not_scanned_is_cut(tmp_path):
    picture = rgb((320, 256))
    y, x = write_mirax(tmp_path / "a.mrxs", picture, empty_tiles=(3, 5, 1, 2), pixel_size_um=0.3)
    with open_slide(tmp_path / "a.mrxs") as slide:
        assert (y, x) == (192, 320)
        assert slide.bounds_offset_px == (y, x)
        assert slide.pixel_size_um == (0.3, 0.3)
        assert slide.vendor == "mirax"
        assert np.array_equal(np.moveaxis(slide.read_level(0), 0, -1), picture)


def test_what_was_not_scanned_is_white(tmp_path, shared):
    picture = np.full((600, 600, 3), 90, np.uint8)
    picture[200:420, 200:420] = 255
    path = tmp_path / "hole.mrxs"
    told = make_mirax().write_mirax(
        path, picture, tile=32, fmt="PNG", drop_blank=200, positions=True, background=(0, 0, 0)
    )
    assert not told["taken"].all()
    with open_slide(path) as slide:
        photo = told["photo"]
        for row, column in np.argwhere(~told["taken"]):
            y, x = row * photo, column * photo
            if y + photo <= 600 and x + photo <= 600:
                assert (slide.read(0, Region(int(y), int(x), photo, photo)) == 255).all()


def test_closing_while_others_read_ends_cleanly(tmp_path):
    path = tmp_path / "a.mrxs"
    write_mirax(path, rgb((704, 704)))
    slide = open_slide(path)
    messages = []

    def read(k):
        try:
            slide.read(0, Region(k, k, 300, 300))
        except ReadError as error:
            messages.append(str(error))

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(read, k) for k in range(60)]
        futures[5].result()
        slide.close()
    for future in futures:
        future.result()
    assert all("has been closed" in message for message in messages)
