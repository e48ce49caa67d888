"""The same results from a Dask cluster whose parts were started by hand."""

import subprocess
import sys
import time

import pytest

from napari_histreg.cohorts import RunSettings, read_cases, run_cohort
from napari_histreg.errors import HistregError
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import write_slide

distributed = pytest.importorskip("distributed", reason='needs the extra "cluster"')


@pytest.fixture
def scheduler_file(tmp_path):
    """Start a scheduler and two workers as processes of their own."""
    file = tmp_path / "scheduler.json"
    dask = (sys.executable, "-m", "dask")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    address = ("--scheduler-file", str(file))
    parts = [
        subprocess.Popen(
            [*dask, "scheduler", *address, "--port", "0", "--no-dashboard", "--host", "127.0.0.1"], **quiet
        )
    ]
    worker = [*dask, "worker", *address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
    parts += [subprocess.Popen(worker, **quiet) for _ in range(2)]
    deadline = time.monotonic() + 120
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    yield file
    for part in reversed(parts):
        part.terminate()
    for part in parts:
        part.wait(timeout=60)


@pytest.mark.thorough
def test_a_cluster_gives_the_same_to_the_last_digit(tmp_path, scheduler_file):
    lines = ["case,fixed,moving,method"]
    for number in range(2):
        pair = phantom_pair(300, angle_deg=3.0, seed=number)
        for side, slide in (("fixed", pair.fixed), ("moving", pair.moving)):
            write_slide(slide, tmp_path / f"{side}{number}.ome.tif")
        lines.append(f"K{number},fixed{number}.ome.tif,moving{number}.ome.tif,moments")
    lines.append("missing,nothing.tif,moving0.ome.tif,")
    (tmp_path / "cases.csv").write_text("\n".join(lines) + "\n")
    cases = read_cases(tmp_path / "cases.csv")
    here = run_cohort(cases, tmp_path / "here", RunSettings(workers=2, report=False))
    events = []
    there = run_cohort(
        cases,
        tmp_path / "there",
        RunSettings(scheduler=str(scheduler_file), report=False),
        listeners=[events.append],
    )
    assert [note.state for note in there.notes] == [note.state for note in here.notes]
    assert [note.state for note in there.notes] == ["accepted", "accepted", "failed"]
    assert "nothing.tif" in there.notes[2].reason
    for note, other in zip(here.notes, there.notes, strict=True):
        assert (note.confidence, note.reason) == (other.confidence, other.reason)
    for name in ("K0", "K1"):
        for file in ("matrix.csv", "landmarks.csv", "overlay.png"):
            one, two = tmp_path / "here" / name / file, tmp_path / "there" / name / file
            assert one.exists() == two.exists()
            if one.exists():
                assert one.read_bytes() == two.read_bytes(), (name, file)
    assert (tmp_path / "there" / "K0" / "overlay.png").exists()
    assert {event.case for event in events if event.kind == "begun"} == {"K0", "K1", "missing"}


def test_no_scheduler_is_said_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_histreg.cohorts.cluster.CONNECT_SECONDS", 1.0)
    (tmp_path / "cases.csv").write_text("case,fixed,moving\na,b.tif,c.tif\n")
    with pytest.raises(HistregError, match="No Dask scheduler answers"):
        run_cohort(
            read_cases(tmp_path / "cases.csv"),
            tmp_path / "results",
            RunSettings(scheduler="tcp://127.0.0.1:9"),
        )
    assert not (tmp_path / "results" / "cohort.lock").exists()
