"""How large a compressed tile says that it is, before a decoder makes room for it."""

import struct
from collections.abc import Callable

from napari_histreg.errors import DamagedFile

__all__ = ["announced_shape", "check_announced"]

ROOM = 4
"""How many times the tile's pixels may be announced: decoders round up, and strips end early."""
# Start of frame, but for tables (C4), extensions (C8) and arithmetic conditioning (CC).
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, *range(0xD0, 0xD8)}


def check_announced(name: str, data: bytes, tile: tuple[int, int]) -> None:
    """Refuse a tile that announces far more pixels than the file has for it.

    Parameters
    ----------
    name : str
        The file.
    data : bytes
        As stored: JPEG, JPEG 2000, JPEG XL, PNG or WebP; others are left to their decoders.
    tile : (int, int)
        Height and width by the file.

    Raises
    ------
    DamagedFile
        It announces too many, which would take memory without end.
    """
    found = announced_shape(data)
    if found is not None and found[0] * found[1] > ROOM * max(tile[0] * tile[1], 4096):
        raise DamagedFile(
            f"{name} has a tile of {tile[0]} x {tile[1]} px that announces {found[0]} x {found[1]} px. "
            "The file is damaged; copy it again from its source."
        )


def announced_shape(data: bytes) -> tuple[int, int] | None:
    r"""Return height and width in the head of compressed pixels; None where the kind is not known.

    Examples
    --------
    >>> announced_shape(b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 17, 8, 300, 200, 3))
    (300, 200)
    """
    for begins, read in _KINDS:
        if data.startswith(begins):
            try:
                return read(data)
            except (struct.error, IndexError):
                return None
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame; its height may be 0, to follow behind the first scan."""
    position = 2
    while position + 9 <= len(data):
        if data[position] != 0xFF:
            position += 1
            continue
        marker = data[position + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return height, width
        if marker == 0xFF:
            position += 1
        elif marker in _ALONE or marker == 0:
            position += 2
        else:
            position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    return None


def _jpeg_2000(data: bytes) -> tuple[int, int]:
    x, y, x0, y0 = struct.unpack_from(">4I", data, 8)
    return max(y - y0, 0), max(x - x0, 0)


def _jp2(data: bytes) -> tuple[int, int] | None:
    """Walk the boxes to the codestream."""
    position = 0
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, position + 8)
            head = 16
        if kind == b"jp2c":
            return _jpeg_2000(data[position + head : position + head + 64])
        if length < head:
            return None
        position += length
    return None


def _png(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, 16)
    return height, width


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[27:30], "little"), 1 + int.from_bytes(data[24:27], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return height & 0x3FFF, width & 0x3FFF


def _jpeg_xl(data: bytes) -> tuple[int, int] | None:
    """Read the size header: see ISO/IEC 18181-1, SizeHeader."""
    if data.startswith(b"\0\0\0\x0cJXL "):
        places = [place for kind in (b"jxlc", b"jxlp") if (place := data.find(kind)) > 0]
        if not places:
            return None
        data = data[data.find(b"\xff\x0a", min(places)) :]
    bits, position = int.from_bytes(data[2:14], "little"), 0

    def take(count: int) -> int:
        nonlocal position
        value = bits >> position & ((1 << count) - 1)
        position += count
        return value

    def side(is_small: int) -> int:
        return 8 * (1 + take(5)) if is_small else 1 + take((9, 13, 18, 30)[take(2)])

    is_small = take(1)
    height = side(is_small)
    ratio = take(3)
    if ratio == 0:
        return height, side(is_small)
    over, under = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
    return height, height * over // under


_KINDS: tuple[tuple[bytes, Callable[[bytes], tuple[int, int] | None]], ...] = (
    (b"\xff\xd8", _jpeg),
    (b"\xff\x4f\xff\x51", _jpeg_2000),
    (b"\0\0\0\x0cjP  ", _jp2),
    (b"\x89PNG", _png),
    (b"RIFF", _webp),
    (b"\xff\x0a", _jpeg_xl),
    (b"\0\0\0\x0cJXL ", _jpeg_xl),
)
