"""No verb replaces what it reads, or what it did not make."""

import json
import os
import shutil
from pathlib import Path

import pytest

from napari_histreg.slides import open_slide, write_slide
from small_demo import small_demo_pair

PAIRS = (
    "name,enabled,fixed_x_px,fixed_y_px,moving_x_px,moving_y_px\n"
    "a,true,10,10,11,12\nb,true,200,20,203,22\nc,true,30,210,31,214\nd,true,190,200,193,203\n"
)


@pytest.fixture(scope="module")
def aligned(tmp_path_factory):
    """A folder with both slides, pairs, and a registration of them; to be copied, not changed."""
    from napari_histreg import read_landmarks, register
    from napari_histreg.registration.folder import write_folder

    folder = tmp_path_factory.mktemp("aligned")
    fixed_path, moving_path = small_demo_pair(folder)
    (folder / "pairs.csv").write_text(PAIRS)
    with open_slide(fixed_path) as fixed, open_slide(moving_path) as moving:
        pairs = read_landmarks(
            folder / "pairs.csv",
            fixed_pixel_size=fixed.world_pixel_size,
            moving_pixel_size=moving.world_pixel_size,
        )
        result = register(fixed, moving, landmarks=pairs, method="landmarks")
        write_folder(result, folder / "out", fixed, moving)
    return folder


@pytest.fixture
def place(aligned, tmp_path, monkeypatch):
    folder = tmp_path / "place"
    shutil.copytree(aligned, folder)
    (folder / "cells.csv").write_text("x,y\n1,2\n")
    os.link(folder / "demo_if.ome.tif", folder / "hard.ome.tif")
    (folder / "soft.ome.tif").symlink_to("demo_ihc.ome.tif")
    monkeypatch.chdir(folder)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


FIXED, MOVING, RECORD = "demo_ihc.ome.tif", "demo_if.ome.tif", "out/registration.json"
ONTO_AN_INPUT = (
    ("warp", RECORD, "-o", MOVING),
    ("warp", RECORD, "-o", FIXED),
    ("warp", RECORD, "-o", "./out/../demo_ihc.ome.tif"),
    ("warp", RECORD, "-o", "hard.ome.tif"),
    ("warp", RECORD, "-o", "soft.ome.tif"),
    ("fuse", RECORD, "-o", MOVING),
    ("fuse", RECORD, "-o", FIXED),
    ("report", RECORD, "-o", "out/registration.html"),
    ("report", "out", "-o", "out/registration.html"),
    ("report", RECORD, "-o", MOVING),
    ("report", RECORD, "-o", "pairs.csv", "--landmarks", "pairs.csv"),
    ("template", FIXED, MOVING, "--elbow", MOVING),
    ("transform", RECORD, "cells.csv", "-o", "cells.csv"),
    ("transform", RECORD, "cells.csv", "-o", MOVING),
    ("convert", RECORD, RECORD, "--to", "csv"),
    ("convert", "--landmarks", "pairs.csv", "pairs.csv"),
    ("evaluate", RECORD, "pairs.csv", "-o", "pairs.csv"),
    ("evaluate", RECORD, "pairs.csv", "-o", "out/landmarks.csv"),
    ("register", FIXED, MOVING, "--landmarks", "out/landmarks.csv", "-o", "out"),
    ("register", FIXED, MOVING, "--initial", RECORD, "-o", "out"),
)


@pytest.mark.parametrize("line", ONTO_AN_INPUT, ids=" ".join)
def test_an_output_is_no_input(histreg, place, line):
    before = content(place)
    ended = histreg(*line)
    assert ended.code == 2, ended.err
    assert "read for this" in ended.err
    assert content(place) == before


def test_nothing_is_written_into_a_slide_s_folder(histreg, place):
    with open_slide(MOVING) as slide:
        write_slide(slide, "moving.ome.zarr")
    assert histreg("register", FIXED, "moving.ome.zarr", "--landmarks", "pairs.csv", "-o", "z").code == 0
    before = content(place)
    for line in (
        ("warp", "z/registration.json", "-o", "moving.ome.zarr"),
        ("warp", "z/registration.json", "-o", "moving.ome.zarr/9.ome.tif"),
        ("register", FIXED, "moving.ome.zarr", "--landmarks", "pairs.csv", "-o", "moving.ome.zarr"),
        ("register", FIXED, "moving.ome.zarr", "--landmarks", "pairs.csv", "-o", "moving.ome.zarr/new/er"),
    ):
        assert histreg(*line).code == 2, line
        assert content(place) == before


@pytest.mark.parametrize("name", ["landmarks.csv", "matrix.csv", "overlay.png", "registration.json"])
def test_results_do_not_replace_the_user_s_own_files(histreg, place, name):
    (place / "mine").mkdir()
    (place / "mine" / name).write_text("precious")
    ended = histreg("register", FIXED, MOVING, "--landmarks", "pairs.csv", "-o", "mine")
    assert ended.code == 1
    assert "--overwrite" in ended.err
    assert content(place / "mine") == {str(place / "mine" / name): b"precious"}
    assert (
        histreg("register", FIXED, MOVING, "--landmarks", "pairs.csv", "-o", "mine", "--overwrite").code == 0
    )
    assert json.loads((place / "mine" / "registration.json").read_text())["files"]


def test_results_replace_results_unless_they_were_changed(histreg, place):
    line = ("register", FIXED, MOVING, "--landmarks", "pairs.csv", "-o", "out")
    assert histreg(*line).code == 0
    (place / "out" / "landmarks.csv").write_text(PAIRS.replace("190", "191"))
    before = content(place)
    ended = histreg(*line)
    assert ended.code == 1
    assert "changed after it was written" in ended.err
    assert content(place) == before


@pytest.mark.parametrize("name", ["demo_ihc.ome.tif", "demo_if.ome.tif", "landmarks.csv", "report.html"])
def test_the_demo_replaces_only_itself(histreg, tmp_path, name):
    (tmp_path / name).write_text("precious")
    ended = histreg("demo", "-o", tmp_path)
    assert ended.code == 1
    assert (tmp_path / name).read_text() == "precious"


def test_a_report_s_twin_replaces_only_a_report(histreg, place):
    (place / "results.json").write_text('{"mine": 1}')
    ended = histreg("report", RECORD, "-o", "results.html")
    assert ended.code == 1
    assert "another name" in ended.err
    assert (place / "results.json").read_text() == '{"mine": 1}'
    assert not (place / "results.html").exists()


@pytest.mark.parametrize("line", [("warp", RECORD, "-o"), ("convert", RECORD, "--to", "csv")], ids="".join)
def test_a_pipe_is_not_replaced(histreg, place, line):
    os.mkfifo(place / "pipe.ome.tif")
    assert histreg(*line, "pipe.ome.tif").code == 1
    assert (place / "pipe.ome.tif").is_fifo()


def test_slides_are_found_from_where_the_record_lies(histreg, place, tmp_path, monkeypatch):
    place.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    assert histreg("warp", "moved/out/registration.json", "-o", "w.ome.tif").code == 0


@pytest.mark.parametrize("name", ["new\nline.tif", "no-utf8-\udcff.tif", "n" * 251 + ".tif", "[red]x.tif"])
def test_no_result_is_lost_to_a_name(histreg, place, name):
    shutil.copy(MOVING, name)
    ended = histreg("register", FIXED, f"./{name}", "--landmarks", "pairs.csv")
    assert ended.code == 0, ended.err
    record = next(place.glob("*_on_*/registration.json"))
    assert histreg("warp", record, "-o", "w.ome.tif").code == 0
    assert histreg("report", record, "-o", "r.html").code == 0
