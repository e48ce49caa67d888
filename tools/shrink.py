"""Make a picture small enough for the repository: fewer colours, then fewer pixels, never over 300 kB.

Run as ``python tools/shrink.py PICTURE.png …``; each file is written anew where it is larger.
"""

import io
import sys
from pathlib import Path

from PIL import Image

LIMIT = 300_000
"""Bytes of a picture in docs/images; a test of the house sees to it."""
WIDTHS = (1.0, 0.84, 0.75, 0.66, 0.5)
COLOURS = (256, 160)


def shrink(path: Path) -> None:
    """Write a picture anew, as PNG with a palette, if it is over the limit."""
    if path.stat().st_size <= LIMIT:
        return
    whole = Image.open(path).convert("RGB")
    for share in WIDTHS:
        size = round(whole.width * share), round(whole.height * share)
        smaller = whole if share == 1 else whole.resize(size, Image.Resampling.LANCZOS)
        for colours in COLOURS:
            buffer = io.BytesIO()
            smaller.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
                buffer, "PNG", optimize=True
            )
            if len(buffer.getvalue()) <= LIMIT:
                path.write_bytes(buffer.getvalue())
                return
    raise SystemExit(f"{path} cannot be made smaller than {LIMIT} bytes.")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        shrink(Path(name))
