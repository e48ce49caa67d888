"""The journey of one pair: register, evaluate, warp."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_histreg.samples import demo_pair, phantom_pair
from napari_histreg.slides import open_slide
from napari_histreg.warping import Grid, warp_slide


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return demo_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def landmarks(pair, tmp_path_factory):
    from napari_histreg.landmarks import write_landmarks

    path = tmp_path_factory.mktemp("landmarks") / "truth.csv"
    write_landmarks(pair.landmarks(), path, fixed_pixel_size=(0.5, 0.5), moving_pixel_size=(0.4, 0.4))
    return path


def test_a_start_in_pixels_is_none_for_slides_in_um(histreg, tmp_path):
    rng = np.random.default_rng(0)
    for name in "ab":
        Image.fromarray(rng.integers(0, 255, (90, 100), np.uint8)).save(tmp_path / f"{name}.png")
    pair = tmp_path / "a.png", tmp_path / "b.png"
    sizes = "--fixed-pixel-size", 0.5, "--moving-pixel-size", 0.5
    made = histreg("register", *pair, "--method", "moments", "-o", tmp_path / "px")
    assert made.code in (0, 3), made.err
    record = tmp_path / "px" / "registration.json"
    ended = histreg(
        "register", *pair, *sizes, "--method", "phase", "--initial", record, "-o", tmp_path / "um"
    )
    assert ended.code == 2
    assert "measures a.png in px" in " ".join(ended.err.split())
    assert not (tmp_path / "um").exists()


def test_a_pair_from_end_to_end(histreg, pair, landmarks, tmp_path):
    out = tmp_path / "out"
    ended = histreg("register", pair.fixed, pair.moving, "-o", out)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("Accepted")
    names = {"registration.json", "matrix.csv", "landmarks.csv", "overlay.png"}
    assert {path.name for path in out.iterdir()} == names
    assert np.asarray(Image.open(out / "overlay.png")).std() > 10
    record = json.loads((out / "registration.json").read_text())
    assert np.allclose(np.loadtxt(out / "matrix.csv", delimiter=","), record["matrix_px"]["fixed_to_moving"])

    found = json.loads(histreg("evaluate", out / "registration.json", landmarks, "--json").out)
    assert found["px"]["median"] < 1.0
    told = histreg("evaluate", out / "registration.json", landmarks).out
    assert "median" in told
    assert "%" in told

    warped = tmp_path / "aligned.ome.tif"
    assert histreg("warp", out / "registration.json", "-o", warped).code == 0
    with open_slide(warped) as slide, open_slide(pair.fixed) as fixed:
        assert slide.shape == fixed.shape
        assert [c.name for c in slide.channels] == ["DAPI", "DAB", "Autofluorescence"]
        assert slide.pixel_size_um == pytest.approx(fixed.pixel_size_um)
        assert slide.dtype == np.uint16
        with open_slide(pair.moving) as moving:
            truth = warp_slide(moving, pair.fixed_to_moving, Grid.of(fixed)).read_level(0).astype(float)
        found = slide.read_level(0).astype(float)
    # An error of a tenth of a pixel changes this blurred picture by a small part of its contrast.
    assert np.median(np.abs(found - truth)) < 0.05 * truth.std()


def test_landmarks_alone_align(histreg, pair, landmarks, tmp_path):
    ended = histreg(
        "register",
        pair.fixed,
        pair.moving,
        "--landmarks",
        landmarks,
        "--model",
        "similarity",
        "-o",
        tmp_path,
        "--json",
    )
    assert ended.code == 0, ended.err
    record = json.loads(ended.out)
    assert (record["method"], record["verdict"]) == ("landmarks", "accepted")
    assert (tmp_path / "landmarks.csv").read_text().startswith("name,enabled,fixed_x_px,fixed_y_px")


def test_tissue_that_does_not_belong_together_ends_with_3_and_no_matrix(histreg, pair, tmp_path):
    other = phantom_pair(600, seed=4).moving
    Image.fromarray(other.read_level(0)[0].astype(np.uint8)).save(tmp_path / "other.png")
    (tmp_path / "matrix.csv").write_text("left by an earlier run")
    line = ("register", pair.fixed, tmp_path / "other.png", "-o", tmp_path, "--overwrite")
    # Each method refuses in the same way; this one is soon done with it.
    ended = histreg(*line, "--method", "sift")
    assert ended.code == 3
    assert ended.out.startswith("Refused")
    assert not (tmp_path / "matrix.csv").exists()
    record = json.loads((tmp_path / "registration.json").read_text())
    assert record["reasons"]
    assert record["matrix_px"] is None
    warped = histreg("warp", tmp_path / "registration.json", "-o", tmp_path / "warped.ome.tif")
    assert warped.code == 3
    assert "refused" in warped.err
    assert not (tmp_path / "warped.ome.tif").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("register", "a.svs", "b.svs"), 1, "a.svs"),
        (("register", "{fixed}", "{moving}", "--method", "magic"), 1, "magic"),
        (("register", "{fixed}", "{moving}", "--method", "sift", "-p", "ratio"), 2, "KEY=VALUE"),
        (("register", "{fixed}", "{moving}", "--method", "sift", "-p", "colour=1"), 1, "colour"),
        (("register", "{fixed}", "{moving}", "--moving-channel", "CD3"), 1, "DAPI"),
        (("register", "{fixed}", "{moving}", "--fixed-pixel-size", "-1"), 1, "-1"),
        (("register", "{fixed}"), 2, "MOVING"),
        (("evaluate", "no.json", "no.csv"), 1, "no.json"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)
def test_wrong_calls_say_what_is_wrong(histreg, pair, tmp_path, monkeypatch, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    ended = histreg(*(a.format(fixed=pair.fixed, moving=pair.moving) for a in arguments))
    assert ended.code == code
    assert words in ended.err
    assert "Traceback" not in ended.err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc to see when the work begins")
def test_ctrl_c_stops_and_leaves_nothing_half_done(pair, tmp_path):
    # Other tissue fits nowhere, so that every attempt is made: the work goes on for many seconds.
    other = phantom_pair(600, seed=4).moving
    Image.fromarray(other.read_level(0)[0].astype(np.uint8)).save(tmp_path / "other.png")
    command = [sys.executable, "-m", "napari_histreg", "register", pair.fixed, tmp_path / "other.png"]
    run = subprocess.Popen(
        [*command, "-o", tmp_path / "out"],
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background of a script, Ctrl-C is ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    # The engine is loaded when the work begins; before that there is nothing to stop.
    maps = Path(f"/proc/{run.pid}/maps")
    end = time.monotonic() + 60
    while "cv2" not in maps.read_text() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(1.0)
    assert run.poll() is None
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=20)
    assert run.returncode == 130
    assert "Traceback" not in err
    assert "Stopped" in err
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_warping_needs_the_fixed_slide_only_for_its_pixels(histreg, tmp_path):
    made = demo_pair(tmp_path)
    line = ("register", made.fixed, made.moving, "-o", tmp_path / "out", "--method", "sift")
    assert histreg(*line).code == 0
    made.fixed.rename(tmp_path / "elsewhere.ome.tif")
    record = tmp_path / "out" / "registration.json"
    assert histreg("warp", record, "-o", tmp_path / "alone.ome.tif").code == 0
    ended = histreg("warp", record, "-o", tmp_path / "both.ome.tif", "--merge")
    assert ended.code == 1
    assert "not there any more. Say where it is. Pass --fixed SLIDE" in ended.err
    found = histreg(
        "warp", record, "-o", tmp_path / "both.ome.tif", "--merge", "--fixed", tmp_path / "elsewhere.ome.tif"
    )
    assert found.code == 0, found.err
    with open_slide(tmp_path / "both.ome.tif") as both:
        assert len(both.channels) == 6
