import threading
import time
import tracemalloc

import numpy as np
import pytest

from napari_histreg.geometry import Region
from napari_histreg.preprocess import optical_density, ruifrok_stains, separate_stains
from napari_histreg.samples import phantom_pair


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(4096, seed=1)


def nuclear(slide, level, region):
    planes = slide.read(level, region)
    if slide.is_rgb:
        return separate_stains(optical_density(planes, [243.0, 241, 239]), ruifrok_stains())[0]
    return planes[0].astype(float)


def around(slide, level, point, half):
    """The region of `half` pixels around a point in µm, and the pixel the point lies at inside it."""
    at = slide.to_pixel([point], level)[0]
    corner = np.round(at).astype(int) - half
    return Region(int(corner[0]), int(corner[1]), 2 * half + 1, 2 * half + 1), at - corner


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_nuclei_lie_where_the_truth_says_at_every_level(pair, level):
    from napari_histreg.transforms import fit_translation

    marks = pair.landmarks(40)
    for slide, points in ((pair.fixed, marks.fixed), (pair.moving, marks.moving)):
        spacing = slide.spacing(level)[0]
        half = max(3, round(7 / spacing))
        measured = []
        for point in points:
            region, at = around(slide, level, point, half)
            signal = nuclear(slide, level, region)
            signal = np.clip(signal - np.percentile(signal, 20), 0, None)
            y, x = np.mgrid[: signal.shape[0], : signal.shape[1]]
            near = np.hypot(y - at[0], x - at[1]) * spacing < 4.2
            weight = signal * near
            centre = np.array([(weight * y).sum(), (weight * x).sum()]) / weight.sum()
            measured.append((centre - at) * spacing)
        # single centres are disturbed by neighbours; a shift common to all is what must not be
        common = np.median(measured, axis=0)
        assert np.abs(common).max() < 0.15 * spacing + 0.1, (slide.name, common)
    assert fit_translation(marks.fixed, marks.fixed).shift == pytest.approx((0, 0))


def test_the_two_slides_show_the_same_tissue(pair):
    from napari_histreg.preprocess import Recipe, prepare
    from napari_histreg.transforms import Translation, resample

    fixed = prepare(pair.fixed, Recipe(spacing=1.0))
    moving = prepare(pair.moving, Recipe(spacing=1.0))
    right = resample(moving, pair.fixed_to_moving, fixed)
    wrong = resample(moving, pair.fixed_to_moving.then(Translation.of((5, 5))), fixed)

    def likeness(other):
        return np.corrcoef(fixed.pixels[other.mask], other.pixels[other.mask])[0, 1]

    assert likeness(right) > 0.8
    assert likeness(wrong) < likeness(right) - 0.3


@pytest.mark.parametrize("side", ["fixed", "moving"])
def test_coarse_levels_are_averages_of_fine_ones(pair, side):
    slide = getattr(pair, side)
    fine = slide.read(0, Region(1024, 1024, 512, 512)).astype(float)
    for level in (1, 2, 3):
        n = 512 // 2**level
        mean = fine.reshape(3, n, 2**level, n, 2**level).mean((2, 4))
        coarse = slide.read(level, Region(1024 // 2**level, 1024 // 2**level, n, n)).astype(float)
        for a, b in zip(mean, coarse, strict=True):
            assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.93
            # light is the exponential of density, whose finest waves the coarse level leaves out
            assert b.mean() == pytest.approx(a.mean(), rel=0.05)


@pytest.mark.parametrize("side", ["fixed", "moving"])
def test_any_cut_gives_the_same_pixels(pair, side):
    slide = getattr(pair, side)
    whole = slide.read(1, Region(300, 400, 300, 333)).astype(int)
    parts = np.concatenate(
        [
            np.concatenate([slide.read(1, Region(300 + y, 400 + x, 100, 111)) for x in (0, 111, 222)], axis=2)
            for y in (0, 100, 200)
        ],
        axis=1,
    ).astype(int)
    # float32 coordinates are counted from another corner: the last digit of the signal may differ
    assert np.abs(whole - parts).max() <= max(1, 0.002 * whole.max())


def test_channels_can_be_read_alone(pair):
    region = Region(900, 900, 64, 64)
    whole = pair.moving.read(1, region)
    np.testing.assert_array_equal(pair.moving.read(1, region, [2, 0]), whole[[2, 0]])


def test_threads_may_read_at_once(pair):
    regions = [Region(200 * k, 300, 128, 128) for k in range(8)]
    expected = [pair.fixed.read(0, region) for region in regions]
    found = [None] * len(regions)

    def work(k):
        found[k] = pair.fixed.read(0, regions[k])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(regions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_seed_one_phantom():
    region = Region(100, 100, 50, 50)
    a, b, c = (phantom_pair(512, seed=s).fixed.read(0, region) for s in (4, 4, 5))
    np.testing.assert_array_equal(a, b)
    assert (a != c).mean() > 0.5


@pytest.mark.parametrize("size", [64, 300, 100_000])
def test_every_size_has_an_overview_with_tissue(size):
    pair = phantom_pair(size)
    for slide in (pair.fixed, pair.moving):
        level = slide.level_for_size(1024)
        assert max(slide.levels[level].shape) <= 1024
        assert slide.levels[0].shape[0] >= size * 0.7
    dark = pair.fixed.read_level(len(pair.fixed.levels) - 1).mean(0) < 220
    assert 0.15 < dark.mean() < 0.7


def test_landmarks_lie_on_tissue_and_obey_the_truth(pair):
    marks = pair.landmarks(25)
    assert 15 <= len(marks) <= 25
    np.testing.assert_allclose(pair.fixed_to_moving(marks.fixed), marks.moving)
    inside = (marks.moving > 0).all() and (marks.moving < pair.moving.size).all()
    assert inside


def test_parameters_are_what_they_say():
    pair = phantom_pair(1000, pixel_size_um=0.5, angle_deg=-20, mirrored=False, scale=0.9)
    truth = pair.fixed_to_moving
    assert (truth.scale, truth.angle_deg, truth.mirrored) == (pytest.approx(0.9), pytest.approx(-20), False)
    assert pair.fixed.pixel_size_um == (0.5, 0.5)
    assert pair.moving.pixel_size_um == pytest.approx((0.65, 0.65))
    with pytest.raises(ValueError, match="at least 64"):
        phantom_pair(10)


def test_a_huge_slide_costs_what_is_read():
    tracemalloc.start()
    try:
        pair = phantom_pair(60_000)
        started = time.perf_counter()
        pair.fixed.read(0, Region(30_000, 30_000, 512, 512))
        seconds = time.perf_counter() - started
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # 0.1 s on an idle core; the bound only tells it from rendering the slide, which takes an hour
    assert seconds < 10
    assert peak < 300e6
