import functools
import importlib

import numpy as np
import pytest

from napari_histreg import register
from napari_histreg.caching import ArrayCache, ResultCache
from napari_histreg.errors import Cancelled, ReadError, RegistrationError
from napari_histreg.methods.registry import method_class
from napari_histreg.preprocess.vessels import vessel_slide
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide
from napari_histreg.slides.remembered import remember_overviews
from retinas import retina


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(1024, angle_deg=3, mirrored=False, scale=1.0)


@pytest.fixture(scope="module")
def ran(pair):
    """Run a method on the pair, once; gives the result and what progress it told."""

    @functools.cache
    def run(method):
        seen = []
        result = register(pair.fixed, pair.moving, method=method, progress=lambda f, m: seen.append(f))
        return result, seen

    return run


@pytest.fixture(scope="module")
def small():
    return phantom_pair(300, angle_deg=3, mirrored=False, scale=1.0)


def error_px(result, pair):
    line = np.linspace(0.3, 0.7, 7)
    points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) * pair.fixed.size
    back = result.moving_to_fixed(pair.fixed_to_moving(points))
    return np.median(np.linalg.norm(back - points, axis=1) / pair.fixed.world_pixel_size[0])


@pytest.mark.parametrize("method", ["sift", "orb"])
def test_a_single_method_aligns_two_stains_of_one_tissue(pair, ran, method):
    result, _ = ran(method)
    assert result.verdict == "accepted", result.reasons
    assert error_px(result, pair) < 3.0
    assert [step.name for step in result.steps] == ["prepare", method, "verdict"]
    assert result.method == method


def test_a_method_object_is_the_same_as_its_name():
    pair = phantom_pair(512, angle_deg=3, mirrored=False, scale=1.0)
    by_name = register(pair.fixed, pair.moving, method="sift", ratio="0.8")
    by_object = register(pair.fixed, pair.moving, method=method_class("sift")(ratio=0.8))
    assert np.array_equal(by_name.matrix_px(), by_object.matrix_px())


def test_an_alignment_can_start_from_another(pair, ran):
    first, _ = ran("sift")
    second = register(pair.fixed, pair.moving, method="ecc", initial=first.fixed_to_moving)
    assert second.verdict == "accepted"
    assert error_px(second, pair) < 2.0


@pytest.mark.parametrize("method", ["sift", "orb", "ecc", "auto"])
def test_tissue_that_does_not_belong_together_is_refused(method):
    one, other = phantom_pair(512, seed=1), phantom_pair(512, seed=2)
    result = register(one.fixed, other.moving, method=method, must_find=False)
    assert result.verdict == "refused"
    assert result.reasons


@pytest.mark.parametrize("method", ["sift", "orb", "ecc", "auto"])
@pytest.mark.parametrize("value", [0, 255, np.nan])
def test_a_blank_image_is_refused_with_a_reason(small, method, value):
    pair = small
    blank = np.full((400, 500), value, np.float32)
    with pytest.raises(RegistrationError, match=r"\w"):
        register(pair.fixed, blank, method=method)
    result = register(pair.fixed, blank, method=method, must_find=False)
    assert (result.verdict, result.has_transform) == ("refused", False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "magic"}, "no method 'magic'"),
        ({"method": "sift", "colour": 3}, "no parameter 'colour'"),
        ({"method": "sift", "ratio": 7}, "'ratio'"),
        ({"signal": "smell"}, "'smell'"),
        ({"fixed_channel": "CD3"}, "no channel 'CD3'"),
        ({"moving_channel": 99}, "no channel 99"),
    ],
)
def test_wishes_that_cannot_be_met_are_named(pair, options, words):
    with pytest.raises(ValueError, match=words):
        register(pair.fixed, pair.moving, **options)


def test_a_file_that_is_not_there_is_a_read_error(pair):
    with pytest.raises(ReadError):
        register("nowhere.svs", pair.moving)


def test_a_slide_given_open_stays_open(pair):
    slide = open_slide(np.random.default_rng(0).integers(0, 255, (80, 80, 3)).astype(np.uint8))
    register(slide, slide, method="sift", must_find=False)
    assert slide.read_level(0).shape == (3, 80, 80)


@pytest.mark.parametrize("method", ["sift", "ecc", "auto"])
def test_cancelling_passes_through(pair, method):
    def stop(fraction, message):
        if fraction > 0.05:
            raise Cancelled

    with pytest.raises(Cancelled):
        register(pair.fixed, pair.moving, method=method, progress=stop)


def test_a_method_that_needs_a_start_is_given_the_automatic_one():
    """The pair is turned by far more than bending can undo."""
    pair = phantom_pair(700, angle_deg=25, mirrored=False, scale=1.0)
    result = register(pair.fixed, pair.moving, method="instance", iterations=5, levels=1, max_side_px=128)
    assert result.verdict == "accepted"
    assert [step.name for step in result.steps][-3:] == ["find", "instance", "verdict"]


@pytest.mark.parametrize("method", ["sift", "ecc", "auto"])
def test_progress_rises_from_0_to_1(ran, method):
    _, seen = ran(method)
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] == 1


def test_the_vessels_of_a_slide_are_looked_for_once_in_all_pairs_of_a_group(monkeypatch):
    made = []

    def noted(slide, how, channel=None):
        made.append(slide.name)
        return vessel_slide(slide, how, channel)

    module = importlib.import_module("napari_histreg.registration.register")
    monkeypatch.setattr(module, "vessel_slide", noted)
    cache, results = ArrayCache(50_000_000), ResultCache(10)
    one, two = (
        remember_overviews(open_slide(np.moveaxis(retina(), -1, 0), name=name), cache, results)
        for name in "ab"
    )
    for fixed, moving in ((one, two), (two, one)):
        register(fixed, moving, method="phase", signal="vessels", must_find=False)
    assert sorted(made) == ["a", "b"]
