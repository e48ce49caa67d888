import csv
import json

import numpy as np
import pytest
from PIL import Image

from napari_histreg.cli import main
from napari_histreg.groups.document import read_group
from napari_histreg.landmarks import Landmarks, write_landmarks
from napari_histreg.samples.stack import phantom_stack
from napari_histreg.slides import open_slide
from retinas import moved, visit

STACK = phantom_stack(3, size_px=256, pixel_size_um=20.0, seed=2)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Three sections and one that is washed off its glass, aligned by the command line."""
    folder = tmp_path_factory.mktemp("case")
    for k, slide in enumerate(STACK.slides):
        Image.fromarray(np.moveaxis(slide.read_level(0), 0, -1)).save(folder / f"s{k + 8}.png")
    Image.fromarray(np.full((256, 256, 3), 240, np.uint8)).save(folder / "s11.png")
    rows = "\n".join(f"s{k + 8}.png,20" for k in range(4))
    (folder / "slides.csv").write_text(f"slide,pixel_size_um\n{rows}\n", encoding="utf-8")
    monkey = pytest.MonkeyPatch()
    monkey.setattr("sys.argv", ["histreg", "group", str(folder / "slides.csv"), "-o", str(folder / "out"),
                                "--order", "names", "--model", "rigid"])  # fmt: skip
    with pytest.raises(SystemExit) as ending:
        main()
    monkey.undo()
    assert ending.value.code == 3
    return folder


def test_the_slide_that_fits_nowhere_is_named_and_the_others_are_placed(case):
    group = read_group(case / "out")
    assert group.names == ("s8.png", "s9.png", "s10.png", "s11.png")
    assert [group.verdict(k) for k in range(4)] == ["accepted"] * 3 + ["refused"]
    middle = np.array([[2560.0, 2560.0]])
    assert np.linalg.norm(group.between(0, 2)(middle) - STACK.between(0, 2)(middle)) < 30


def test_all_channels_go_into_one_file(histreg, case):
    ended = histreg("warp", case / "out" / "group.json", "-o", case / "all.ome.tif", "--merge")
    assert ended.code == 0, ended.err
    with open_slide(case / "all.ome.tif") as merged:
        assert [c.name for c in merged.channels][::3] == ["s8 red", "s9 red", "s10 red"]
        assert merged.pixel_size_um == pytest.approx((20.0, 20.0))
        green = merged.read_level(0)[1::3].astype(float)
    raw = [slide.read_level(0)[1].astype(float) for slide in STACK.slides]
    for k in (1, 2):
        alike, before = (np.corrcoef(planes[0].ravel(), planes[k].ravel())[0, 1] for planes in (green, raw))
        assert alike > before + 0.15


def test_a_file_each_goes_into_a_folder(histreg, case):
    ended = histreg("warp", case / "out", "-o", case / "each", "--pixel-size", "40", "--grid", "union")
    assert ended.code == 0, ended.err
    assert sorted(p.name for p in (case / "each").iterdir()) == ["s10.ome.tif", "s8.ome.tif", "s9.ome.tif"]
    with open_slide(case / "each" / "s8.ome.tif") as one, open_slide(case / "each" / "s9.ome.tif") as two:
        assert one.shape == two.shape
        assert one.is_rgb


def test_one_slide_goes_into_a_file(histreg, case):
    ended = histreg("warp", case / "out", "-o", case / "one.ome.tif", "--slide", "s9.png")
    assert ended.code == 0, ended.err
    refused = histreg("warp", case / "out", "-o", case / "four.ome.tif", "--slide", "s11.png")
    assert refused.code == 3
    assert "s11.png has no place" in refused.err
    assert not (case / "four.ome.tif").exists()


def test_wrong_outputs_are_a_matter_of_usage(histreg, case):
    assert "--merge" in histreg("warp", case / "out", "-o", case / "two.ome.tif").err
    assert histreg("warp", case / "out", "-o", case / "two.ome.tif").code == 2
    assert histreg("warp", case / "out", "-o", case / "two", "--merge").code == 2


def test_the_report_is_one_page(histreg, case):
    ended = histreg("report", case / "out" / "group.json", "-o", case / "case.html")
    assert ended.code == 0, ended.err
    page = (case / "case.html").read_text(encoding="utf-8")
    assert "3 of 4 accepted" in page
    assert "s11.png: refused" in page
    assert page.count("<img") >= 6
    assert json.loads((case / "case.json").read_text(encoding="utf-8"))["group"]["ordered"] is True


def test_slides_that_have_moved_are_found_by_their_names(histreg, case, tmp_path):
    values = json.loads((case / "out" / "group.json").read_text(encoding="utf-8"))
    for slide in values["slides"]:
        slide["slide"]["path"] = "Z:\\scans\\" + slide["slide"]["name"]
    (tmp_path / "group.json").write_text(json.dumps(values), encoding="utf-8")
    lost = histreg("warp", tmp_path, "-o", tmp_path / "all.ome.tif", "--merge")
    assert lost.code == 1
    assert "--slides" in lost.err
    found = histreg("warp", tmp_path, "-o", tmp_path / "all.ome.tif", "--merge", "--slides", case)
    assert found.code == 0, found.err


def test_tables_and_folders_that_hold_no_slides_are_refused(histreg, tmp_path):
    (tmp_path / "t.csv").write_text("file\na.png\n", encoding="utf-8")
    assert 'needs a column "slide"' in histreg("group", tmp_path / "t.csv", "-o", tmp_path / "o").err
    (tmp_path / "t.csv").write_text("slide,pixel_size_um\na.png,big\n", encoding="utf-8")
    assert "Line 2" in histreg("group", tmp_path / "t.csv", "-o", tmp_path / "o").err
    (tmp_path / "empty").mkdir()
    assert "holds no slide" in histreg("group", tmp_path / "empty", "-o", tmp_path / "o").err
    assert not (tmp_path / "o").exists()


def test_cells_go_from_any_slide_to_any_other(histreg, case):
    table = case / "cells.csv"
    table.write_text("cell,x,y\n1,120,130\n2,140,110\n", encoding="utf-8")
    ended = histreg("transform", case / "out", table, "-o", case / "there.csv", "--pair", "s8.png,s10.png")
    assert ended.code == 0, ended.err
    rows = np.loadtxt(case / "there.csv", delimiter=",", skiprows=1)
    # From the moving slide s10 to the fixed slide s8; QuPath counts pixels from the corner.
    points = (np.array([[130.0, 120.0], [110.0, 140.0]]) - 0.5) * 20
    expected = STACK.between(2, 0)(points) / 20 + 0.5
    assert np.abs(rows[:, [2, 1]] - expected).max() < 2
    unsaid = histreg("transform", case / "out", table, "-o", case / "no.csv")
    assert unsaid.code == 2
    assert "s8.png, s9.png" in unsaid.err
    refused = histreg("transform", case / "out", table, "-o", case / "no.csv", "--pair", "s8.png,s11.png")
    assert refused.code == 3
    assert not (case / "no.csv").exists()


def test_matrices_go_into_a_file_each(histreg, case):
    ended = histreg("convert", case / "out" / "group.json", case / "matrices", "--to", "csv")
    assert ended.code == 0, ended.err
    found = {p.name: np.loadtxt(p, delimiter=",") for p in (case / "matrices").iterdir()}
    assert set(found) == {"s8.csv", "s9.csv", "s10.csv"}
    values = json.loads((case / "out" / "group.json").read_text(encoding="utf-8"))
    assert np.allclose(found["s10.csv"], values["slides"][2]["matrix_px"]["fixed_to_moving"])
    one = histreg("convert", case / "out", case / "m.csv", "--to", "csv", "--pair", "s9.png,s8.png")
    assert one.code == 0, one.err


def test_all_slides_are_fused(histreg, case):
    ended = histreg("fuse", case / "out", "-o", case / "fused.ome.tif", "--rule", "average")
    assert ended.code == 0, ended.err
    assert "3 slides" in ended.out
    two = histreg("fuse", case / "out", "-o", case / "two.ome.tif", "--pair", "0,1")
    assert two.code == 0, two.err


@pytest.mark.parametrize(
    "words",
    [
        "fuse --overlay hot",
        "fuse --measure",
        "fuse --fixed-channel 0",
        "report --landmarks {c}",
        "warp --fixed {c}",
    ],
)
def test_options_for_two_slides_are_not_left_unheard(histreg, case, words):
    """Somebody who asks a group for an overlay in colours must not get another picture without a word."""
    verb, option, *value = words.format(c=case / "cells.csv").split(" ", 2)
    output = case / "unheard.ome.tif"
    ended = histreg(verb, case / "out", option, *value, "-o", output)
    assert ended.code == 2
    assert "is a group" in ended.err
    assert option in ended.err
    assert not output.exists()


def test_landmarks_of_two_named_slides_count_for_all(histreg, case, tmp_path):
    spots = np.array([[2000.0, 2000.0], [3000.0, 2100.0], [2500.0, 3100.0]])
    # The slide that is washed off lies as the third section does, a person knows.
    pairs = Landmarks.of(spots, STACK.between(0, 2)(spots))
    write_landmarks(pairs, tmp_path / "pairs.csv", fixed_pixel_size=20.0, moving_pixel_size=20.0)
    given = ("group", case / "slides.csv", "-o", case / "out", "--order", "names", "--model", "rigid")
    ended = histreg(*given, "--landmarks", f"s8,s11.png={tmp_path / 'pairs.csv'}")
    assert ended.code == 0, ended.err
    group = read_group(case / "out")
    assert [group.verdict(k) for k in range(4)] == ["accepted"] * 4
    assert np.linalg.norm(group.between(0, 3)(spots) - pairs.moving, axis=1).max() < 1.0
    link = next(link for link in group.links if link.by_hand)
    assert np.allclose(link.outcome.landmarks.fixed, spots)
    wrong = histreg(*given, "--landmarks", f"s8,s99={tmp_path / 'pairs.csv'}")
    assert wrong.code == 2
    assert "s8.png, s9.png, s10.png, s11.png" in " ".join(wrong.err.replace("│", " ").split())
    assert histreg(*given, "--landmarks", "s8,s11").code == 2


@pytest.fixture(scope="module")
def eye(tmp_path_factory):
    """Two visits of one eye, and the masks of their vessels beside them."""
    folder = tmp_path_factory.mktemp("eye")
    (folder / "masks").mkdir()
    for k, (angle, shift) in enumerate([(0.0, (0.0, 0.0)), (7.0, (9.0, -6.0))]):
        picture, mask = visit(moved(angle, shift), seed=k)
        Image.fromarray(picture).save(folder / f"visit{k}.png")
        Image.fromarray(mask).save(folder / "masks" / f"visit{k}_vessels.png")
    return folder


def test_retinas_are_aligned_by_their_vessels_and_judged_by_masks(histreg, eye):
    ended = histreg("group", eye / "visit0.png", eye / "visit1.png", "--evaluate", eye / "masks",
                    "-o", eye / "out", "--frame", "rmse")  # fmt: skip
    assert ended.code == 0, ended.err
    assert "2 of 2 slides placed by their vessels" in ended.out
    with (eye / "out" / "evaluation.csv").open(encoding="utf-8", newline="") as stream:
        row = next(csv.DictReader(stream))
    assert float(row["dice_before"]) < 0.35
    assert float(row["dice_after"]) > 0.8
    assert float(row["ncc_after"]) > float(row["ncc_before"])
    group = read_group(eye / "out")
    assert group.parameters["signal"] == "vessels"
    step = next(step for step in group.steps if step.name == "template")
    assert group.template == step.scores["order"][0]
    points = np.array([[120.0, 150.0], [250.0, 200.0], [180.0, 260.0]])
    truth = moved(0.0, (0.0, 0.0)).inverse().then(moved(7.0, (9.0, -6.0)))
    assert np.linalg.norm(group.between(0, 1)(points) - truth(points), axis=1).max() < 1.0
    assert "How well the masks meet" in (eye / "out" / "report.html").read_text(encoding="utf-8")


def test_masks_are_asked_for_before_anything_is_aligned(histreg, eye, tmp_path):
    slides = eye / "visit0.png", eye / "visit1.png"
    Image.fromarray(np.ones((9, 9), np.uint8)).save(tmp_path / "visit0.png")
    missing = histreg("group", *slides, "--evaluate", tmp_path, "-o", tmp_path / "out")
    assert (missing.code, "no mask for visit1.png" in missing.err) == (1, True)
    Image.fromarray(np.ones((9, 9), np.uint8)).save(tmp_path / "visit1.png")
    small = histreg("group", *slides, "--evaluate", tmp_path, "-o", tmp_path / "out")
    assert (small.code, "mask visit0.png is 9 x 9 px" in small.err) == (1, True)
    assert not (tmp_path / "out").exists()
