"""Writes small 3DHISTECH slides (.mrxs): one photo a tile, no overlap, what the readers need of the format.

Layout as OpenSlide describes it: ``Slidedat.ini`` names the levels, ``Index.dat`` says for each level which
photo lies where in ``Data0000.dat``. Photos that are left out were not scanned.
"""

import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image

SLIDE_ID = "0123456789ABCDEF0123456789ABCDEF"
VERSION = "01.02"


def write_mirax(
    path: Path,
    picture: np.ndarray,
    *,
    tile: int = 64,
    levels: int = 4,
    pixel_size_um: float = 0.25,
    empty_tiles: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> tuple[int, int]:
    """Write a picture (Y, X, 3), its sides multiples of the coarsest level's tile, as a slide.

    `empty_tiles` are rows and columns of tiles above, left of, below and right of the picture that were not
    scanned. Returns where the picture begins (y, x) in the file's own pixels.
    """
    top, left, bottom, right = empty_tiles
    rows, columns = picture.shape[0] // tile, picture.shape[1] // tile
    count_y, count_x = top + rows + bottom, left + columns + right
    assert picture.shape[:2] == (rows * tile, columns * tile)
    whole = np.full((count_y * tile, count_x * tile, 3), 255, np.uint8)
    whole[top * tile : (top + rows) * tile, left * tile : (left + columns) * tile] = picture
    folder = path.with_suffix("")
    folder.mkdir()
    Image.new("RGB", (16, 16), "white").save(path, "JPEG")
    data, records = bytearray(), []
    for level in range(levels):
        step = 2**level
        found = []
        for y in range(0, count_y, step):
            for x in range(0, count_x, step):
                if y + step <= top or x + step <= left or y >= top + rows or x >= left + columns:
                    continue
                photo = _photo(whole, level, y // step * tile, x // step * tile, tile)
                found.append((y * count_x + x, len(data), len(photo), 0))
                data += photo
        records.append(found)
    (folder / "Data0000.dat").write_bytes(bytes(data))
    (folder / "Index.dat").write_bytes(_index(records))
    (folder / "Slidedat.ini").write_text(_ini(count_y, count_x, tile, levels, pixel_size_um), "utf-8")
    return top * tile, left * tile


def _photo(whole: np.ndarray, level: int, y: int, x: int, tile: int) -> bytes:
    """Return one photo of a level as PNG; beyond the picture it is white."""
    factor = 2**level
    part = whole[y * factor : (y + tile) * factor, x * factor : (x + tile) * factor].astype(float)
    full = np.full((tile * factor, tile * factor, 3), 255.0)
    full[: part.shape[0], : part.shape[1]] = part
    for _ in range(level):
        full = np.floor((full[::2, ::2] + full[1::2, ::2] + full[::2, 1::2] + full[1::2, 1::2]) / 4 + 0.5)
    buffer = io.BytesIO()
    Image.fromarray(full.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def _index(records: list[list[tuple[int, int, int, int]]]) -> bytes:
    """Return Index.dat: two roots, a pointer for each level, and one page of photos behind each."""
    head = (VERSION + SLIDE_ID).encode()
    table = len(head) + 8
    out = bytearray(head + struct.pack("<ii", table, 0) + bytes(4 * len(records)))
    for level, found in enumerate(records):
        struct.pack_into("<i", out, table + 4 * level, len(out))
        out += struct.pack("<ii", 0, len(out) + 8)
        out += struct.pack("<ii", len(found), 0)
        for row in found:
            out += struct.pack("<iiii", *row)
    return bytes(out)


def _ini(count_y: int, count_x: int, tile: int, levels: int, pixel_size_um: float) -> str:
    lines = [
        "[GENERAL]",
        f"SLIDE_ID = {SLIDE_ID}",
        "SLIDE_VERSION = 01.02",
        f"IMAGENUMBER_X = {count_x}",
        f"IMAGENUMBER_Y = {count_y}",
        "OBJECTIVE_MAGNIFICATION = 20",
        "CameraImageDivisionsPerSide = 1",
        "[HIERARCHICAL]",
        "INDEXFILE = Index.dat",
        "HIER_COUNT = 1",
        "HIER_0_NAME = Slide zoom level",
        f"HIER_0_COUNT = {levels}",
        *(f"HIER_0_VAL_{k}_SECTION = LEVEL_{k}" for k in range(levels)),
        "NONHIER_COUNT = 0",
        "[DATAFILE]",
        "FILE_COUNT = 1",
        "FILE_0 = Data0000.dat",
    ]
    for k in range(levels):
        size = pixel_size_um * 2**k
        lines += [
            f"[LEVEL_{k}]",
            "OVERLAP_X = 0",
            "OVERLAP_Y = 0",
            f"MICROMETER_PER_PIXEL_X = {size}",
            f"MICROMETER_PER_PIXEL_Y = {size}",
            "IMAGE_FILL_COLOR_BGR = 16777215",
            f"DIGITIZER_WIDTH = {tile}",
            f"DIGITIZER_HEIGHT = {tile}",
            f"IMAGE_CONCAT_FACTOR = {min(k, 1)}",
            "IMAGE_FORMAT = PNG",
        ]
    return "\n".join(lines) + "\n"
