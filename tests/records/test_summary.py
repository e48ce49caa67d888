"""A registration in a few lines: verdict, reasons, pose as a person would see it."""

import numpy as np
import pytest

from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.records.summary import summary
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Sequence, Similarity
from waves import Wave

RECORD = SlideRecord.of(open_slide(np.zeros((60, 80), np.uint8), name="s"))


def said(outcome):
    return summary(Registration(RECORD, RECORD, outcome, "sift"))


def test_verdict_confidence_and_reasons_come_first():
    lines = said(Outcome(Similarity.identity(), "doubtful", 0.4, ("Look twice.",))).splitlines()
    assert lines[0].startswith("Doubtful, confidence 0.40 (sift, ")
    assert lines[1] == "  Look twice."


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_pose_is_how_the_moving_slide_has_to_be_turned(mirrored):
    onto_fixed = Similarity.of(angle_deg=30, scale=2.0, mirrored=mirrored)
    text = said(Outcome(onto_fixed.inverse(), "accepted"))
    assert "turned by 30.0°, scaled by 2 (pixels)" in text
    assert ("mirrored" in text) == mirrored


def test_a_bend_and_a_guess_are_said():
    bent = Sequence.of(Wave(1.0, 40.0), Similarity.identity())
    assert "and bent" in said(Outcome(bent, "accepted"))
    assert "best guess" in said(Outcome(Similarity.identity(), "refused"))
    assert "best guess" not in said(Outcome(None, "refused"))
