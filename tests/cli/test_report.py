import json

import pytest

from napari_histreg.slides import open_slide


@pytest.fixture
def results(demo):
    """A folder as histreg register writes it; to be read, not changed."""
    folder, _ = demo()
    return folder


def test_a_report_is_one_page_that_needs_nothing_else(histreg, results, tmp_path):
    ended = histreg("report", results / "registration.json", "-o", tmp_path / "report.html")
    assert ended.code == 0, ended.err
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(page) < 5_000_000
    assert "Accepted" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    numbers = json.loads((tmp_path / "report.json").read_text())
    assert numbers["verdict"] == "accepted"
    assert numbers["independent_check"]["median"] < 1.0  # µm: two fixed pixels


def test_annotations_and_a_fused_picture_come_from_the_same_record(histreg, results, tmp_path):
    (tmp_path / "cells.csv").write_text("id,x,y\n1,100,100\n2,400,300\n")
    ended = histreg(
        "transform", results / "registration.json", tmp_path / "cells.csv", "-o", tmp_path / "there.csv"
    )
    assert ended.code == 0, ended.err
    back = (
        "transform",
        results / "registration.json",
        tmp_path / "there.csv",
        "-o",
        tmp_path / "back.csv",
        "--inverse",
    )
    assert histreg(*back).code == 0
    rows = [line.split(",") for line in (tmp_path / "back.csv").read_text().splitlines()[1:]]
    for row, expected in zip(rows, [(100, 100), (400, 300)], strict=True):
        assert [float(v) for v in row[1:]] == pytest.approx(expected, abs=0.01)
    ended = histreg(
        "fuse",
        results / "registration.json",
        "-o",
        tmp_path / "fused.ome.tif",
        "--rule",
        "laplacian",
        "-p",
        "depth=2",
    )
    assert ended.code == 0, ended.err
    with open_slide(tmp_path / "fused.ome.tif") as fused:
        assert fused.shape == (512, 512)
        assert fused.read_level(0).std() > 10


def test_a_parameter_of_no_rule_is_not_left_unheard(histreg, results, tmp_path):
    output = tmp_path / "o.ome.tif"
    ended = histreg("fuse", results / "registration.json", "-o", output, "--overlay", "hot", "-p", "depth=2")
    assert ended.code == 2
    assert "with --overlay no rule merges" in ended.err
    assert not output.exists()


def test_a_fusion_says_how_much_it_keeps(histreg, results, tmp_path):
    line = ("fuse", results / "registration.json", "-o", tmp_path / "f.ome.tif", "--rule", "average")
    ended = histreg(*line, "--measure", "--report", tmp_path / "f.html")
    assert ended.code == 0, ended.err
    assert "Q^AB/F" in ended.out
    numbers = json.loads((tmp_path / "f.json").read_text())
    assert numbers["made_by"] == {"fused_by": "average"}
    assert 0 < numbers["figures"]["edge_preservation"] < 0.98
    assert f"{numbers['figures']['edge_preservation']:.3f}" in ended.out
    assert "demo_if.ome.tif fused with demo_ihc.ome.tif" in (tmp_path / "f.html").read_text(encoding="utf-8")
    assert "Q^AB/F" not in histreg(*line).out


@pytest.mark.parametrize(
    "option", [("--merge",), ("--grid", "union"), ("--channels", "DAPI"), ("--pixel-size", "1")]
)
def test_the_wishes_of_warping_are_heard(histreg, results, tmp_path, option):
    out = tmp_path / "out.ome.tif"
    ended = histreg("warp", results / "registration.json", "-o", out, *option)
    assert ended.code == 0, ended.err
    with open_slide(out) as slide:
        names = [channel.name for channel in slide.channels]
        if option[0] == "--merge":
            assert names == ["red", "green", "blue", "DAPI", "DAB", "Autofluorescence"]
        if option[0] == "--channels":
            assert names == ["DAPI"]
        if option[0] == "--grid":
            assert min(slide.shape) > 512
        if option[0] == "--pixel-size":
            assert slide.shape == (256, 256)
            assert slide.pixel_size_um == pytest.approx((1.0, 1.0))
