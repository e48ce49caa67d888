import json

import numpy as np
import pytest
import tifffile

from napari_histreg.samples import phantom_projections


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    made = phantom_projections(40, (48, 48), jitter_px=2, noise=0.01)
    counts = 200 + 20000 * np.exp(-made.frames)
    (folder / "proj").mkdir()
    for k, frame in enumerate(counts.astype(np.uint16)):
        tifffile.imwrite(folder / "proj" / f"p{k}.tiff", frame)
    tifffile.imwrite(folder / "d.tif", np.full((48, 48), 200, np.uint16))
    tifffile.imwrite(folder / "f.tif", np.full((48, 48), 20200, np.uint16))
    (folder / "angles.txt").write_text("\n".join(map(str, made.angles_deg)))
    return folder


def test_a_folder_with_fields_and_angles(histreg, scan, tmp_path):
    out = tmp_path / "aligned"
    ended = histreg(
        "projections",
        *sorted((scan / "proj").iterdir()),
        "--angles",
        scan / "angles.txt",
        "--dark",
        scan / "d.tif",
        "--flat",
        scan / "f.tif",
        "-o",
        out,
    )
    assert ended.code == 0, ended.err
    assert ended.out.startswith("accepted: 40 of 40 projections")
    assert json.loads((out / "alignment.json").read_text())["verdict"] == "accepted"
    assert tifffile.imread(out / "aligned.ome.tif").shape == (40, 48, 48)


def test_json_and_parameters(histreg, scan, tmp_path):
    ended = histreg(
        "projections", scan / "proj", "--angles", "0:175.5", "-p", "rounds=2", "-o", tmp_path, "--json",
        "--stack", "none",
    )  # fmt: skip
    record = json.loads(ended.out)
    assert record["parameters"] == {"levels": 3, "rounds": 2}
    assert not (tmp_path / "aligned.ome.tif").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("proj", "--angles", "0:180:1"), 1, "Check the range"),
        (("proj",), 1, "does not hold its angles"),
        (("none.tif", "--angles", "0:180"), 1, "There is no file"),
        (("proj", "--angles", "0:180", "--method", "magic"), 1, "joint, reprojection"),
        (("proj", "--angles", "0:180", "-p", "rounds=many"), 1, "rounds"),
        (("proj", "--angles", "0:180", "--stack", "jpeg"), 2, "jpeg"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(histreg, scan, tmp_path, arguments, code, said):
    ended = histreg("projections", scan / arguments[0], *arguments[1:], "-o", tmp_path / "out")
    assert ended.code == code
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "out").exists()


def test_noise_is_refused_with_exit_code_3(histreg, tmp_path):
    noise = np.random.default_rng(0).integers(900, 1100, (30, 40, 40)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "noise.tif", noise, photometric="minisblack")
    ended = histreg("projections", tmp_path / "noise.tif", "--angles", "0:180", "-o", tmp_path / "out")
    assert ended.code == 3
    assert not (tmp_path / "out" / "aligned.ome.tif").exists()


def test_methods_lists_those_for_projections_with_their_sources(histreg):
    assert "For series of tomographic projections" in histreg("methods").out
    ended = histreg("methods", "--projections")
    assert "10.1038/s41598-017-12141-9" in ended.out
    assert "sift" not in ended.out
    rows = {row["name"]: row for row in json.loads(histreg("methods", "--projections", "--json").out)}
    assert [p["name"] for p in rows["joint"]["parameters"]] == ["levels", "rounds"]


def test_a_name_that_stands_in_both_tables(histreg):
    assert "spectra" in histreg("methods", "phase").out
    assert "The same by the phases" in histreg("methods", "phase", "--projections").out
    assert "-p rounds=12" in histreg("methods", "joint").out
