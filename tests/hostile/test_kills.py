"""Runs that are stopped at random times leave the old result, the new one, or none: never a half.

A few stops in every test run; with HISTREG_KILLS=20 (make hostile) so many of each signal for each verb.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_histreg.files.digest import file_digest
from napari_histreg.geometry import Region
from napari_histreg.samples import demo_pair, phantom_projections
from napari_histreg.slides import open_slide
from napari_histreg.volumes import Volume, write_volume

RECORDS = ("registration.json", "volume_registration.json", "alignment.json")
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
    "template": ("template", FIXED, MOVING, "--elbow", "elbow.png"),
    "group": ("group", FIXED, MOVING, "-o", "group", "--method", "phase", "--signal", "nuclear"),
    "of a group": ("report", "group/group.json", "-o", "group.html"),
    "cohort": ("cohort", "cases.csv", "-o", "results", "--workers", "1", "--no-reports"),
    "cohort table": (
        "cohort",
        "table.csv",
        "--init",
        ".",
        "--fixed-pattern",
        "{case}_ihc.*",
        "--moving-pattern",
        "{case}_if.*",
    ),
    "volumes": ("register", "--volume", "ct.nii.gz", "moved.nii.gz", "-o", "volumes", "-p", "search_deg=0"),
    "projections": ("projections", "scan.tif", "--angles", "angles.txt", "-o", "aligned"),
}
REFUSES = ("volumes",)
"""Too small to be trusted: exit code 3."""
NEVER_REPLACED = {"cohort table": "table.csv"}
"""What a verb refuses to write over, even if it wrote it itself."""
SLIDES = ("warped.ome.tif", "warped.ome.zarr", "fused.ome.tif")
WHOLE = {
    "report.json": json.loads,
    "report.html": lambda page: b"</html>" in page,
    "group.json": json.loads,
    "group.html": lambda page: b"</html>" in page,
    "group/group.json": json.loads,
    "results/cohort.csv": lambda table: len(table.splitlines()) == 3,
    "results/cohort_mqc.json": json.loads,
    "elbow.png": lambda picture: picture.endswith(b"IEND\xaeB`\x82"),
    **dict.fromkeys(("carried.csv", "scores.csv", "matrix.tfm", "table.csv"), lambda text: len(text) > 40),
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
    case = f"{FIXED},{MOVING},pairs.csv\n"
    (place / "cases.csv").write_text(f"case,fixed,moving,landmarks\nK1,{case}K2,{case}")
    made = phantom_projections(20, (32, 32), jitter_px=1, noise=0.01)
    tifffile.imwrite(place / "scan.tif", made.frames.astype(np.float32))
    (place / "angles.txt").write_text("\n".join(map(str, made.angles_deg)))
    for name, seed in (("ct", 0), ("moved", 1)):
        voxels = np.random.default_rng(seed).normal(100, 30, (12, 14, 16)).astype(np.float32)
        write_volume(Volume(name, voxels, np.diag([8.0, 7.0, 7.0, 1.0])), place / f"{name}.nii.gz")
    verbs = VERBS if KILLS > 1 else SOME
    for verb in ("register", *("group" for _ in "x" if "of a group" in verbs)):
        assert start(VERBS[verb], place).wait(timeout=200) == 0
    return place


def make_way(verb, place):
    if verb in NEVER_REPLACED:
        (place / NEVER_REPLACED[verb]).unlink(missing_ok=True)


def is_listening(run):
    """Tell whether the program has taken SIGTERM into its own hands."""
    status = Path(f"/proc/{run.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1]
    return bool(int(caught, 16) & 1 << (signal.SIGTERM - 1))


def wait_for_workers(place):
    """What the run had started ends with it, though it may take a moment."""
    for _ in range(1000):
        there = [path for path in Path("/proc").glob("[0-9]*/cwd") if is_in(path, place)]
        if not there:
            return
        time.sleep(0.01)
    raise AssertionError(f"still running: {[(path.parent / 'cmdline').read_text() for path in there]}")


def is_in(link, place):
    try:
        return link.readlink().is_relative_to(place)
    except OSError:
        return False


def check(place):
    """Whatever lies under a final name is whole, and of one run."""
    for name in SLIDES:
        if (place / name).exists():
            with open_slide(place / name) as slide:
                height, width = slide.shape
                slide.read(0, Region(height - 1, width - 1, 1, 1))
    for record in (each for name in RECORDS for each in place.rglob(name)):
        for name, digest in json.loads(record.read_text())["files"].items():
            assert file_digest(record.parent / name) == digest, f"{name} is of another run"
    for name, is_whole in WHOLE.items():
        if (place / name).exists():
            assert is_whole((place / name).read_bytes()), name


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize("how", SIGNALS, ids=lambda how: how.name)
@pytest.mark.parametrize("verb", list(VERBS) if KILLS > 1 else SOME)
@pytest.mark.timeout(3600)
def test_stopped_runs_leave_nothing_half(folder, tmp_path, verb, how):
    place = tmp_path / "place"
    shutil.copytree(folder, place)
    began = time.monotonic()
    code = 3 if verb in REFUSES else 0
    assert start(VERBS[verb], place).wait(timeout=300) == code
    usual = time.monotonic() - began
    chance = random.Random(f"{verb} {how}")
    for _ in range(KILLS):
        make_way(verb, place)
        run = start(VERBS[verb], place)
        while run.poll() is None and not is_listening(run):
            time.sleep(0.01)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(timeout=chance.random() * usual)
        run.send_signal(how)
        _, said = run.communicate(timeout=300)
        assert run.returncode in (code, -signal.SIGKILL, 128 + how), said
        assert "Traceback" not in said
        if run.returncode == 128 + how:
            assert said.strip().endswith("Stopped. No half-written file was left.")
        wait_for_workers(place)
        check(place)
    make_way(verb, place)
    again = start(VERBS[verb], place)
    _, said = again.communicate(timeout=300)
    assert again.returncode == code, said
    check(place)
    assert not [path for path in place.rglob(".*") if "histreg" in path.name], "strays are left"
