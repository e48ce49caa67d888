"""Fluorescence that a scanner stored as a colour picture: one channel, in one of its three colours."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import HistregError
from napari_histreg.geometry import Region
from napari_histreg.slides.readers._border import pick, white
from napari_histreg.slides.slide import Channel, PixelSource, Slide

__all__ = ["as_one_channel", "stain_in", "the_only_colour"]

MOST_PX = 4_000_000
"""The largest coarsest level that is read to see its colours."""
DARK, SHARE, LEAST = 0.06, 0.15, 0.03
COLOURS = ("red", "green", "blue")
STAINS = (
    r"DAPI|Hoechst(?:[ _-]?\d{5})?|FITC|TRITC|Cy[ _-]?[2357](?:\.5)?|[EG]FP|YFP|RFP|mCherry|tdTomato|DsRed|"
    r"Tex(?:as)?[ _-]?Red|Rhodamine|AF[ _-]?\d{3}|Alexa(?:[ _-]?Fluor)?[ _-]?\d{3}|SYTOX|DRAQ5|"
    r"Opal[ _-]?\d{3}|Sp(?:ectrum)?[ _-]?(?:Orange|Green|Aqua|Red|Gold)"
)


def as_one_channel(slide: Slide) -> Slide:
    """Return a colour slide in which a single colour shines as a slide of that one channel.

    Scanners write fluorescence to one colour file for each filter (Hamamatsu .ndpi), whose other colours
    are black. Taken for a stain in brightfield it would be aligned by its darkness. What was not scanned,
    and is white in such a slide, becomes 0.

    Parameters
    ----------
    slide : Slide
        Any; only one that is RGB, and whose coarsest level is small, is looked at.

    Returns
    -------
    Slide
        With one channel, named after the stain in the file's name or else after the filter's wavelength or
        the colour; the slide itself where more than one colour shines, or none.
    """
    if not slide.is_rgb or len(slide.channels) != 3:
        return slide
    coarsest = slide.levels[-1].shape
    if coarsest[0] * coarsest[1] > MOST_PX:
        return slide
    try:
        pixels = slide.source.read(len(slide.levels) - 1, Region.whole(coarsest))
    except HistregError:
        return slide  # said when someone looks at it
    colour = the_only_colour(pixels)
    if colour is None:
        return slide
    wavelength = slide.metadata.get("wavelength_nm")
    named = stain_in(Path(slide.name).stem) or (f"{wavelength:g} nm" if wavelength else COLOURS[colour])
    shown = (float(colour == 0), float(colour == 1), float(colour == 2))
    return replace(
        slide,
        channels=(Channel(named, shown),),
        source=_OneColour(slide.source, colour, white(slide.dtype)),
        is_rgb=False,
        background=0.0,
    )


def the_only_colour(pixels: NDArray[Any]) -> int | None:
    """Tell which colour of a picture shines alone.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
        Colours; what is white in all three was not scanned, and does not count.

    Returns
    -------
    int or None
        0, 1 or 2; None where two shine, or none.

    Examples
    --------
    >>> picture = np.zeros((3, 8, 8), np.uint8)
    >>> picture[2, 2:5] = 90
    >>> the_only_colour(picture), the_only_colour(255 - picture)
    (2, None)
    """
    top = white(pixels.dtype)
    scanned = pixels[:, ~(pixels == top).all(axis=0)]
    if scanned.shape[1] == 0:
        return None
    bright = np.quantile(scanned, 0.999, axis=1) / top
    # The dark current of a camera is no light.
    light = scanned - np.minimum(scanned, np.median(scanned, axis=1, keepdims=True).astype(scanned.dtype))
    total = light.sum(axis=1, dtype=np.float64)
    colour = int(bright.argmax())
    others = np.delete(bright, colour).max()
    if bright[colour] < LEAST or others > min(DARK, SHARE * bright[colour]):
        return None
    return colour if total[colour] >= (1 - SHARE) * total.sum() else None


def stain_in(name: str) -> str | None:
    """Return the fluorophore that a file's name speaks of; the last where there are several.

    Examples
    --------
    >>> stain_in("test3-DAPI 2 (387) "), stain_in("K7_cy3"), stain_in("K7_HE")
    ('DAPI', 'cy3', None)
    """
    found = re.findall(rf"(?<![A-Za-z])({STAINS})(?![A-Za-z])", name, re.IGNORECASE)
    return str(found[-1]) if found else None


class _OneColour:
    """Pixel source of one colour of a picture."""

    def __init__(self, inner: PixelSource, colour: int, top: float) -> None:
        self.inner, self._colour, self._top = inner, colour, top

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        pixels = self.inner.read(level, region)
        one = pixels[self._colour].copy()
        one[(pixels == self._top).all(axis=0)] = 0
        return pick(one[None], channels)

    def close(self) -> None:
        """Close the picture."""
        self.inner.close()
