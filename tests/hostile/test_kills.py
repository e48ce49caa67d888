"""Runs that are stopped at random times leave the old result, the new one, or none: never a half.

A few stops in every test run; with HISTREG_KILLS=20 (make hostile) so many of each signal for each verb.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_histreg.files.digest import file_digest
from napari_histreg.geometry import Region
from napari_histreg.samples import demo_pair
from napari_histreg.slides import open_slide

KILLS = int(os.environ.get("HISTREG_KILLS", "1"))
FIXED, MOVING, RECORD = "demo_ihc.ome.tif", "demo_if.ome.tif", "out/registration.json"
PAIRS = (
    "name,enabled,fixed_x_px,fixed_y_px,moving_x_px,moving_y_px\n"
    "a,true,10,10,11,12\nb,true,200,20,203,22\nc,true,30,210,31,214\nd,true,190,200,193,203\n"
)
VERBS = {
    "register": ("register", FIXED, MOVING, "--landmarks", "pairs.csv", "-o", "out"),
    "warp": ("warp", RECORD, "-o", "warped.ome.tif"),
    "warp to zarr": ("warp", RECORD, "-o", "warped.ome.zarr"),
    "fuse": ("fuse", RECORD, "-o", "fused.ome.tif"),
    "report": ("report", RECORD, "-o", "report.html"),
    "transform": ("transform", RECORD, "cells.csv", "-o", "carried.csv"),
    "convert": ("convert", RECORD, "matrix.tfm", "--to", "itk"),
    "evaluate": ("evaluate", RECORD, "pairs.csv", "-o", "scores.csv"),
    "demo": ("demo", "-o", "demo"),
}
SOME = ("register", "warp to zarr")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def start(line, folder):
    return subprocess.Popen(
        [sys.executable, "-m", "napari_histreg", *line],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("kills")
    demo_pair(place)
    (place / "pairs.csv").write_text(PAIRS)
    (place / "cells.csv").write_text("x,y\n" + "1.5,2.5\n" * 20000)
    run = start(VERBS["register"], place)
    assert run.wait(timeout=200) == 0
    return place


def is_listening(run):
    """Tell whether the program has taken SIGTERM into its own hands."""
    status = Path(f"/proc/{run.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1]
    return bool(int(caught, 16) & 1 << (signal.SIGTERM - 1))


def check(place):
    """Whatever lies under a final name is whole, and of one run."""
    for name in ("warped.ome.tif", "warped.ome.zarr", "fused.ome.tif"):
        if (place / name).exists():
            with open_slide(place / name) as slide:
                height, width = slide.shape
                slide.read(0, Region(height - 1, width - 1, 1, 1))
    for record in (place / "out" / "registration.json", place / "demo" / "registration.json"):
        if record.exists():
            for name, digest in json.loads(record.read_text())["files"].items():
                assert file_digest(record.parent / name) == digest, f"{name} is of another run"
    if (place / "report.json").exists():
        json.loads((place / "report.json").read_text())
        assert "</html>" in (place / "report.html").read_text()
    for name in ("carried.csv", "scores.csv", "matrix.tfm"):
        if (place / name).exists():
            assert (place / name).stat().st_size > 40


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize("how", SIGNALS, ids=lambda how: how.name)
@pytest.mark.parametrize("verb", list(VERBS) if KILLS > 1 else SOME)
@pytest.mark.timeout(3600)
def test_stopped_runs_leave_nothing_half(folder, tmp_path, verb, how):
    place = tmp_path / "place"
    shutil.copytree(folder, place)
    began = time.monotonic()
    assert start(VERBS[verb], place).wait(timeout=300) == 0
    usual = time.monotonic() - began
    chance = random.Random(f"{verb} {how}")
    for _ in range(KILLS):
        run = start(VERBS[verb], place)
        while run.poll() is None and not is_listening(run):
            time.sleep(0.01)
        time.sleep(chance.random() * usual)
        run.send_signal(how)
        _, said = run.communicate(timeout=300)
        assert run.returncode in (0, -signal.SIGKILL, 128 + how), said
        assert "Traceback" not in said
        if run.returncode == 128 + how:
            assert said.strip() == "Stopped. No half-written file was left."
        check(place)
    again = start(VERBS[verb], place)
    _, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
    check(place)
    assert not [path for path in place.rglob(".*") if "histreg" in path.name], "strays are left"
