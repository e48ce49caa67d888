"""Olympus .vsi slides: the shell with label and properties, and the folder with the pixels (.ets).

The layout is that of Bio-Formats' CellSensReader and slideio's VSI driver: volumes of tags in a TIFF.
"""

import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image

VOLUME, PROPERTIES, INT, TEXT, RECT, VECTOR = 0x10000000, 0x10000001, 5, 8192, 259, 260
COLLECTION, IMAGE, FRAME, STACK, EXTERNAL = 2000, 2001, 2002, 2005, 2018
HAS_FILE, BOUNDARY, NAME, KIND, SCALE = 20005, 2053, 2030, 2074, 2019
UNIT, UM = 2020, "10^-6 m^1"
RAW, JPEG, GREY, RGB, BYTES, WORDS = 0, 2, 1, 3, 2, 4


def write_vsi(
    path: Path, images: dict[str, np.ndarray], *, um: float = 0.5, kinds: dict[str, int] | None = None
) -> Path:
    """Write a slide; images (Y, X) or (Y, X, 3) by their names, each in an .ets of its own."""
    kinds = kinds or {}
    volumes = []
    for number, (name, pixels) in enumerate(images.items()):
        height, width = pixels.shape[:2]
        frame = _volume(
            _tag(
                EXTERNAL,
                PROPERTIES,
                _volume(
                    _tag(HAS_FILE, INT, struct.pack("<i", 1)),
                    _tag(BOUNDARY, RECT, struct.pack("<4i", 0, 0, width, height)),
                ),
            )
        )
        stack = _volume(
            _tag(NAME, TEXT, (name + "\0").encode("utf-16-le")),
            _tag(KIND, INT, struct.pack("<i", kinds.get(name, 0))),
            _tag(SCALE, VECTOR, struct.pack("<2d", um, um)),
            _tag(UNIT, TEXT, (UM + "\0").encode("utf-16-le")),
        )
        volumes.append(
            _tag(IMAGE, VOLUME, _volume(_tag(FRAME, VOLUME, frame), _tag(STACK, PROPERTIES, stack)))
        )
        folder = path.with_name(f"_{path.stem}_") / f"stack{number + 1}"
        folder.mkdir(parents=True)
        write_ets(folder / "frame_t.ets", pixels)
    notes = _volume(_tag(COLLECTION, VOLUME, _volume(*volumes)))
    label = np.full((20, 30), 77, np.uint8)
    place = 8 + len(notes)
    path.write_bytes(b"II*\0" + struct.pack("<I", place) + notes + _tiff_directory(label, place))
    return path


def write_ets(path: Path, pixels: np.ndarray, tile: int = 128) -> None:
    """Write pixels in tiles, in levels halved by picking every other pixel."""
    chunks, levels, level = [], [], 0
    while level == 0 or max(pixels.shape[:2]) > tile / 2:
        for y in range(0, pixels.shape[0], tile):
            for x in range(0, pixels.shape[1], tile):
                block = np.zeros((tile, tile, *pixels.shape[2:]), pixels.dtype)
                part = pixels[y : y + tile, x : x + tile]
                block[: part.shape[0], : part.shape[1]] = part
                chunks.append(((x // tile, y // tile, level), _packed(block)))
        levels.append(pixels.shape)
        pixels, level = pixels[::2, ::2], level + 1
    colours = pixels.shape[2] if pixels.ndim == 3 else 1
    position, data, table = 64 + 228, b"", b""
    for place, block in chunks:
        table += struct.pack("<i3iqii", 0, *place, position + len(data), len(block), 0)
        data += block
    head = struct.pack("<4sIII", b"SIS", 64, 2, 3) + struct.pack("<QII", 64, 228, 0)
    head += struct.pack("<QIIQII", position + len(data), len(chunks), 0, 0, 0, 0)
    more = struct.pack("<4sI", b"ETS", 0x30001)
    more += struct.pack(
        "<5I",
        WORDS if pixels.itemsize == 2 else BYTES,
        colours,
        RGB if colours > 1 else GREY,
        JPEG if colours > 1 else RAW,
        90,
    )
    more += struct.pack("<3I17I10III18I", tile, tile, 1, *[0] * 27, 0, 1, *[0] * 18)
    path.write_bytes(head.ljust(64, b"\0") + more.ljust(228, b"\0") + data + table)


def _packed(block: np.ndarray) -> bytes:
    """Return a tile as the scanners store it: grey values as they are, colours as JPEG."""
    if block.ndim == 2:
        return block.tobytes()
    jpeg = io.BytesIO()
    Image.fromarray(block).save(jpeg, "JPEG", quality=100, subsampling=0)
    return jpeg.getvalue()


def _tag(number: int, kind: int, data: bytes) -> tuple[int, int, bytes]:
    return number, kind, data


def _volume(*tags: tuple[int, int, bytes]) -> bytes:
    body, position = b"", 24
    for number, kind, data in tags:
        position += 16 + len(data)
        is_last = number == tags[-1][0] and data is tags[-1][2]
        body += struct.pack("<iiiI", kind, number, 0 if is_last else position, len(data)) + data
    return struct.pack("<HHIqII", 24, 21321, 1, 24, len(tags), 0) + body


def _tiff_directory(label: np.ndarray, place: int) -> bytes:
    """Return the directory of one strip, and the strip behind it."""
    (height, width), count = label.shape, 9
    strip = place + 2 + 12 * count + 4
    entries = [
        (256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1),
        (273, 4, strip), (277, 3, 1), (278, 4, height), (279, 4, label.size),
    ]  # fmt: skip
    packed = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return struct.pack("<H", count) + packed + struct.pack("<I", 0) + label.tobytes()
