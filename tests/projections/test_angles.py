import os

import numpy as np
import pytest

from napari_histreg.errors import DamagedFile, ReadError
from napari_histreg.projections.angles import angles_for, read_angles


def test_a_range_holds_both_ends_and_says_so():
    angles, notes = angles_for("0:180", None, 181, "scan")
    assert angles[[0, -1]].tolist() == [0, 180]
    assert "both ends included" in notes[0]


def test_a_step_that_does_not_fit_is_refused():
    assert angles_for("0:180:0.5", None, 360, "scan")[0][-1] == 179.5
    with pytest.raises(ReadError, match="not 180"):
        angles_for("0:180:0.5", None, 90, "scan")


def test_a_count_that_does_not_match_names_both_numbers(tmp_path):
    path = tmp_path / "angles.txt"
    path.write_text("0\n1\n2\n3\n")
    with pytest.raises(ReadError, match="holds 4 angles and scan 3 projections"):
        angles_for(path, None, 3, "scan")


def test_angles_repeated_while_the_stage_stands_belong_to_dark_and_flat(tmp_path):
    path = tmp_path / "angles.txt"
    path.write_text("-1\n-1\n-1\n0\n1.9999\n2\n2\n")
    angles, notes = angles_for(path, None, 3, "scan")
    assert angles.tolist() == [-1, 0, 1.9999]
    assert "4 repeat" in notes[0]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0\n1.5\n3\n", [0, 1.5, 3]),
        ("index,angle\n0,10\n1,20\n2,30\n", [10, 20, 30]),
        ("# tilt\n -60.0\n  0.0 \n\n+60\n", [-60, 0, 60]),
    ],
)
def test_layouts(tmp_path, text, values):
    path = tmp_path / "a.rawtlt"
    path.write_text(text)
    assert read_angles(path).tolist() == values


def test_what_is_no_list_of_angles_is_answered(tmp_path):
    with pytest.raises(DamagedFile, match="no file"):
        read_angles(tmp_path / "none.txt")
    binary = tmp_path / "b.txt"
    binary.write_bytes(bytes(range(256)))
    with pytest.raises(DamagedFile, match="as text"):
        read_angles(binary)
    empty = tmp_path / "e.txt"
    empty.write_text("\n")
    with pytest.raises(ReadError, match="holds no angles"):
        read_angles(empty)
    broken = tmp_path / "c.txt"
    broken.write_text("0\n1\ntwo\n")
    with pytest.raises(ReadError, match="line 3"):
        read_angles(broken)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(ReadError, match="no file with angles"):
        read_angles(tmp_path / "pipe.txt")


def test_radians_are_recognised():
    angles, notes = angles_for(np.linspace(0, np.pi, 60), None, 60, "scan")
    assert abs(angles[-1] - 180) < 1e-9
    assert "radians" in notes[0]


def test_angles_that_cannot_be():
    with pytest.raises(ReadError, match="does not hold its angles"):
        angles_for(None, None, 3, "scan")
    with pytest.raises(ReadError, match="no number"):
        angles_for([0, np.nan, 2], None, 3, "scan")
    with pytest.raises(ReadError, match="All angles"):
        angles_for([5, 5, 5], None, 3, "scan")
