"""Errors of many pairs, from the shell."""

import json

import pytest

from napari_histreg.landmarks import Landmarks, write_landmarks
from napari_histreg.records.document import write_registration
from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.transforms import Translation

PAIRS = Landmarks.of([[10, 20], [200, 30], [90, 180]], [[10, 20], [200, 30], [90, 180]])


@pytest.fixture
def cohort(tmp_path):
    """Three results that are 0, 5 and 10 px off, a diagonal of 500 px, and landmarks for all."""
    (tmp_path / "truth").mkdir()
    sides = [SlideRecord(n, None, (300, 400), None, ("DAPI",), "aa") for n in ("he", "if")]
    for name, off in (("a", 0), ("b [1]", 5), ("c", 10)):
        outcome = Outcome(Translation.of((0, off)), "accepted", 0.9)
        (tmp_path / "results" / name).mkdir(parents=True)
        write_registration(
            Registration(*sides, outcome, "auto"), tmp_path / "results" / name / "registration.json"
        )
        write_landmarks(PAIRS, tmp_path / "truth" / f"{name}.csv")
    return tmp_path


def test_a_folder_of_pairs_gives_a_table_and_a_summary(histreg, cohort):
    ended = histreg("evaluate", cohort / "results", cohort / "truth", "-o", cohort / "scores.csv")
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[2].split() == ["b", "[1]", "accepted", "3", "5.000", "–", "1.000", "1.000", "0.000"]
    assert "3 pairs: 3 accepted" in ended.out
    assert "mean of the medians 1.000" in ended.out
    assert (cohort / "scores.csv").read_text().count("\n") == 4
    values = json.loads(histreg("evaluate", cohort / "results", cohort / "truth", "--json").out)
    assert values["summary"]["median_median_rtre"] == pytest.approx(0.01)


def test_what_is_missing_is_said(histreg, cohort):
    (cohort / "truth" / "c.csv").unlink()
    ended = histreg("evaluate", cohort / "results", cohort / "truth")
    assert ended.code == 0
    assert "c: There are no landmarks for it." in ended.err
    ended = histreg("evaluate", cohort / "truth", cohort / "truth")
    assert ended.code == 1
    assert "no registration.json" in ended.err
