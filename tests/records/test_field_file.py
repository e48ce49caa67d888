"""A large field lies in field.npy beside its record; whatever reads the record sees the same field."""

import json
import os
import shutil
import sys

import numpy as np
import pytest

from napari_histreg.cli import main
from napari_histreg.errors import DamagedFile
from napari_histreg.records.document import read_registration, to_json
from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.registration.folder import read_folder, write_folder
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Similarity
from napari_histreg.transforms.displacement import DisplacementField

POINTS = np.random.default_rng(1).uniform(0, 60, (30, 2))


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    """Two small pictures on disk."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("slides")
    for name in ("f", "m"):
        Image.fromarray(np.random.default_rng(3).integers(0, 255, (64, 64, 3), np.uint8)).save(
            folder / f"{name}.png"
        )
    return [open_slide(folder / f"{name}.png", pixel_size_um=1.0) for name in ("f", "m")]


def bent(slides, side=100, seed=0):
    values = np.random.default_rng(seed).normal(0, 0.01, (side, side, 2))
    base = Similarity.of(angle_deg=10, translation=(5, -4))
    field = DisplacementField(values, spacing=(64 / side, 64 / side), base=base)
    records = (SlideRecord.of(slide) for slide in slides)
    return Registration(*records, Outcome(field, "accepted", 0.9, ("Well.",)), "auto", {})


@pytest.fixture
def folder(slides, tmp_path):
    write_folder(bent(slides), tmp_path / "out", *slides)
    return tmp_path / "out"


def test_the_record_names_the_file_and_its_fingerprint_and_stays_small(folder, slides):
    text = (folder / "registration.json").read_text()
    values = json.loads(text)
    assert values["fixed_to_moving"]["values_file"] == "field.npy"
    assert len(values["files"]["field.npy"]) == 64
    assert len(text) < 20_000
    again = read_folder(folder).fixed_to_moving
    np.testing.assert_array_equal(again.values, bent(slides).fixed_to_moving.values)
    np.testing.assert_array_equal(np.load(folder / "field.npy"), again.values)


def test_small_fields_and_records_without_a_folder_hold_their_samples(slides, tmp_path):
    write_folder(bent(slides, side=8), tmp_path / "small", *slides)
    assert not (tmp_path / "small" / "field.npy").exists()
    assert "values_zlib_base64_float32" in to_json(bent(slides))
    # As it was written before there was such a file.
    (tmp_path / "registration.json").write_text(to_json(bent(slides)))
    np.testing.assert_array_equal(
        read_registration(tmp_path).fixed_to_moving.values, bent(slides).fixed_to_moving.values
    )


def test_a_later_run_that_does_not_bend_takes_the_file_away(folder, slides):
    write_folder(bent(slides, side=8), folder, *slides)
    assert not (folder / "field.npy").exists()
    assert read_folder(folder).fixed_to_moving.values.shape == (8, 8, 2)


@pytest.fixture
def histreg(monkeypatch):
    """Run ``histreg``; returns its exit code."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["histreg", *map(str, arguments)])
        with pytest.raises(SystemExit) as ending:
            main()
        return ending.value.code or 0

    return run


@pytest.fixture
def inline(slides, tmp_path):
    """The same registration with its samples in the record."""
    (tmp_path / "inline").mkdir()
    (tmp_path / "inline" / "registration.json").write_text(to_json(bent(slides), tmp_path / "inline"))
    return tmp_path / "inline"


@pytest.mark.parametrize(("name", "dialect"), [("field.mha", "itk_field"), ("warpy.json", "warpy")])
def test_other_tools_get_the_same_through_it(folder, inline, tmp_path, histreg, name, dialect):
    outputs = [tmp_path / f"{source.name} {name}" for source in (folder, inline)]
    for source, output in zip((folder, inline), outputs, strict=True):
        assert histreg("convert", source / "registration.json", output, "--to", dialect) == 0
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_cells_and_pixels_are_carried_through_it(folder, inline, tmp_path, histreg):
    cells = tmp_path / "cells.csv"
    cells.write_text("x,y\n" + "\n".join(f"{x:.3f},{y:.3f}" for y, x in POINTS) + "\n")
    tables, pictures = [], []
    for source in (folder, inline):
        table, picture = tmp_path / f"{source.name}.csv", tmp_path / f"{source.name}.ome.tif"
        assert histreg("transform", source / "registration.json", cells, "-o", table) == 0
        assert histreg("warp", source / "registration.json", "-o", picture) == 0
        tables.append(table.read_text())
        with open_slide(picture) as slide:
            pictures.append(slide.read_level(0))
    assert tables[0] == tables[1]
    np.testing.assert_array_equal(*pictures)


def spoil_missing(file):
    file.unlink()


def spoil_changed(file):
    values = np.load(file)
    values[3, 3] += 1
    np.save(file, values)


def spoil_cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def spoil_pipe(file):
    file.unlink()
    os.mkfifo(file)


def spoil_large(file):
    with file.open("ab") as stream:
        stream.truncate(1 << 30)


def spoil_pickle(file):
    np.save(file, np.array([{"a": 1}], object), allow_pickle=True)


@pytest.mark.parametrize(
    "spoil", [spoil_missing, spoil_changed, spoil_cut, spoil_pipe, spoil_large, spoil_pickle]
)
def test_another_file_in_its_place_is_refused_in_one_sentence(folder, spoil):
    spoil(folder / "field.npy")
    with pytest.raises(DamagedFile, match=r"field\.npy") as error:
        read_registration(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [("values_file", "../field.npy"), ("values_file", 7), ("shape", [1 << 20, 1 << 20, 2]), ("shape", "all")],
)
def test_a_record_that_asks_for_another_file_or_too_much_is_refused(folder, key, value):
    file = folder / "registration.json"
    values = json.loads(file.read_text())
    values["fixed_to_moving"][key] = value
    file.write_text(json.dumps(values))
    with pytest.raises(DamagedFile):
        read_registration(folder)


def test_a_file_that_obeys_its_fingerprint_but_holds_something_else_is_refused(folder):
    from napari_histreg.files.digest import file_digest

    np.save(folder / "field.npy", np.array([{"a": 1}], object), allow_pickle=True)
    file = folder / "registration.json"
    values = json.loads(file.read_text())
    values["files"]["field.npy"] = file_digest(folder / "field.npy")
    file.write_text(json.dumps(values))
    with pytest.raises(DamagedFile, match=r"\.npy"):
        read_registration(folder)


def test_a_copied_record_says_what_it_misses(folder, tmp_path):
    shutil.copy(folder / "registration.json", tmp_path / "registration.json")
    with pytest.raises(DamagedFile, match="copy both"):
        read_registration(tmp_path)
