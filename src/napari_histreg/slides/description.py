"""A slide in plain words and numbers, for people and for JSON."""

from typing import Any

from napari_histreg.slides.slide import Slide

__all__ = ["describe"]


def describe(slide: Slide) -> dict[str, Any]:
    """Say what a slide is, in values that JSON can hold.

    Parameters
    ----------
    slide : Slide
        No pixels are read.

    Returns
    -------
    dict
        name, path, width, height, pixel_size_um ({"y", "x"} or None), unit, dtype, is_rgb, channels
        (name and colour as "#rrggbb" or None), levels (width, height, downsample {"y", "x"}),
        bounds_offset_px ({"y", "x"} or None), vendor (or None) and volume (modality, plane, index and count
        of a plane of a volume; or None).

    Examples
    --------
    >>> import numpy as np
    >>> from napari_histreg.slides.opening import open_slide
    >>> told = describe(open_slide(np.zeros((30, 40, 3), np.uint8), pixel_size_um=0.5))
    >>> told["width"], told["pixel_size_um"], [channel["name"] for channel in told["channels"]]
    (40, {'y': 0.5, 'x': 0.5}, ['red', 'green', 'blue'])
    """
    size, offset = slide.pixel_size_um, slide.bounds_offset_px
    return {
        "name": slide.name,
        "path": slide.path,
        "width": int(slide.shape[1]),
        "height": int(slide.shape[0]),
        "pixel_size_um": None if size is None else _pair(size),
        "unit": slide.unit,
        "dtype": slide.dtype.name,
        "is_rgb": bool(slide.is_rgb),
        "channels": [{"name": c.name, "colour": _hex(c.colour)} for c in slide.channels],
        "levels": [
            {
                "width": int(level.shape[1]),
                "height": int(level.shape[0]),
                "downsample": _pair(level.downsample),
            }
            for level in slide.levels
        ],
        "bounds_offset_px": None if offset is None else {"y": int(offset[0]), "x": int(offset[1])},
        "vendor": slide.vendor or None,
        "volume": _volume(slide),
    }


def _volume(slide: Slide) -> dict[str, Any] | None:
    if "plane" not in slide.metadata:
        return None
    return {key: slide.metadata[key] for key in ("modality", "plane", "index", "count")}


def _pair(values: tuple[float, float]) -> dict[str, float]:
    return {"y": float(values[0]), "x": float(values[1])}


def _hex(colour: tuple[float, float, float] | None) -> str | None:
    """Write a colour as web pages do."""
    return None if colour is None else "#" + "".join(f"{round(255 * part):02x}" for part in colour)
