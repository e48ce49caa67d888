import json

import numpy as np
import pytest
import tifffile

from slides.mirax import write_mirax

SEVEN = ["DAPI", "CD3", "CD8", "CD20", "PanCK", "Ki67", "AF"]


@pytest.fixture
def multiplex(tmp_path):
    """A 7-channel OME-TIFF with SubIFDs, 0.325 µm."""
    path = tmp_path / "multiplex.ome.tif"
    data = np.random.default_rng(0).integers(0, 4000, (7, 2048, 1536)).astype(np.uint16)
    metadata = {
        "axes": "CYX",
        "PhysicalSizeX": 0.325,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.325,
        "PhysicalSizeYUnit": "µm",
        "Channel": {"Name": SEVEN},
    }
    with tifffile.TiffWriter(path) as writer:
        writer.write(data, subifds=2, tile=(256, 256), metadata=metadata, photometric="minisblack")
        for step in (2, 4):
            writer.write(data[:, ::step, ::step], subfiletype=1, tile=(256, 256), photometric="minisblack")
    return path


def test_a_multiplex_slide_is_told_in_a_few_lines(histreg, multiplex):
    ended = histreg("info", multiplex)
    assert ended.code == 0
    assert "1536 x 2048 px" in ended.out
    assert "0.325 x 0.325 µm" in ended.out
    assert ", ".join(SEVEN) in ended.out
    assert "level 2" in ended.out


def test_json_is_for_programs(histreg, multiplex):
    found = json.loads(histreg("info", multiplex, "--json").out)
    assert (found["width"], found["height"], len(found["channels"])) == (1536, 2048, 7)
    assert [(level["width"], level["height"]) for level in found["levels"]][:3] == [
        (1536, 2048),
        (768, 1024),
        (384, 512),
    ]


def test_a_file_without_a_header_has_no_pixel_size(histreg, tmp_path):
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, np.zeros((7, 300, 200), np.uint16), photometric="minisblack", metadata=None)
    ended = histreg("info", path)
    assert "unknown" in ended.out
    assert "200 x 300 px" in ended.out
    assert "0.5 x 0.5 µm" in histreg("info", path, "--pixel-size", "0.5").out


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.tif", None, "does not exist"),
        ("empty.tif", b"", "empty"),
        ("text.tif", b"this is no picture at all\n" * 40, "text.tif"),
        ("strange.xyz", b"something", "strange.xyz"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(histreg, tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    ended = histreg("info", path)
    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_debug_shows_the_traceback(histreg, tmp_path):
    with pytest.raises(Exception, match="does not exist"):
        histreg("info", tmp_path / "missing.tif", "--debug")


def test_a_slide_with_an_empty_border_is_cropped(histreg, tmp_path):
    rgb = np.random.default_rng(0).integers(100, 255, (640, 896, 3)).astype(np.uint8)
    y, x = write_mirax(tmp_path / "slide.mrxs", rgb, empty_tiles=(1, 2, 3, 1))
    found = json.loads(histreg("info", tmp_path / "slide.mrxs", "--json").out)
    assert (found["width"], found["height"]) == (896, 640)
    assert found["bounds_offset_px"] == {"x": x, "y": y}
    assert found["pixel_size_um"] == {"x": 0.25, "y": 0.25}


def test_the_best_of_some_planes_is_asked_for_in_words():
    from typer import BadParameter

    from napari_histreg.cli.volume_plane import wanted_index

    found = [wanted_index(text) for text in (None, "4", "4-9", "best")]
    assert found == [None, 4, (4, 9), (0, None)]
    for text in ("9-4", "-1", "4-", "middle"):
        with pytest.raises(BadParameter, match="write a number, a range"):
            wanted_index(text)
