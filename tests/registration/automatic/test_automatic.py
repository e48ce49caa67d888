import numpy as np
import pytest

from napari_histreg.errors import Cancelled
from napari_histreg.records.record import StepLog
from napari_histreg.registration.automatic.automatic import Automatic
from napari_histreg.registration.automatic.overview import look_at
from napari_histreg.registration.automatic.plan import Plan, scale_ranges
from napari_histreg.registration.automatic.tile_refinement import finer_spacings, sharpen
from napari_histreg.registration.automatic.tiles import Side
from napari_histreg.registration.request import Request
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Affine, Similarity


def align(fixed, moving, request=None, **parameters):
    log = StepLog()
    outcome = Automatic(**parameters).align(fixed, moving, request or Request(), log=log)
    return outcome, {step.name: step for step in log.steps}


def error_um(transform, pair):
    line = np.linspace(0.2, 0.8, 9)
    points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) * pair.fixed.size
    return float(np.median(np.linalg.norm(transform(points) - pair.fixed_to_moving(points), axis=1)))


def whole(slide, **kwargs):
    """The slide's pixels as a slide without a pixel size."""
    return open_slide(slide.read_level(0), **kwargs)


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(900, angle_deg=110, mirrored=True)


@pytest.fixture(scope="module")
def found(pair):
    return align(pair.fixed, pair.moving)


def test_another_stain_turned_and_mirrored_is_aligned(pair, found):
    outcome, steps = found
    assert outcome.verdict == "accepted", outcome.reasons
    assert outcome.confidence > 0.9
    assert error_um(outcome.fixed_to_moving, pair) < 0.5
    assert list(steps)[:3] == ["look", "find", "sharpen"]
    assert steps["look"].scores["fixed light"] == "brightfield"
    assert steps["look"].scores["moving light"] == "fluorescence"
    assert steps["find"].scores["found by"] == "quick search"


def test_the_same_again_is_the_same(pair, found):
    again, _ = align(pair.fixed, pair.moving)
    assert np.array_equal(again.fixed_to_moving.matrix, found[0].fixed_to_moving.matrix)
    assert again.confidence == found[0].confidence


def test_exchanged_slides_give_the_inverse(pair, found):
    back, _ = align(pair.moving, pair.fixed)
    points = np.random.default_rng(0).uniform(0.2, 0.8, (50, 2)) * pair.fixed.size
    there_and_back = back.fixed_to_moving(found[0].fixed_to_moving(points))
    assert np.linalg.norm(there_and_back - points, axis=1).max() < pair.fixed.world_pixel_size[0]


def test_unknown_pixel_sizes_are_searched(pair):
    fixed, moving = whole(pair.fixed), whole(pair.moving)
    outcome, _ = align(fixed, moving)
    assert outcome.verdict == "accepted", outcome.reasons
    points = np.array([[300.0, 300], [600, 450], [450, 700]])
    size = np.array(pair.fixed.world_pixel_size), np.array(pair.moving.world_pixel_size)
    truth = pair.fixed_to_moving(points * size[0]) / size[1]
    assert np.linalg.norm(outcome.fixed_to_moving(points) - truth, axis=1).max() < 2.0


def test_a_given_start_joins(pair):
    start = Similarity(pair.fixed_to_moving.matrix)
    outcome, steps = align(pair.fixed, pair.moving, Request(initial=start))
    assert "given start" in steps["find"].scores
    assert outcome.verdict == "accepted"
    wrong = Similarity.of(scale=1.0, angle_deg=5)
    outcome, _ = align(pair.fixed, pair.moving, Request(initial=wrong))
    assert error_um(outcome.fixed_to_moving, pair) < 0.5


def test_a_channel_that_the_user_names_is_used(pair):
    outcome, steps = align(pair.fixed, pair.moving, Request(moving_channel="DAPI"))
    assert steps["look"].scores["moving channels"] == ["DAPI"]
    assert outcome.verdict == "accepted"


@pytest.mark.parametrize(
    ("pixels", "word"),
    [
        (np.zeros((300, 300), np.uint8), "blank"),
        (np.full((300, 300, 3), 255, np.uint8), "blank"),
        (np.full((300, 300), np.nan, np.float32), "valid"),
        (np.full((300, 300), np.inf, np.float32), "valid"),
        (np.zeros((1, 1), np.uint8), "1 x 1"),
        (np.arange(10_000, dtype=np.uint16)[None], "1 x 10000"),
        (np.random.default_rng(0).normal(size=(300, 300)), "noise"),
        (np.where(np.random.default_rng(0).random((300, 300)) < 0.5, 255, 254).astype(np.uint8), "noise"),
    ],
    ids=["black", "white", "nan", "infinite", "one pixel", "one row", "noise", "saturated"],
)
def test_what_holds_nothing_is_refused_at_once_and_says_so(pair, pixels, word):
    outcome, _ = align(pair.fixed, open_slide(pixels))
    assert (outcome.verdict, outcome.fixed_to_moving) == ("refused", None)
    assert word in outcome.reasons[0]


def test_infinities_and_nan_regions_are_left_out(pair):
    pixels = pair.moving.read_level(0).astype(np.float32)
    pixels[:, :100] = np.nan
    pixels[:, 200:240, 300:350] = np.inf
    outcome, steps = align(pair.fixed, open_slide(pixels, pixel_size_um=pair.moving.pixel_size_um))
    assert outcome.verdict == "accepted", outcome.reasons
    assert error_um(outcome.fixed_to_moving, pair) < 1.0
    assert steps["look"].scores["moving valid"] < 0.9


def test_cancelling_ends_it(pair):
    told = []

    def stop(fraction, message):
        told.append(fraction)
        if len(told) > 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        Automatic().align(pair.fixed, pair.moving, Request(), log=StepLog(), progress=stop)
    assert told == sorted(told)


def test_whole_slides_are_sharpened_by_tiles():
    pair = phantom_pair(12_000, angle_deg=35, mirrored=True)
    sides = Side(pair.fixed, look_at(pair.fixed)), Side(pair.moving, look_at(pair.moving))
    off = pair.fixed_to_moving.matrix @ np.array([[1.0005, 0, 4], [0, 1, -5], [0, 0, 1]])
    notes = {}
    found = sharpen(sides, off, notes)
    assert error_um(Affine(off), pair) > 4
    assert error_um(Affine(found), pair) < 1.0
    assert notes["spacings"]


def test_small_slides_need_no_tiles(pair):
    sides = tuple(Side(s, look_at(s)) for s in (pair.fixed, pair.moving))
    assert finer_spacings(sides, pair.fixed_to_moving.matrix) == []


def test_later_attempts_are_planned_but_not_prepared(pair):
    overviews = look_at(pair.fixed), look_at(pair.moving)
    names = [a.name for a in Plan((pair.fixed, pair.moving), overviews, Request()).attempts()]
    assert names[:4] == ["plain starts", "quick search", "thorough search", "exhaustive search"]
    assert "quick search, any scale" in names
    assert "mutual information" in names
    known, unknown = scale_ranges(overviews[0].picture, overviews[1].picture, play=0.12, widest=2.6)
    assert unknown[0] < known[0] < known[1] < unknown[1]


def test_parameters_are_bounded():
    with pytest.raises(ValueError, match="scale_play"):
        Automatic(scale_play=2)
    assert Automatic().model_dump()["mirror"] is True
