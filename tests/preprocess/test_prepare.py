import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_histreg.errors import NoTissue
from napari_histreg.geometry import Region
from napari_histreg.preprocess import Recipe, common_spacing, prepare, prepare_pair, read_planes
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide


def centroid(raster):
    y, x = (np.arange(n) for n in raster.shape)
    weight = raster.pixels / raster.pixels.sum()
    return raster.to_world([[(weight.sum(1) * y).sum(), (weight.sum(0) * x).sum()]])[0]


def square_slide(corner, side, shape, pixel_size, levels):
    """A bright square on black with a pyramid of exact 2 x 2 means, and the square's true centre."""
    plane = np.zeros(shape, np.float32)
    plane[corner[0] : corner[0] + side, corner[1] : corner[1] + side] = 100
    pyramid = [plane]
    for _ in range(levels - 1):
        last = pyramid[-1]
        h, w = last.shape[0] // 2, last.shape[1] // 2
        pyramid.append(last[: 2 * h, : 2 * w].reshape(h, 2, w, 2).mean((1, 3)))
    slide = open_slide(pyramid if levels > 1 else plane, pixel_size_um=pixel_size)
    p = 1.0 if pixel_size is None else pixel_size
    return slide, (np.asarray(corner) + (side - 1) / 2) * p


@settings(max_examples=40, deadline=None)
@given(
    corner=st.tuples(st.integers(5, 15), st.integers(5, 15)),
    side=st.integers(3, 7),
    pixel_size=st.sampled_from([None, 0.25, 0.5, 3.0]),
    levels=st.integers(1, 4),
    factor=st.floats(0.6, 9.0),
)
def test_a_square_stays_where_it_is_at_every_level_and_spacing(corner, side, pixel_size, levels, factor):
    # whole pixels of the coarsest of four levels: a pyramid keeps the centre of nothing smaller
    corner, side = np.multiply(corner, 8), side * 8
    slide, centre = square_slide(corner, side, (256, 320), pixel_size, levels)
    unit = 1.0 if pixel_size is None else pixel_size
    raster = prepare(slide, Recipe(spacing=factor * unit, normalise="none", modality="fluorescence"))
    # averages keep the centroid to rounding, as the square stays clear of the border; interpolating
    # between level-0 pixels samples each edge once or twice, which leaves under a tenth of a pixel
    np.testing.assert_allclose(centroid(raster), centre, atol=(1e-3 if factor >= 1 else 0.1) * unit)


@pytest.mark.parametrize("size", [33, 100, 256, 1000])
def test_any_size_covers_the_same_area(size):
    slide, centre = square_slide((90, 100), 40, (256, 320), 0.5, 3)
    raster = prepare(slide, Recipe(max_size_px=size, normalise="none", modality="fluorescence"))
    assert max(raster.shape) == min(size, 320)
    np.testing.assert_allclose(centroid(raster), centre, atol=1e-3)


def test_fine_levels_are_averaged_not_picked():
    rng = np.random.default_rng(0)
    plane = rng.normal(100, 20, (600, 600)).astype(np.float32)
    pixels = read_planes(open_slide(plane, pixel_size_um=1), 10.0).pixels
    # a tent ten pixels wide averages white noise down by 1.5 times its width, squared
    assert pixels.std() == pytest.approx(20 / 15, rel=0.15)
    assert pixels.mean() == pytest.approx(100, abs=0.5)


def test_reading_in_strips_changes_nothing(monkeypatch):
    from napari_histreg.preprocess import planes

    pair = phantom_pair(512)
    whole = read_planes(pair.fixed, 0.7)
    monkeypatch.setattr(planes, "STRIP_BYTES", 50_000)
    parts = read_planes(pair.fixed, 0.7)
    np.testing.assert_allclose(parts.pixels, whole.pixels, atol=0.02)


def test_nan_is_masked_and_poisons_nothing():
    slide, _ = square_slide((90, 100), 40, (256, 320), 0.5, 1)
    plane = slide.read_level(0)[0].copy()
    plane[100:130, 200:240] = np.nan
    raster = prepare(open_slide(plane, pixel_size_um=0.5), Recipe(spacing=1.0))
    assert np.isfinite(raster.pixels).all()
    assert not raster.mask[55:60, 105:115].any()
    assert raster.mask[:45].all()


def test_nuclei_are_bright_in_both_modalities_and_alike_in_size():
    pair = phantom_pair(2048, seed=2)
    fixed, moving = prepare_pair(pair.fixed, pair.moving)
    assert fixed.spacing == moving.spacing
    for raster in (fixed, moving):
        assert raster.pixels.min() == 0
        assert raster.pixels.max() == 1
    points = pair.landmarks(200)
    for raster, at in ((fixed, points.fixed), (moving, points.moving)):
        y, x = np.round(raster.to_pixel(at)).astype(int).T
        inside = (y >= 0) & (x >= 0) & (y < raster.shape[0]) & (x < raster.shape[1])
        assert inside.all()
        assert np.median(raster.pixels[y, x]) > 3 * np.median(raster.pixels) + 0.1


def test_one_spacing_only_where_both_pixel_sizes_are_known():
    known = open_slide(_blobs(300), pixel_size_um=0.5)
    other = open_slide(_blobs(400), pixel_size_um=0.25)
    unknown = open_slide(_blobs(500))
    assert common_spacing(known, other, 150) == 1.0
    assert common_spacing(known, unknown) is None
    a, b = prepare_pair(known, unknown, Recipe(max_size_px=100))
    assert max(a.shape) == max(b.shape) == 100
    a, b = prepare_pair(known, other, Recipe(max_size_px=150))
    assert a.spacing == b.spacing == (1.0, 1.0)


def _blobs(side):
    y, x = np.mgrid[:side, :side]
    return (((y % 24 - 12) ** 2 + (x % 24 - 12) ** 2 < 40) * 3000 + 100).astype(np.uint16)


def test_a_named_channel_is_taken_alone():
    stack = np.stack([_blobs(100), np.roll(_blobs(100), 9, 1)])
    slide = open_slide(stack, pixel_size_um=1)
    first, second = (prepare(slide, Recipe(channel=k)) for k in (0, 1))
    np.testing.assert_array_equal(np.roll(first.pixels, 9, 1)[:, 20:], second.pixels[:, 20:])
    with pytest.raises(ValueError, match="no channel"):
        prepare(slide, Recipe(channel="DAPI"))


@pytest.mark.parametrize("signal", ["nuclear", "other", "density", "grey"])
@pytest.mark.parametrize("normalise", ["percentile", "equalise", "gaussian", "local", "none"])
def test_every_signal_and_normalisation_gives_finite_structure(signal, normalise):
    pair = phantom_pair(512)
    for slide in (pair.fixed, pair.moving):
        raster = prepare(slide, Recipe(signal=signal, normalise=normalise, max_size_px=128))
        assert np.isfinite(raster.pixels).all()
        assert raster.pixels.std() > 0


def test_grey_brightfield_stays_dark_on_bright():
    pair = phantom_pair(512)
    grey = prepare(pair.fixed, Recipe(signal="grey"))
    nuclear = prepare(pair.fixed, Recipe(signal="nuclear"))
    assert np.corrcoef(grey.pixels.ravel(), nuclear.pixels.ravel())[0, 1] < -0.5


@pytest.mark.parametrize("kind", ["black", "white", "noise", "nan"])
def test_nothing_to_align_is_refused_with_the_name_of_the_slide(kind):
    rng = np.random.default_rng(0)
    planes = {
        "black": np.zeros((3, 200, 200), np.uint16),
        "white": np.full((200, 200, 3), 255, np.uint8),
        "noise": rng.normal(100, 9, (300, 300)).astype(np.float32),
        "nan": np.full((100, 100), np.nan, np.float32),
    }[kind]
    with pytest.raises(NoTissue, match="holds nothing to align"):
        prepare(open_slide(planes))


def test_a_large_slide_is_read_from_its_coarse_levels_only():
    pair = phantom_pair(60_000)
    read = []

    class Counting:
        def read(self, level, region, channels=None):
            read.append((level, region.height * region.width))
            return pair.fixed.source.read(level, region, channels)

        def close(self):
            return None

    from dataclasses import replace

    raster = prepare(replace(pair.fixed, source=Counting()), Recipe(max_size_px=256))
    assert max(raster.shape) == 256
    assert sum(area for _, area in read) < 4 * 256**2 * 1.1
    assert min(level for level, _ in read) >= 7


def test_recipe_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="signal"):
        Recipe(signal="nucleus")
    with pytest.raises(ValueError, match="spacing"):
        Recipe(spacing=-1)
    assert Recipe.model_validate_json(Recipe(channel="DAPI").model_dump_json()).channel == "DAPI"


def test_input_is_not_changed():
    plane = _blobs(64)
    before = plane.copy()
    slide = open_slide(plane)
    prepare(slide, Recipe(normalise="local"))
    np.testing.assert_array_equal(slide.read(0, Region.whole((64, 64)))[0], before)
