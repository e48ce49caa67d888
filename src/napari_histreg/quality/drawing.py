"""Words and scale bars on pictures; pictures are (Y, X, 3) uint8 throughout."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.units import unit_sign

__all__ = ["PAPER", "Picture", "beside", "caption", "nice_length", "scale_bar"]

Picture = NDArray[np.uint8]

INK = (235, 235, 235)
PAPER = 24


def _font(size: int) -> Any:
    """Return a font that has µ and …; it comes with matplotlib."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def caption(picture: Picture, text: str) -> Picture:
    """Put a line of text above a picture; too long text is cut.

    Parameters
    ----------
    picture : (Y, X, 3) ndarray of uint8
    text : str

    Returns
    -------
    (Y + about 24, X, 3) ndarray of uint8

    Examples
    --------
    >>> caption(np.zeros((50, 80, 3), np.uint8), "before").shape[1:]
    (80, 3)
    """
    from PIL import Image, ImageDraw

    size = int(np.clip(picture.shape[1] / 28, 11, 18))
    font = _font(size)
    strip = Image.new("RGB", (picture.shape[1], size + 10), (PAPER, PAPER, PAPER))
    draw = ImageDraw.Draw(strip)
    while text and draw.textlength(text, font=font) > picture.shape[1] - 10:
        text = text[:-2].rstrip("…") + "…" if len(text) > 2 else ""
    draw.text((6, 3), text, fill=INK, font=font)
    return np.concatenate([np.asarray(strip, np.uint8), picture])


def nice_length(longest: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, 50 … that is not longer than `longest`.

    Examples
    --------
    >>> nice_length(37.0), nice_length(0.3)
    (20.0, 0.2)
    """
    if not longest > 0:
        raise ValueError(f"A scale bar needs a positive length, not {longest}.")
    power = 10.0 ** math.floor(math.log10(longest))
    step = max(step for step in (1, 2, 5) if step * power <= longest * (1 + 1e-9))
    return float(f"{step * power:.6g}")


def scale_bar(picture: Picture, spacing: float, unit: str) -> Picture:
    """Draw a scale bar with its length into the lower left corner.

    Parameters
    ----------
    picture : (Y, X, 3) ndarray of uint8
    spacing : float
        World units per pixel.
    unit : {"um", "px"}
        Name of the world unit.

    Returns
    -------
    (Y, X, 3) ndarray of uint8
        A copy; pictures under 60 pixels stay as they are.

    Examples
    --------
    >>> picture = scale_bar(np.zeros((100, 200, 3), np.uint8), 0.5, "um")
    >>> bool(picture[80:, :60].max() > 200)
    True
    """
    from PIL import Image, ImageDraw

    height, width = picture.shape[:2]
    if min(height, width) < 60:
        return picture.copy()
    length = nice_length(0.22 * width * spacing)
    words = f"{length / 1000:g} mm" if unit == "um" and length >= 1000 else f"{length:g} {unit_sign(unit)}"
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    size = int(np.clip(width / 32, 10, 16))
    x0, y0, x1 = 8, height - 12, 8 + round(length / spacing)
    # A dark rim keeps the bar readable on any picture.
    draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y0 + 4), fill=(0, 0, 0))
    draw.rectangle((x0, y0, x1, y0 + 3), fill=(255, 255, 255))
    draw.text((x0, y0 - size - 7), words, fill=INK, font=_font(size), stroke_width=2, stroke_fill=(0, 0, 0))
    return np.asarray(image, np.uint8)


def beside(pictures: Sequence[Picture], gap: int = 8) -> Picture:
    """Put pictures side by side on dark paper.

    Examples
    --------
    >>> beside([np.zeros((4, 5, 3), np.uint8), np.zeros((6, 5, 3), np.uint8)], gap=2).shape
    (6, 12, 3)
    """
    if not pictures:
        raise ValueError("There are no pictures to put side by side.")
    height = max(picture.shape[0] for picture in pictures)
    width = sum(picture.shape[1] for picture in pictures) + gap * (len(pictures) - 1)
    out = np.full((height, width, 3), PAPER, np.uint8)
    x = 0
    for picture in pictures:
        out[: picture.shape[0], x : x + picture.shape[1]] = picture
        x += picture.shape[1] + gap
    return out
