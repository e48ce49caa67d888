"""Cases end alone, the table is complete, and a second run does nothing that is done."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from napari_histreg.cohorts import RunSettings, read_cases, run_cohort
from napari_histreg.cohorts.note import read_note, write_note
from napari_histreg.cohorts.run import run_row
from napari_histreg.errors import Cancelled, WriteError
from napari_histreg.records.record import Outcome
from napari_histreg.registration import register
from napari_histreg.registration.folder import write_folder
from napari_histreg.samples import phantom_pair

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="ends processes by signals of POSIX")


def table_of(folder):
    with (folder / "cohort.csv").open(encoding="utf-8", newline="") as file:
        return {row["case"]: row for row in csv.DictReader(file)}


@POSIX
def test_a_poisoned_case_ends_alone_and_says_why(make_cases, run):
    cases = make_cases("a", "killed", "refused", "eater", "failed", "exit", "slow", "b")
    result, events = run(cases, workers=2, retries=0, memory_bytes=500e6, timeout_seconds=8)
    found = table_of(result.folder)
    assert list(found) == [case.name for case in cases]
    states = {name: row["state"] for name, row in found.items()}
    assert states == {
        "a": "accepted", "killed": "failed", "refused": "refused", "eater": "failed", "failed": "failed",
        "exit": "failed", "slow": "failed", "b": "accepted",
    }  # fmt: skip
    for name, words in {
        "killed": "SIGKILL", "eater": "0.5 GB", "failed": "the file is broken", "exit": "exit code 7",
        "slow": "8 s", "refused": "nothing fits",
    }.items():  # fmt: skip
        assert words in found[name]["reason"], found[name]
        assert read_note(result.folder / name).reason == found[name]["reason"]
    assert float(found["eater"]["peak_memory_mb"]) > 400
    assert [event.kind for event in events].count("done") == len(cases)
    assert events[-1].finished == len(cases)
    assert {json.loads(line)["kind"] for line in (result.folder / "cohort.jsonl").open()} >= {"start", "end"}
    # All that was started is gone.
    assert not [
        p for p in psutil.Process().children(recursive=True) if "fake_worker" in " ".join(p.cmdline())
    ]


def test_only_what_can_pass_is_tried_again(make_cases, run):
    result, events = run(make_cases("once", "failed"), retries=2)
    assert [note.state for note in result.notes] == ["accepted", "failed"]
    assert [note.attempts for note in result.notes] == [2, 1]
    assert [event.case for event in events if event.kind == "again"] == ["once"]


def test_what_is_done_and_unchanged_is_not_run_again(make_cases, run, tmp_path):
    cases = make_cases("a", "b", "refused", "failed")
    first, _ = run(cases)
    before = (first.folder / "cohort.csv").read_bytes()
    again, events = run(cases)
    assert (first.ran, again.ran) == (4, 0)
    assert [event.kind for event in events] == ["start", "end"]
    assert (first.folder / "cohort.csv").read_bytes() == before

    (tmp_path / "b_moving.tif").write_bytes(b"another slide")
    (tmp_path / "refused_moving.tif").unlink()
    _, events = run(cases)
    assert {event.case for event in events if event.kind == "done"} == {"b", "refused"}
    other = read_cases(tmp_path / "cases.csv", usual=cases[0].options.model_copy(update={"method": "sift"}))
    assert run(other)[0].ran == 4
    assert run(other, force=True)[0].ran == 4


def test_a_choice_of_cases_is_done_again_and_stays(make_cases, run, tmp_path):
    cases = make_cases("a", "refused", "failed")
    run(cases)
    other = read_cases(tmp_path / "cases.csv", usual=cases[0].options.model_copy(update={"method": "sift"}))
    result, events = run(other, only=("refused",))
    assert [event.case for event in events if event.kind == "done"] == ["refused"]
    assert result.notes[1].method == "sift"
    # The table as it is does not undo what was asked for on top of it, and neither does asking anew.
    assert run(cases)[0].ran == 0
    assert run(other, only=("refused",))[0].ran == 1
    assert run(cases)[0].ran == 0


def test_what_a_person_corrected_is_left_alone(make_cases, run):
    cases = make_cases("a", "refused")
    first, _ = run(cases)
    by_hand = first.notes[1].model_copy(update={"state": "accepted", "made_by": "hand"})
    write_note(by_hand, first.folder / "refused")
    again, _ = run(cases, force=True)
    assert again.ran == 1
    assert table_of(again.folder)["refused"]["made_by"] == "hand"


def test_a_corrected_record_is_found_and_kept(make_cases, run):
    cases = make_cases("refused", "failed", "a")
    first, _ = run(cases)
    pair = phantom_pair(200)
    record = register(pair.fixed, pair.moving, method="phase", must_find=False)
    corrected = replace(
        record, outcome=Outcome(pair.fixed_to_moving, "accepted", None, ("A person says so.",))
    )
    for name in ("refused", "failed"):
        write_folder(corrected, first.folder / name, pair.fixed, pair.moving)
    again, _ = run(cases, force=True)
    assert again.ran == 1
    found = table_of(again.folder)
    assert {name: (row["state"], row["made_by"]) for name, row in found.items()} == {
        "refused": ("accepted", "hand"),
        "failed": ("accepted", "hand"),
        "a": ("accepted", "program"),
    }
    assert found["failed"]["reason"] == "A person says so."
    assert (first.folder / "failed" / "registration.json").exists()


def test_another_version_of_the_program_runs_all(make_cases, run, monkeypatch):
    cases = make_cases("a")
    run(cases)
    monkeypatch.setattr("napari_histreg.__version__", "99")
    assert run(cases)[0].ran == 1


@POSIX
def test_a_worker_that_dies_takes_no_file_of_others_with_it(make_cases, run, tmp_path):
    (tmp_path / "results" / "killed").mkdir(parents=True)
    (tmp_path / "results" / "killed" / "matrix.csv").write_text("somebody's")
    result, _ = run(make_cases("killed"), retries=0)
    assert result.notes[0].state == "failed"
    assert (result.folder / "killed" / "matrix.csv").read_text() == "somebody's"


def test_a_case_has_a_log_of_its_own(make_cases, run):
    result, _ = run(make_cases("talker"))
    said = (result.folder / "talker" / "log.txt").read_text()
    assert "what a library says" in said
    assert "what it complains of" in said


def test_one_run_at_a_time(make_cases, run, tmp_path, fake_worker):
    from napari_histreg.cohorts.lock import locked

    (tmp_path / "results").mkdir()
    with locked(tmp_path / "results"), pytest.raises(WriteError, match="another run"):
        run(make_cases("a"))
    # One that is gone holds nothing.
    (tmp_path / "results" / "cohort.lock").write_text(
        json.dumps({"token": "x", "host": os.uname().nodename, "pid": 2**22 + 1, "since": 0.0})
    )
    assert run(make_cases("a"))[0].ran == 1


def test_a_listener_can_stop_the_run(make_cases, tmp_path, fake_worker):
    def stop(event):
        if event.kind == "begun":
            raise Cancelled

    start = time.monotonic()
    with pytest.raises(Cancelled):
        run_cohort(make_cases("slow", "a"), tmp_path / "results", RunSettings(workers=1), listeners=[stop])
    assert time.monotonic() - start < 60
    assert set(table_of(tmp_path / "results")) == {"slow", "a"}
    assert not (tmp_path / "results" / "cohort.lock").exists()


def test_one_row_for_a_job_of_an_array(make_cases, tmp_path, fake_worker):
    cases = make_cases("a", "refused")
    assert run_row(cases[1], tmp_path / "results").state == "refused"
    assert not (tmp_path / "results" / "cohort.csv").exists()
    assert not (tmp_path / "results" / "a").exists()
    # A run of all then gathers it.
    assert run_cohort(cases, tmp_path / "results", RunSettings(workers=1)).ran == 1


PROGRAM = """
import sys
import napari_histreg.cohorts.attendance as attendance
from napari_histreg.cohorts import RunSettings, read_cases, run_cohort
attendance.WORKER = tuple(sys.argv[2:])
run_cohort(read_cases(sys.argv[1] + "/cases.csv"), sys.argv[1] + "/results", RunSettings(workers=1))
"""


@POSIX
def test_a_run_that_was_killed_goes_on_where_it_was(make_cases, run, tmp_path, fake_worker):
    names = ["a", "b", "c", "slow", "d", "e"]
    make_cases(*names)
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path), *fake_worker])
    journal = tmp_path / "results" / "cohort.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        begun = [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
        worker = next((e["pid"] for e in begun if e["kind"] == "begun" and e["case"] == "slow"), None)
        if worker is not None:
            break
        time.sleep(0.1)
    program.send_signal(signal.SIGKILL)
    program.wait()
    # The worker ends with the run, in the middle of its case.
    psutil.wait_procs([psutil.Process(worker)] if psutil.pid_exists(worker) else [], timeout=30)
    assert not psutil.pid_exists(worker)
    assert set(table_of(tmp_path / "results")) == set(names)

    result, events = run(read_cases(tmp_path / "cases.csv"), timeout_seconds=3)
    assert {event.case for event in events if event.kind == "done"} == {"slow", "d", "e"}
    assert [note.state for note in result.notes] == [*["accepted"] * 3, "failed", *["accepted"] * 2]
