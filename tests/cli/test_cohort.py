"""``histreg cohort``: its exit codes, what it prints, and how it is stopped."""

import csv
import json
import signal
import subprocess
import sys
import time

import pytest

from cohort_fakes import FAKE_WORKER


@pytest.fixture
def cases(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_histreg.cohorts.attendance.WORKER", FAKE_WORKER)

    def make(*names):
        lines = ["case,fixed,moving", *(f"{name},{name}.tif,other.tif" for name in names)]
        (tmp_path / "cases.csv").write_text("\n".join(lines) + "\n")
        return tmp_path / "cases.csv"

    return make


@pytest.mark.parametrize(
    ("names", "code"), [(("a", "b"), 0), (("a", "refused"), 3), (("a", "refused", "failed"), 1)]
)
def test_the_exit_code_says_the_worst(histreg, cases, tmp_path, names, code):
    ended = histreg("cohort", cases(*names), "-o", tmp_path / "out", "--workers", 1, "--retries", 0)
    assert ended.code == code, ended.err
    assert f"{len(names)} cases: " in ended.out
    assert str(tmp_path / "out" / "cohort.html") in ended.out
    assert f"{len(names)} of {len(names)} cases done" in ended.err


def test_events_for_programs(histreg, cases, tmp_path):
    ended = histreg("cohort", cases("a", "refused"), "-o", tmp_path / "out", "--workers", 1, "--json")
    events = [json.loads(line) for line in ended.out.splitlines()]
    assert [event["kind"] for event in events] == ["start", "begun", "done", "begun", "done", "end"]
    assert {event["case"]: event["state"] for event in events if event["kind"] == "done"} == {
        "a": "accepted",
        "refused": "refused",
    }


def test_a_single_row(histreg, cases, tmp_path):
    table = cases("a", "refused")
    assert histreg("cohort", table, "-o", tmp_path / "out", "--row", 2).code == 3
    assert not (tmp_path / "out" / "a").exists()
    assert histreg("cohort", table, "-o", tmp_path / "out", "--row", 3).code == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--only", "bad"), "none of accepted"),
        (("--memory", "much"), "4GB"),
        (("--timeout", "-1s"), "30min"),
        (("--path-map", "x"), "OLD=NEW"),
        (("--method", "nonsense"), "There is no method"),
        (("--signal", "loud"), "nuclear"),
    ],
)
def test_wrong_usage(histreg, cases, tmp_path, options, words):
    ended = histreg("cohort", cases("a"), "-o", tmp_path / "out", *options)
    assert ended.code == 2
    assert words in ended.err
    assert not (tmp_path / "out").exists()


def test_a_bad_table(histreg, tmp_path):
    ended = histreg("cohort", tmp_path / "none.csv", "-o", tmp_path / "out")
    assert ended.code == 1
    assert "--init" in ended.err


def test_a_table_from_a_folder(histreg, tmp_path):
    for name in ("K1_HE.svs", "K1_IF.tif", "K2_HE.svs"):
        (tmp_path / name).touch()
    ended = histreg("cohort", tmp_path / "cases.csv", "--init", tmp_path)
    assert ended.code == 0, ended.err
    assert "K2_HE.svs" in ended.err
    with (tmp_path / "cases.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"case": "K1", "fixed": "K1_HE.svs", "moving": "K1_IF.tif"}]


PROGRAM = """
import sys
import napari_histreg.cohorts.attendance as attendance
from napari_histreg.cli import main
attendance.WORKER = tuple(sys.argv[1].split("|"))
sys.argv[1:] = sys.argv[2:]
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal of POSIX")
def test_ctrl_c_stops_it_and_its_workers(cases, tmp_path):
    out = tmp_path / "out"
    command = ["cohort", str(cases("slow", "a")), "-o", str(out), "--workers", "1"]
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "|".join(FAKE_WORKER), *command],
        stderr=subprocess.PIPE,
        text=True,
        # A shell has what it runs in the background ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (out / "slow" / "log.txt").exists():
        time.sleep(0.1)
    program.send_signal(signal.SIGINT)
    _, said = program.communicate(timeout=60)
    assert program.returncode == 130
    assert "Stopped" in said
    assert "Traceback" not in said
    assert not (out / "cohort.lock").exists()
    with (out / "cohort.csv").open(newline="") as file:
        assert {row["case"]: row["state"] for row in csv.DictReader(file)}["a"] == "waiting"
