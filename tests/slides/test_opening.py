"""open_slide: arguments, and what it says to bad input."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import dask.array as da
import numpy as np
import openslide
import pytest
import tifffile
from PIL import Image

from napari_histreg.errors import DamagedFile, HistregError, ReadError, UnsupportedFormat
from napari_histreg.geometry import Region
from napari_histreg.slides import Slide, describe, open_slide
from slides.mirax import write_mirax
from slides.slide_files import channels, rgb


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "suffix", [".tif", ".ome.tif", ".png", ".jpg", ".svs", ".ndpi", ".qptiff", ".scn", ".vms"]
)
def test_text_under_another_name(tmp_path, suffix):
    path = written(tmp_path / f"notes{suffix}", "These are notes about the slide, not the slide.\n" * 5)
    with pytest.raises(DamagedFile, match="text") as caught:
        open_slide(path)
    assert path.name in str(caught.value)


@pytest.mark.parametrize("suffix", [".tif", ".png", ".svs", ".mrxs", ".xyz"])
def test_empty_and_missing(tmp_path, suffix):
    with pytest.raises(DamagedFile, match="does not exist"):
        open_slide(tmp_path / f"gone{suffix}")
    with pytest.raises(DamagedFile, match="empty"):
        open_slide(written(tmp_path / f"empty{suffix}", b""))


def test_folder(tmp_path):
    with pytest.raises(UnsupportedFormat, match="is a folder"):
        open_slide(tmp_path)


def test_name_that_no_system_takes(tmp_path):
    with pytest.raises(ReadError):
        open_slide(tmp_path / ("x" * 5000 + ".tif"))
    with pytest.raises(ReadError):
        open_slide("nul\0byte.tif")


@pytest.mark.parametrize("name", ["cells.xyz", "README", "movie.avi"])
def test_unknown_suffix(tmp_path, name):
    with pytest.raises(UnsupportedFormat, match=r"Readable are .*\.mrxs"):
        open_slide(written(tmp_path / name, "some text"))


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_no_permission(tmp_path):
    path = tmp_path / "secret.png"
    Image.fromarray(rgb((20, 20))).save(path)
    readable = shutil.copy(path, tmp_path / "readable.png")
    path.chmod(0)
    code = (
        "import os, sys, pathlib\n"
        "from napari_histreg.errors import ReadError\n"
        "from napari_histreg.slides import open_slide\n"
        "open_slide(sys.argv[2]).close()\n"  # imports all while that is still allowed
        "if os.getuid() == 0: os.seteuid(65534)\n"
        "try: open_slide(sys.argv[1])\n"
        "except ReadError as error: print(error)\n"
    )
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o111)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(readable)], capture_output=True, text=True, check=True
    )
    assert "permission" in done.stdout
    assert "secret.png" in done.stdout


def test_content_decides_not_the_name(tmp_path):
    Image.fromarray(rgb((30, 40))).save(tmp_path / "really.png", format="PNG")
    (tmp_path / "really.png").rename(tmp_path / "named.tif")
    with open_slide(tmp_path / "named.tif") as slide:
        assert np.array_equal(slide.read_level(0), np.moveaxis(rgb((30, 40)), -1, 0))


PICTURES = [
    "tiled.tif", "strips.tif", "one piece.tif", "subifds.ome.tif",
    "picture.png", "picture.jpg", "picture.bmp",
]  # fmt: skip


def picture(folder: Path, name: str) -> Path:
    path = folder / name
    if name == "tiled.tif":
        tifffile.imwrite(path, rgb((400, 300)), tile=(64, 64), compression="zlib", photometric="rgb")
    elif name == "strips.tif":
        tifffile.imwrite(path, rgb((400, 300)), rowsperstrip=16, compression="lzw", photometric="rgb")
    elif name == "one piece.tif":
        tifffile.imwrite(path, rgb((400, 300)), photometric="rgb")
    elif name.startswith("subifds"):
        with tifffile.TiffWriter(path, ome=True) as tif:
            tif.write(channels(3, (400, 300)), subifds=1, tile=(64, 64), metadata={"axes": "CYX"})
            tif.write(channels(3, (200, 150)), subfiletype=1, tile=(64, 64))
    else:
        Image.fromarray(rgb((400, 300))).save(path)
    return path


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.97])
def test_truncated(tmp_path, name, share):
    whole = picture(tmp_path, name)
    content = whole.read_bytes()
    cut = written(tmp_path / f"cut {name}", content[: int(len(content) * share)])
    with pytest.raises(DamagedFile, match="cut "), open_slide(cut) as slide:
        slide.read_level(0)


@pytest.mark.parametrize("name", PICTURES)
def test_damaged_anywhere_never_leaks_another_error(tmp_path, name):
    content = bytearray(picture(tmp_path, name).read_bytes())
    rng = np.random.default_rng(3)
    messages = []
    for attempt in range(40):
        broken = bytearray(content)
        for place in rng.integers(0, len(content) if attempt % 2 else 400, 12):
            broken[place] = rng.integers(256)
        path = written(tmp_path / f"broken {name}", bytes(broken))
        try:
            with open_slide(path) as slide:
                if slide.shape[0] * slide.shape[1] < 1e7:
                    slide.read_level(0)
        except HistregError as error:
            messages.append(str(error))
    assert messages
    assert all("broken" in message for message in messages)


def test_libraries_say_nothing_beside_the_error(tmp_path, caplog, capfd):
    whole = picture(tmp_path, "subifds.ome.tif")
    cut = written(tmp_path / "cut.ome.tif", whole.read_bytes()[:1500])
    with pytest.raises(DamagedFile, match="cut"):
        open_slide(cut)
    assert caplog.text == ""
    assert capfd.readouterr().err == ""


def test_what_openslide_leaves_out_goes_to_the_tiff_reader(tmp_path, monkeypatch):
    path = tmp_path / "a.svs"
    options = {
        "tile": (64, 64),
        "description": "Aperio Image Library v1",
        "metadata": None,
        "photometric": "rgb",
    }
    tifffile.imwrite(path, rgb((200, 150)), **options)
    with open_slide(path) as slide:
        assert slide.vendor == "aperio"

    def refuse(self, name):
        raise openslide.OpenSlideError("Unsupported TIFF compression: 12345")

    monkeypatch.setattr(openslide.OpenSlide, "__init__", refuse)
    with open_slide(path) as slide:
        assert np.array_equal(slide.read_level(0), np.moveaxis(rgb((200, 150)), -1, 0))
    monkeypatch.setattr("napari_histreg.slides.readers._openslide.detect_vendor", lambda _: "zeiss")
    written(tmp_path / "a.svslide", b"neither TIFF nor for bioio" + bytes(100))
    with pytest.raises(UnsupportedFormat, match="Convert it to OME-TIFF"):
        open_slide(tmp_path / "a.svslide")


def test_tiff_that_points_at_itself(tmp_path):
    path = tmp_path / "loop.tif"
    tifffile.imwrite(path, rgb((40, 40)), photometric="rgb", metadata=None)
    content = bytearray(path.read_bytes())
    first = int.from_bytes(content[4:8], "little")
    count = int.from_bytes(content[first : first + 2], "little")
    content[first + 2 + 12 * count : first + 6 + 12 * count] = first.to_bytes(4, "little")
    path.write_bytes(content)
    with open_slide(path) as slide:
        assert slide.shape == (40, 40)
        assert len(slide.channels) == 3


def test_mirax_without_its_folder(tmp_path):
    path = tmp_path / "case 7.mrxs"
    write_mirax(path, rgb((320, 320)))
    shutil.rmtree(tmp_path / "case 7")
    with pytest.raises(DamagedFile, match="needs the folder case 7"):
        open_slide(path)


def test_mirax_with_part_of_its_folder(tmp_path):
    path = tmp_path / "a.mrxs"
    write_mirax(path, rgb((320, 320)))
    data = max((tmp_path / "a").glob("Data*.dat"), key=lambda p: p.stat().st_size)
    data.write_bytes(data.read_bytes()[:2000])
    with pytest.raises(DamagedFile, match=r"a\.mrxs"), open_slide(path) as slide:
        slide.read_level(0)
    data.unlink()
    with pytest.raises(DamagedFile, match=r"a\.mrxs"), open_slide(path) as slide:
        slide.read_level(0)
    with pytest.raises(UnsupportedFormat, match=r"Open the file a\.mrxs"):
        open_slide(tmp_path / "a")


def test_one_failed_read_does_not_spoil_the_next(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, rgb((256, 128)), tile=(128, 128), compression="zlib", photometric="rgb", metadata=None
    )
    with tifffile.TiffFile(path) as tif:
        start = tif.pages[0].dataoffsets[1]
    content = bytearray(path.read_bytes())
    content[start : start + 50] = bytes(50)
    path.write_bytes(content)
    with open_slide(path) as slide:
        with pytest.raises(DamagedFile, match=r"tile 1 of level 0"):
            slide.read(0, Region(130, 0, 10, 10))
        assert np.array_equal(
            slide.read(0, Region(0, 0, 9, 9)), np.moveaxis(rgb((256, 128)), -1, 0)[:, :9, :9]
        )


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), (1, 0), (1, 2, 3), "two", ("a", 1)])
def test_impossible_pixel_size(value):
    with pytest.raises(ValueError, match="pixel size"):
        open_slide(np.zeros((4, 4), np.uint8), pixel_size_um=value)


def test_pixel_size_given_takes_the_place_of_the_files(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, rgb((40, 50)), resolution=(4e4, 4e4), resolutionunit="CENTIMETER", photometric="rgb"
    )
    assert open_slide(path).pixel_size_um == (0.25, 0.25)
    assert open_slide(path, pixel_size_um=(0.5, 0.6)).pixel_size_um == (0.5, 0.6)
    assert open_slide(path, pixel_size_um=2).pixel_size_um == (2.0, 2.0)


@pytest.mark.parametrize("dpi", [72, 96, 300, 1200])
def test_printers_resolution_is_no_pixel_size(tmp_path, dpi):
    tifffile.imwrite(tmp_path / "a.tif", rgb((40, 50)), resolution=(dpi, dpi), resolutionunit="INCH")
    Image.fromarray(rgb((40, 50))).save(tmp_path / "a.png", dpi=(dpi, dpi))
    Image.fromarray(rgb((40, 50))).save(tmp_path / "a.jpg", dpi=(dpi, dpi))
    for name in ("a.tif", "a.png", "a.jpg"):
        with open_slide(tmp_path / name) as slide:
            assert slide.pixel_size_um is None
            assert slide.unit == "px"


def test_slide_is_returned_with_what_was_given():
    slide = open_slide(np.zeros((2, 8, 9), np.uint16), pixel_size_um=1)
    assert open_slide(slide) is slide
    again = open_slide(slide, pixel_size_um=2, name="b", channel_names=["DAPI", "CD3"])
    assert (again.name, again.pixel_size_um, again.channel_index("DAPI")) == ("b", (2.0, 2.0), 0)
    assert isinstance(again, Slide)
    assert slide.pixel_size_um == (1.0, 1.0)


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"], "ab"])
def test_wrong_number_of_channel_names(names):
    with pytest.raises(ValueError, match="2 channels"):
        open_slide(np.zeros((2, 8, 9), np.uint16), channel_names=names)


@pytest.mark.parametrize("what", [None, 3, 2.5, {}, []])
def test_not_a_slide(what):
    with pytest.raises(TypeError, match="path, an array or a list"):
        open_slide(what)


def test_only_one_picture(tmp_path):
    Image.fromarray(rgb((30, 40))).save(tmp_path / "a.png")
    for wrong in ({"series": 1}, {"z": 1}, {"t": 2}):
        with pytest.raises(ValueError, match="one picture only"):
            open_slide(tmp_path / "a.png", **wrong)
        with pytest.raises(ValueError, match="one picture only"):
            open_slide(np.zeros((4, 4), np.uint8), **wrong)


def test_lazy_arrays_stay_lazy():
    asked = []

    def block(block_info=None):
        asked.append(block_info)
        shape = block_info[None]["chunk-shape"]
        return np.full(shape, 7, np.uint16)

    lazy = da.map_blocks(block, chunks=((1,) * 2, (512,) * 8, (512,) * 8), dtype=np.uint16)
    asked.clear()  # Dask tries the function once when the array is declared
    slide = open_slide(lazy)
    assert asked == []
    assert (slide.read(0, Region(600, 600, 5, 5), [1]) == 7).all()
    assert len(asked) == 1


def test_importing_is_light():
    code = (
        "import sys, napari_histreg.slides, napari_histreg.slides.opening\n"
        "heavy = {'cv2', 'tifffile', 'zarr', 'openslide', 'PIL', 'dask', 'imagecodecs'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_description_is_plain_json():
    slide = open_slide(
        np.zeros((2, 1500, 900), np.uint16), pixel_size_um=(0.5, 0.25), channel_names=["DAPI", "CD3"]
    )
    told = describe(slide)
    assert json.loads(json.dumps(told)) == told
    assert (told["width"], told["height"], told["unit"]) == (900, 1500, "um")
    assert told["pixel_size_um"] == {"y": 0.5, "x": 0.25}
    assert told["levels"][1] == {"width": 450, "height": 750, "downsample": {"y": 2.0, "x": 2.0}}
    assert told["channels"] == [{"name": "DAPI", "colour": None}, {"name": "CD3", "colour": None}]
