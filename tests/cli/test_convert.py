import json

import numpy as np
import pytest

from napari_histreg.records.document import write_registration
from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.transforms import Similarity
from napari_histreg.transforms.formats import DIALECTS

TRUTH = Similarity.of(scale=1.2, angle_deg=30, translation=(10, -4))


@pytest.fixture
def record(tmp_path):
    slides = [
        SlideRecord(name, None, (300, 400), (size, size), ("a",), name)
        for name, size in (("he", 0.5), ("if", 0.25))
    ]
    made = Registration(*slides, Outcome(TRUTH, "accepted", 0.9, ("Good.",)), "auto")
    write_registration(made, tmp_path / "registration.json")
    return made


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "itk_field"])
def test_a_registration_goes_into_every_layout_and_comes_back(histreg, record, tmp_path, name):
    there = tmp_path / f"there{DIALECTS[name].suffixes[0]}"
    ended = histreg("convert", tmp_path / "registration.json", there, "--to", name)
    assert ended.code == 0, ended.err
    again = tmp_path / "again.csv"
    arguments = ("--from", name, "--to", "csv", "--registration", tmp_path / "registration.json")
    ended = histreg("convert", there, again, *arguments)
    assert ended.code == 0, ended.err
    direct = tmp_path / "direct.csv"
    histreg("convert", tmp_path / "registration.json", direct, "--to", "csv")
    read = [np.loadtxt(path, delimiter=",") for path in (again, direct)]
    # Layouts that are written with few digits still hold a thousandth of a pixel over this slide.
    assert np.allclose(*read, atol=1e-3)


def test_landmarks_go_from_one_layout_to_another(histreg, record, tmp_path):
    (tmp_path / "pairs.csv").write_text(
        "name,enabled,fixed_x_px,fixed_y_px,moving_x_px,moving_y_px\na,1,10,20,30,40\nb,0,50,60,70,80\n"
    )
    arguments = ("--landmarks", "--registration", tmp_path / "registration.json")
    assert (
        histreg("convert", tmp_path / "pairs.csv", tmp_path / "bw.csv", "--to", "bigwarp", *arguments).code
        == 0
    )
    # BigWarp: moving before fixed, x before y, in µm.
    assert (tmp_path / "bw.csv").read_text().splitlines()[0] == '"a","true","7.5","10.0","5.0","10.0"'
    ended = histreg("convert", tmp_path / "bw.csv", tmp_path / "back.csv", "--from", "bigwarp", *arguments)
    assert ended.code == 0, ended.err
    assert "a,1,10" in (tmp_path / "back.csv").read_text().replace("true", "1")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("registration.json", "out.csv"), 2, "--to"),
        (("registration.json", "out.csv", "--to", "magic"), 1, "magic"),
        (("nothing.csv", "out.csv", "--from", "csv", "--to", "qupath"), 1, "nothing.csv"),
    ],
)
def test_wrong_calls_say_what_is_wrong(histreg, record, tmp_path, monkeypatch, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    ended = histreg("convert", *arguments)
    assert ended.code == code
    assert words in ended.err
    assert not (tmp_path / "out.csv").exists()


def test_a_refused_registration_is_not_converted(histreg, record, tmp_path):
    values = json.loads((tmp_path / "registration.json").read_text())
    values.update(verdict="refused", fixed_to_moving=None, matrix_px=None)
    (tmp_path / "registration.json").write_text(json.dumps(values))
    ended = histreg("convert", tmp_path / "registration.json", tmp_path / "out.csv", "--to", "csv")
    assert ended.code == 3
    assert not (tmp_path / "out.csv").exists()
