"""What TIFF files tell about their pixels: channel names, colours and pixel size."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from napari_histreg.slides.readers._border import plausible_pixel_size
from napari_histreg.slides.slide import Channel

__all__ = ["TiffMetadata", "colour_of_ome", "um_per_unit"]

UM_PER_UNIT = {
    "m": 1e6, "dm": 1e5, "cm": 1e4, "mm": 1e3, "um": 1.0, "nm": 1e-3, "pm": 1e-6, "å": 1e-4,
    "in": 25_400.0, "inch": 25_400.0, "mil": 25.4, "thou": 25.4,
    "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometre": 1.0, "nanometer": 1e-3, "millimeter": 1e3,
    "centimeter": 1e4,
}  # fmt: skip
# The TIFF tag ResolutionUnit: 2 inch, 3 centimetre; 1 means there is no unit.
UM_PER_RESOLUTION_UNIT = {2: 25_400.0, 3: 10_000.0}


@dataclass(frozen=True)
class TiffMetadata:
    """Names and sizes found in a file; empty where it tells nothing.

    Parameters
    ----------
    channels : tuple of Channel
        As many as the file names, perhaps none.
    pixel_size_um : (float, float) or None
        (y, x).
    one_rgb_channel : bool
        Whether OME says that the samples are one channel of colours.
    """

    channels: tuple[Channel, ...] = ()
    pixel_size_um: tuple[float, float] | None = None
    one_rgb_channel: bool = False
    notes: dict[str, Any] = field(default_factory=dict)


def um_per_unit(unit: str | None) -> float | None:
    """Return the length of a unit in µm; None for "pixel", "reference frame" and the unknown.

    Examples
    --------
    >>> um_per_unit("µm"), um_per_unit("nm"), um_per_unit("pixel")
    (1.0, 0.001, None)
    """
    text = (
        (unit or "")
        .strip()
        .replace("\\u00B5", "u")
        .replace("\\u00b5", "u")
        .replace("µ", "u")
        .replace("μ", "u")
    )
    return UM_PER_UNIT.get(text.casefold())


def colour_of_ome(value: str | None) -> tuple[float, float, float] | None:
    """Turn an OME colour (a signed integer of red, green, blue, alpha) into fractions.

    Examples
    --------
    >>> colour_of_ome("-16776961"), colour_of_ome("65535")
    ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    """
    try:
        number = int(value or "") & 0xFFFFFFFF
    except ValueError:
        return None
    return (number >> 24) / 255, (number >> 16 & 255) / 255, (number >> 8 & 255) / 255


def metadata_of(tif: Any, series: Any, series_index: int) -> TiffMetadata:
    """Collect what an open tifffile.TiffFile tells about one of its series."""
    if series.kind == "ome" and tif.ome_metadata:
        shape = int(series.keyframe.imagelength), int(series.keyframe.imagewidth)
        found = _from_ome(tif.ome_metadata, series_index, shape)
        if found is not None:
            return found
    page = series.keyframe
    size = _resolution(page)
    if series.kind == "qpi":
        return TiffMetadata(_qptiff_channels(series.pages), size)
    if tif.is_imagej and isinstance(tif.imagej_metadata, dict):
        notes = tif.imagej_metadata
        labels = [str(label) for label in notes.get("Labels") or []]
        return TiffMetadata(tuple(Channel(label) for label in labels), _imagej_size(page, notes) or size)
    described = re.search(r"\bMPP\s*=\s*([0-9.eE+-]+)", page.description or "")
    if described and (value := _number(described.group(1))) and 1e-6 <= value <= 1e6:
        size = (value, value)
    return TiffMetadata((), size)


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _children(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Find children by name in whatever OME namespace."""
    return [child for child in element if child.tag.rsplit("}", 1)[-1] == name]


def _from_ome(xml: str, index: int, shape: tuple[int, int]) -> TiffMetadata | None:
    """Read names, colours and pixel size of the image `index` of OME-XML.

    `shape` (Y, X) tells whether it is the right one, for tifffile leaves out images without pixels.
    """
    try:
        images = _children(ElementTree.fromstring(xml), "Image")
    except ElementTree.ParseError:
        return None
    every = [pixels for image in images for pixels in _children(image, "Pixels")]
    fitting = [
        p for p in every if [_number(p.get("SizeY")), _number(p.get("SizeX"))] == list(map(float, shape))
    ]
    if not fitting:
        return None
    pixels = every[index] if index < len(every) and every[index] in fitting else fitting[0]
    listed = _children(pixels, "Channel")
    channels = []
    for number, element in enumerate(listed):
        name = element.get("Name") or element.get("Fluor") or f"channel {number}"
        channels.append(Channel(name, colour_of_ome(element.get("Color"))))
    samples = [int(_number(element.get("SamplesPerPixel")) or 1) for element in listed]
    return TiffMetadata(tuple(channels), _ome_size(pixels), samples == [3] or samples == [4])


def _ome_size(pixels: ElementTree.Element) -> tuple[float, float] | None:
    """Return PhysicalSizeY and X in µm, if both are given in a unit of length."""
    sizes = []
    for axis in ("Y", "X"):
        value, scale = (
            _number(pixels.get(f"PhysicalSize{axis}")),
            um_per_unit(pixels.get(f"PhysicalSize{axis}Unit", "µm")),
        )
        if value is None or scale is None or not 1e-6 <= value * scale <= 1e6:
            return None
        sizes.append(value * scale)
    return sizes[0], sizes[1]


def _resolution(page: Any) -> tuple[float, float] | None:
    """Return the pixel size (y, x) in µm of the resolution tags, if a microscope can have it."""
    scale = UM_PER_RESOLUTION_UNIT.get(int(page.resolutionunit or 1))
    x, y = page.resolution
    return None if scale is None or not min(x, y) > 0 else plausible_pixel_size(scale / y, scale / x)


def _imagej_size(page: Any, notes: dict[str, Any]) -> tuple[float, float] | None:
    """Return the pixel size (y, x) in µm of an ImageJ file, whose tags count pixels per its own unit."""
    scale = um_per_unit(str(notes.get("unit", "")))
    x, y = page.resolution
    return None if scale is None or not min(x, y) > 0 else (scale / y, scale / x)


def _qptiff_channels(pages: Sequence[Any]) -> tuple[Channel, ...]:
    """Read names and colours from the XML that each page of a QPTIFF carries."""
    channels = []
    for number, page in enumerate(pages):
        try:
            root = ElementTree.fromstring(page.description or "")
        except (ElementTree.ParseError, AttributeError):
            root = ElementTree.Element("none")
        name, colour = root.findtext("Name"), root.findtext("Color")
        parts = [_number(part) for part in (colour or "").split(",")]
        rgb = [min(max(part, 0), 255) / 255 for part in parts if part is not None]
        channels.append(
            Channel(
                (name or f"channel {number}").strip(), (rgb[0], rgb[1], rgb[2]) if len(rgb) == 3 else None
            )
        )
    return tuple(channels)
