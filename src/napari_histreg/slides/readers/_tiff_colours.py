"""From the raw samples of a TIFF page to the channels of a slide."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile, UnsupportedFormat
from napari_histreg.slides.bounds import check_channels
from napari_histreg.slides.readers._border import on_white, white
from napari_histreg.slides.readers._tiff_metadata import TiffMetadata
from napari_histreg.slides.slide import Channel

__all__ = ["Colours", "colours_of"]

RGB_NAMES = ("red", "green", "blue")
MINISWHITE, RGB, PALETTE, CMYK, YCBCR, CIELAB, ICCLAB, ITULAB = 0, 2, 3, 5, 6, 8, 9, 10
# Decoders that return RGB themselves: JPEG, WebP, JPEG XL, JPEG XR.
DECODED_TO_RGB = (6, 7, 34892, 33007, 34927, 50001, 50002, 52546, 22610, 34934, 48127)


@dataclass(frozen=True)
class Colours:
    """What the raw planes of a page become.

    Parameters
    ----------
    channels : tuple of Channel
        Of the slide.
    is_rgb : bool
        Whether these are red, green and blue.
    dtype : numpy dtype
        Of the slide's pixels.
    convert : callable or None
        From all raw planes (R, H, W) to (C, H, W); None where nothing changes.
    fill : int
        Raw value of tiles that the file leaves out.
    """

    channels: tuple[Channel, ...]
    is_rgb: bool
    dtype: np.dtype[Any]
    convert: Callable[[NDArray[Any]], NDArray[Any]] | None
    fill: int = 0


def colours_of(name: str, page: Any, planes: int, metadata: TiffMetadata, is_imagej: bool) -> Colours:
    """Decide what the samples of a page mean.

    Parameters
    ----------
    name : str
        The file, for messages.
    page : tifffile.TiffPage
        Key page of the series.
    planes : int
        Number of pages that make up the channels.
    metadata : TiffMetadata
        What the file tells about its channels.
    is_imagej : bool
        Whether a palette is only a colour to show grey values in.
    """
    if int(page.samplesperpixel) < 1:
        raise DamagedFile(f"{name} says that its pixels have no samples. Export it again.")
    check_channels(name, planes * int(page.samplesperpixel))
    photometric, samples = int(page.photometric or 0), int(page.samplesperpixel)
    dtype = np.dtype(page.dtype).newbyteorder("=") if page.dtype is not None else None
    if dtype is None or dtype.kind not in "buif":
        raise UnsupportedFormat(f"{name} holds pixels of type {dtype}. Convert it to whole or real numbers.")
    if photometric in (CIELAB, ICCLAB, ITULAB) or (
        photometric == YCBCR and int(page.compression) not in DECODED_TO_RGB
    ):
        raise UnsupportedFormat(f"{name} stores its colours as {page.photometric!s}. Convert it to RGB.")
    if planes == 1 and photometric == CMYK and samples >= 4:
        return _rgb(dtype, _from_cmyk)
    means_rgb = photometric in (RGB, YCBCR) or metadata.one_rgb_channel
    if planes == 1 and samples in (3, 4) and means_rgb:
        return _rgb(dtype, None if samples == 3 else _rgba_on_white)
    if photometric == PALETTE and samples == planes == 1 and not is_imagej and page.colormap is not None:
        if np.shape(page.colormap) != (3, 2 ** int(page.bitspersample)):
            raise DamagedFile(f"{name} has a palette of the wrong size. Export it again.")
        return _rgb(_palette_dtype(page.colormap), _through_palette(page.colormap))
    if planes == 1 and samples == 2 and page.extrasamples:
        return Colours(_names(metadata, 1), False, dtype, _grey_on_white)
    names = _names(metadata, planes * samples)
    if dtype == np.uint8 and tuple(c.name.casefold() for c in names) == RGB_NAMES:
        return _rgb(dtype, None)
    return _grey(names, dtype, photometric == MINISWHITE)


def _rgb(dtype: np.dtype[Any], convert: Callable[[NDArray[Any]], NDArray[Any]] | None) -> Colours:
    channels = tuple(Channel(name) for name in RGB_NAMES)
    return Colours(channels, True, dtype, convert, 0 if convert or dtype.kind == "f" else int(white(dtype)))


def _grey(names: tuple[Channel, ...], dtype: np.dtype[Any], inverted: bool) -> Colours:
    """Return channels of grey values, where needed as a type that others can work with."""
    if dtype.kind == "b":
        one = np.uint8(255)
        return Colours(names, False, np.dtype("u1"), lambda p: (~p if inverted else p).astype(np.uint8) * one)
    if inverted and dtype.kind == "u":
        return Colours(names, False, dtype, np.invert)
    if dtype == np.float16:
        return Colours(names, False, np.dtype("f4"), lambda p: p.astype(np.float32))
    return Colours(names, False, dtype, None)


def _names(metadata: TiffMetadata, count: int) -> tuple[Channel, ...]:
    """Return the file's channels if it names them all, else numbered ones."""
    if len(metadata.channels) == count:
        return metadata.channels
    return tuple(Channel(f"channel {k}") for k in range(count))


def _rgba_on_white(planes: NDArray[Any]) -> NDArray[Any]:
    pixels = np.moveaxis(planes, 0, -1)
    return np.moveaxis(on_white(pixels[..., :3], pixels[..., 3]), -1, 0)


def _grey_on_white(planes: NDArray[Any]) -> NDArray[Any]:
    return np.moveaxis(on_white(planes[0][..., None], planes[1]), -1, 0)


def _from_cmyk(planes: NDArray[Any]) -> NDArray[Any]:
    """Turn ink into light: what cyan and black together leave of red, and so on."""
    top = white(planes.dtype)
    light = 1 - planes[:4].astype(np.float32) / top
    return np.asarray(np.rint(light[:3] * light[3] * top)).astype(planes.dtype)


def _palette_dtype(colormap: NDArray[Any]) -> np.dtype[Any]:
    """Return uint8 unless the palette really uses 16 bits."""
    is_8_bit = bool((colormap % 257 == 0).all() or (colormap % 256 == 0).all())
    return np.dtype("u1") if is_8_bit else np.dtype("u2")


def _through_palette(colormap: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    dtype = _palette_dtype(colormap)
    table = (colormap >> 8 if dtype == np.uint8 else colormap).astype(dtype)
    return lambda planes: table[:, planes[0]]
