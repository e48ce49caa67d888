"""Hamamatsu .ndpi files: TIFF directories with offsets of 64 bits, and a picture in one JPEG each.

The layout is that of OpenSlide's notes on the format: https://openslide.org/formats/hamamatsu/
"""

import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image

SHORT, LONG, SLONG, FLOAT, ASCII = 3, 4, 9, 11, 2


def write_ndpi(
    path: Path,
    pixels: np.ndarray,
    *,
    um: float = 0.5,
    wavelength_nm: int | None = None,
    notes: str = "",
    quality: int = 95,
) -> Path:
    """Write (Y, X, 3) pixels as a slide of three levels."""
    body, following = bytearray(b"II*\0" + bytes(8)), 4
    for level in range(3):
        part = np.ascontiguousarray(pixels[:: 2**level, :: 2**level])
        jpeg = io.BytesIO()
        Image.fromarray(part).save(jpeg, "JPEG", quality=quality, subsampling=0)
        strip = len(body)
        body += jpeg.getvalue()
        tags = {
            256: (LONG, part.shape[1]), 257: (LONG, part.shape[0]), 259: (SHORT, 7), 262: (SHORT, 6),
            271: (ASCII, "Hamamatsu"), 273: (LONG, strip), 277: (SHORT, 3), 278: (LONG, part.shape[0]),
            279: (LONG, len(jpeg.getvalue())), 282: (FLOAT, 1e4 / um / 2**level),
            283: (FLOAT, 1e4 / um / 2**level), 296: (SHORT, 3), 65420: (LONG, 1),
            65421: (FLOAT, 20 / 2**level), 65422: (SLONG, 0), 65423: (SLONG, 0), 65424: (SLONG, 0),
            65449: (ASCII, notes or "\r\n"),
        }  # fmt: skip
        if wavelength_nm is not None:
            tags |= {65434: (LONG, 1), 65451: (FLOAT, float(wavelength_nm))}
        directory = _directory(tags, body)
        body[following : following + 8] = struct.pack("<Q", len(body))
        following = len(body) + 2 + 12 * len(tags)
        body += directory
    path.write_bytes(bytes(body))
    return path


def _directory(tags: dict[int, tuple[int, object]], body: bytearray) -> bytes:
    """Return a directory; texts go before it, and the upper halves of all values behind it."""
    entries = b""
    for number, (kind, value) in sorted(tags.items()):
        if kind == ASCII:
            text = str(value).encode() + b"\0"
            entries += struct.pack("<HHII", number, kind, len(text), len(body))
            body += text
        elif kind == FLOAT:
            entries += struct.pack("<HHIf", number, kind, 1, value)
        else:
            entries += struct.pack("<HHII", number, kind, 1, value)
    return struct.pack("<H", len(tags)) + entries + bytes(8) + bytes(4 * len(tags))
