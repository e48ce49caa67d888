"""Tiles that announce more pixels than there are, by all kinds of compression that say their size."""

import struct

import imagecodecs
import numpy as np
import pytest

from napari_histreg.errors import DamagedFile
from napari_histreg.geometry import Region
from napari_histreg.slides import open_slide
from napari_histreg.slides.readers._codestream import announced_shape, check_announced

WAYS = {
    "jpeg": imagecodecs.jpeg_encode,
    "jpeg 2000": lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="j2k"),
    "jp2": imagecodecs.jpeg2k_encode,
    "jpeg xl": imagecodecs.jpegxl_encode,
    "jpeg xl in boxes": lambda pixels: imagecodecs.jpegxl_encode(pixels, usecontainer=True),
    "png": imagecodecs.png_encode,
    "webp": imagecodecs.webp_encode,
    "webp without loss": lambda pixels: imagecodecs.webp_encode(pixels, lossless=True),
}
COMPRESSIONS = {"jpeg": 7, "jpeg 2000": 34712, "png": 34933}


def encoded(way, shape):
    pixels = np.random.default_rng(0).integers(0, 255, (*shape, 3)).astype(np.uint8)
    return bytes(WAYS[way](pixels))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(130, 300), (256, 256), (135, 240), (1, 2000)], ids=str)
def test_what_encoders_write_is_understood(way, shape):
    data = encoded(way, shape)
    assert announced_shape(data) == shape
    check_announced("a.tif", data, shape)
    for end in range(0, 60, 3):
        announced_shape(data[:end])


def swollen(way):
    """Return a tile of 256 x 256 px that announces 60,000 x 60,000."""
    data = bytearray(encoded(way, (256, 256)))
    if way == "jpeg":
        place = data.find(b"\xff\xc0") + 5
        data[place : place + 4] = struct.pack(">HH", 60000, 60000)
    else:
        place = 16 if way == "png" else 8
        data[place : place + 8] = struct.pack(">II", 60000, 60000)
    return bytes(data)


@pytest.mark.parametrize("way", COMPRESSIONS)
def test_a_small_tiff_with_a_huge_tile_is_refused_before_it_is_decoded(tmp_path, way):
    data, places = swollen(way), 8 + 2 + 12 * 10 + 4
    entries = [
        (256, 4, 1, 256), (257, 4, 1, 256), (258, 3, 3, places), (259, 3, 1, COMPRESSIONS[way]),
        (262, 3, 1, 2), (277, 3, 1, 3), (322, 4, 1, 256), (323, 4, 1, 256), (324, 4, 1, places + 6),
        (325, 4, 1, len(data)),
    ]  # fmt: skip
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + struct.pack("<I3H", 0, 8, 8, 8)
    (tmp_path / "a.tif").write_bytes(head + data)
    with (
        pytest.raises(
            DamagedFile, match=r"a\.tif has a tile of 256 x 256 px that announces 60000 x 60000 px"
        ),
        open_slide(tmp_path / "a.tif") as slide,
    ):
        slide.read(0, Region(0, 0, 4, 4))
