import numpy as np
import pytest

from napari_histreg.matching.left_out_blocks import Agreement
from napari_histreg.matching.picture import Picture
from napari_histreg.registration.automatic.hypotheses import propose_rivals
from napari_histreg.registration.automatic.verdict import (
    CRITERIA,
    Measures,
    decide,
    judge,
    judge_transform,
    overlap_share,
)
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Affine, Translation
from phantoms import pair

CLEAR = Measures(20.0, 3.0, Agreement(30, 40, 0.056), 0.8)
CHANCE = Measures(5.0, 1.05, Agreement(2, 40, 0.056), 0.8)


def picture(raster):
    return Picture.of(raster)


@pytest.fixture(scope="module")
def case():
    return pair(angle_deg=70, mirrored=True, stains=("nuclear", "inverted"))


@pytest.fixture(scope="module")
def pictures(case):
    return picture(case.fixed), picture(case.moving)


def with_(measures, **changes):
    return Measures(**{**{k: getattr(measures, k) for k in Measures.__dataclass_fields__}, **changes})


def test_clear_and_chance_are_told_apart_with_reasons():
    assert decide(CLEAR).word == "accepted"
    assert decide(CHANCE).word == "refused"
    for verdict in (decide(CLEAR), decide(CHANCE)):
        assert len(verdict.reasons) == 3
        assert set(verdict.measures) >= {"stand_out", "margin", "agreement", "overlap"}


@pytest.mark.parametrize(
    "weak", [{"stand_out": 3.0}, {"margin": 0.5}, {"agreement": Agreement(0, 40, 0.056)}]
)
def test_no_single_strong_measure_is_enough(weak):
    measures = with_(Measures(10.0, 1.6, Agreement(8, 40, 0.056), 0.8), **weak)
    assert decide(measures).word != "accepted"


@pytest.mark.parametrize("name", ["stand_out", "margin"])
def test_confidence_rises_with_each_measure(name):
    values = [decide(with_(CHANCE, **{name: v})).confidence for v in (1.0, 2.0, 5.0, 20.0)]
    assert values == sorted(values)
    assert 0 <= values[0] < values[-1] <= 1


def test_confidence_rises_with_agreeing_blocks():
    values = [decide(with_(CHANCE, agreement=Agreement(k, 40, 0.056))).confidence for k in (2, 6, 15, 40)]
    assert values == sorted(values)


def test_what_tissue_cannot_be_is_refused_whatever_else():
    verdict = decide(with_(CLEAR, plausible=False))
    assert (verdict.word, verdict.confidence) == ("refused", 0.0)
    assert decide(with_(CLEAR, overlap=0.01)).word == "refused"


def test_little_overlap_is_mentioned():
    assert any("20 %" in reason for reason in decide(with_(CLEAR, overlap=0.2)).reasons)


def test_a_pose_from_anywhere_can_be_judged(case, pictures):
    right = judge(*pictures, case.fixed_to_moving.matrix)
    assert right.word == "accepted", right.reasons
    off = case.fixed_to_moving.matrix @ Affine([[1, 0, 20], [0, 1, 15], [0, 0, 1]]).matrix
    assert judge(*pictures, off).word == "refused"


def test_the_pose_itself_is_no_rival(case, pictures):
    rivals = propose_rivals(*pictures, case.fixed_to_moving.matrix)
    assert max(r.z for r in rivals) > 15
    verdict = judge(*pictures, case.fixed_to_moving.matrix, hypotheses=rivals)
    assert verdict.measures["margin"] > CRITERIA.margin


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.full((3, 3), np.nan), np.diag([1.0, 5.0, 1.0])])
def test_impossible_transforms_are_refused(pictures, matrix):
    assert judge(*pictures, matrix).word == "refused"


def test_overlap_is_the_share_of_the_smaller_picture(pictures):
    half = np.array([[1.0, 0, 0], [0, 1, 128], [0, 0, 1]])
    assert overlap_share(*pictures, half) == pytest.approx(0.5, abs=0.03)
    assert overlap_share(*pictures, np.array([[1.0, 0, 0], [0, 1, 999], [0, 0, 1]])) == 0


def test_slides_are_judged_and_a_blank_one_is_refused(case):
    fixed, moving = (open_slide(r.pixels) for r in (case.fixed, case.moving))
    assert judge_transform(fixed, moving, case.fixed_to_moving).word == "accepted"
    assert judge_transform(fixed, moving, Translation.of((0, 0))).word == "refused"
    blank = judge_transform(fixed, open_slide(np.zeros((200, 200), np.uint8)), case.fixed_to_moving)
    assert (blank.word, blank.confidence) == ("refused", None)
    assert "blank" in blank.reasons[0]
