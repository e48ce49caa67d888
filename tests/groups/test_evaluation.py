import csv
import re

import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import structural_similarity

from napari_histreg.groups import GroupRegistration, Member
from napari_histreg.groups.evaluation import evaluate_group, write_evaluation
from napari_histreg.groups.mask_views import mask_pictures
from napari_histreg.groups.report import write_group_report
from napari_histreg.preprocess.vessels import retina_field
from napari_histreg.records.record import SlideRecord
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Translation
from retinas import retina, vessels

SHIFTS = ((0, 0), (6, -9), (3, 3), (0, 14), (5, 5))


def rolled(picture, shift):
    return np.roll(picture, shift, axis=(0, 1))


@pytest.fixture(scope="module")
def case():
    """Five visits shifted by whole pixels; of the first four it is known where they lie."""
    slides = {k: open_slide(rolled(retina(), s), name=f"visit{k}.png") for k, s in enumerate(SHIFTS)}
    masks = {k: open_slide(rolled(vessels(), s).astype(np.uint8), name=f"m{k}") for k, s in enumerate(SHIFTS)}
    members = [
        Member(SlideRecord.of(slides[k]), Translation.of(np.array(s, float)), "accepted", 0.9)
        for k, s in enumerate(SHIFTS[:4])
    ]
    # The third lies 1 px wrong, the last nowhere.
    members[2] = Member(members[2].slide, Translation.of(np.array([4.0, 3.0])), "doubtful", 0.5)
    members.append(Member(SlideRecord.of(slides[4]), None, "refused", None, ("nothing fits",)))
    group = GroupRegistration(tuple(members), (), (), "template", 0, ordered=False, model="rigid")
    return group, slides, masks, evaluate_group(group, slides, masks)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_masks_are_carried_along_and_compared(case):
    _, _, _, found = case
    by_name = {score.name: score for score in found.scores}
    assert list(by_name) == ["visit1.png", "visit2.png", "visit3.png", "visit4.png"]
    for k in (1, 3):
        score = by_name[f"visit{k}.png"]
        assert score.before["dice"] == pytest.approx(dice(vessels(), rolled(vessels(), SHIFTS[k])))
        assert score.after["dice"] == pytest.approx(1.0)
    wrong = dice(vessels(), rolled(vessels(), (-1, 0)))
    assert by_name["visit2.png"].after["dice"] == pytest.approx(wrong, abs=1e-6)
    assert (by_name["visit4.png"].verdict, by_name["visit4.png"].after) == ("refused", {})


def test_pictures_are_compared_within_their_fields(case):
    _, _, _, found = case
    inside = retina_field(np.moveaxis(retina(), -1, 0))
    score = found.scores[0]
    assert (score.after["l1"], score.after["ncc"]) == pytest.approx((0.0, 1.0), abs=1e-6)
    assert score.after["ssim"] == pytest.approx(1.0, abs=1e-6)
    green = retina()[..., 1].astype(float)
    low, high = np.percentile(green[inside], [0.5, 99.8])
    plane = np.clip((green - low) / (high - low), 0, 1) * inside
    other, both = rolled(plane, SHIFTS[1]), inside & rolled(inside, SHIFTS[1])
    assert score.before["l1"] == pytest.approx(np.abs(plane - other)[both].mean(), rel=1e-4)
    assert score.before["ncc"] == pytest.approx(np.corrcoef(plane[both], other[both])[0, 1], rel=1e-4)
    _, each = structural_similarity(plane * both, other * both, data_range=1.0, full=True)
    windows = ndimage.binary_erosion(both, np.ones((7, 7)))
    assert score.before["ssim"] == pytest.approx(each[windows].mean(), rel=1e-3)


def test_best_median_and_worst_are_those_by_dice(case):
    group, _, masks, found = case
    names = {word: score.name for word, score in found.examples.items()}
    assert names["worst"] == "visit2.png"
    assert {names["best"], names["median"]} == {"visit1.png", "visit3.png"}
    pictures = mask_pictures(group, found, masks)
    assert [view["name"] for view in pictures] == [f"{word}: {name}" for word, name in names.items()]
    # After, the best is white on black: no magenta and no green.
    half = pictures[0]["picture"][60:-10, pictures[0]["picture"].shape[1] // 2 + 10 :].astype(int)
    assert np.abs(half[..., 0] - half[..., 1]).max() == 0
    assert half.max() == 255


def test_the_table_and_the_page_hold_the_figures(case, tmp_path):
    group, slides, masks, found = case
    with write_evaluation(found, tmp_path / "e.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["slide"] for row in rows] == ["visit1.png", "visit2.png", "visit3.png", "visit4.png", "mean"]
    after = [float(row["dice_after"]) for row in rows[:3]]
    assert float(rows[4]["dice_after"]) == pytest.approx(np.mean(after), abs=1e-4)
    assert rows[3]["dice_after"] == ""
    page, _ = write_group_report(group, tmp_path / "r.html", slides, evaluation=found, masks=masks)
    text = page.read_text(encoding="utf-8")
    assert "How well the masks meet" in text
    for word in ("best", "median", "worst"):
        assert re.search(rf"<figcaption>{word}: visit\d.png", text)
