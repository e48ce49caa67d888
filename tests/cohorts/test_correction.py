import csv

import pytest

from napari_histreg.cohorts.correction import notes_of, take_corrections
from napari_histreg.cohorts.lock import locked
from napari_histreg.errors import WriteError


def test_what_is_known_of_cases(make_cases, run, tmp_path):
    cases = make_cases("a", "refused", "b")
    assert [note.state for note in notes_of(cases, tmp_path / "nowhere")] == ["waiting"] * 3
    run(cases[:2])
    (tmp_path / "results" / "refused" / "case.json").write_text("{")
    assert [note.state for note in notes_of(cases, tmp_path / "results")] == [
        "accepted",
        "waiting",
        "waiting",
    ]


def test_the_table_is_written_anew_but_not_into_a_run(make_cases, run, tmp_path):
    cases = make_cases("a", "b")
    run(cases)
    folder = tmp_path / "results"
    for name in ("cohort.csv", "cohort.html"):
        (folder / name).unlink()
    with locked(folder), pytest.raises(WriteError, match="another run"):
        take_corrections(cases, folder)
    assert [note.state for note in take_corrections(cases, folder)] == ["accepted", "accepted"]
    assert [row["case"] for row in csv.DictReader((folder / "cohort.csv").open())] == ["a", "b"]
    assert (folder / "cohort.html").is_file()
