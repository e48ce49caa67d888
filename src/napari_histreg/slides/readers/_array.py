"""Slides from arrays in memory, and from lazy arrays such as those of Dask and Zarr."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import Region
from napari_histreg.slides.pyramid import level_of
from napari_histreg.slides.readers._border import closed_error, on_white, pick, rgb_background, wrapped
from napari_histreg.slides.slide import Channel, Slide

__all__ = ["is_array", "read_array"]

RGB_NAMES = ("red", "green", "blue")
# More leading planes than this, with 3 or 4 columns, can only be a picture of floats (Y, X, 3).
MOST_CHANNELS = 64


def is_array(value: object) -> bool:
    """Tell whether this is an array, or a list of arrays that may be pyramid levels."""
    if isinstance(value, list | tuple):
        return bool(value) and all(is_array(item) for item in value)
    return all(hasattr(value, name) for name in ("shape", "dtype", "ndim", "__getitem__"))


def read_array(arrays: Any, *, name: str = "array") -> Slide:
    """Make a slide of an array or of a list of pyramid levels.

    Parameters
    ----------
    arrays : array or sequence of arrays
        (Y, X); (Y, X, 3) of uint8 or uint16 for RGB; (Y, X, 4) of the same for RGBA, laid over
        white; (C, Y, X) otherwise. A sequence holds the levels, finest first.
    name : str
        For people.

    Returns
    -------
    Slide
        Without a pixel size.

    Raises
    ------
    ValueError
        The shape cannot be understood, or the levels do not belong together.
    """
    levels = list(arrays) if isinstance(arrays, list | tuple) else [arrays]
    layouts = [_layout(array) for array in levels]
    if len(set(layouts)) > 1 or len({np.dtype(array.dtype) for array in levels}) > 1:
        raise ValueError(
            "The levels of a pyramid must agree in axes, channels and dtype; these are "
            + ", ".join(f"{tuple(array.shape)} {array.dtype}" for array in levels)
            + "."
        )
    layout, count = layouts[0]
    shapes = [_plane_shape(array, layout) for array in levels]
    if any(a[0] < b[0] or a[1] < b[1] or a == b for a, b in pairwise(shapes)):
        raise ValueError(f"The levels of a pyramid must shrink, finest first; these are {shapes} (Y, X).")
    dtype, is_rgb = np.dtype(levels[0].dtype).newbyteorder("="), layout.startswith("rgb")
    names = RGB_NAMES if is_rgb else tuple(f"channel {k}" for k in range(count))
    return Slide(
        name=name,
        levels=tuple(level_of(shapes[0], shape) for shape in shapes),
        channels=tuple(Channel(channel) for channel in names),
        dtype=dtype,
        source=_Arrays(name, levels, layout, dtype),
        is_rgb=is_rgb,
        background=rgb_background(dtype, is_rgb),
    )


def _layout(array: Any) -> tuple[str, int]:
    """Tell how an array is laid out ("plane", "rgb", "rgba" or "planes") and its channel count."""
    shape, dtype = tuple(int(n) for n in array.shape), np.dtype(array.dtype).newbyteorder("=")
    if dtype.kind not in "buif":
        raise ValueError(f"An image holds whole or real numbers, not {dtype}.")
    if len(shape) not in (2, 3):
        raise ValueError(f"An image array is (Y, X), (Y, X, 3), (Y, X, 4) or (C, Y, X), not {shape}.")
    if 0 in shape:
        raise ValueError(f"The array of shape {shape} holds no pixels.")
    if len(shape) == 2:
        return "plane", 1
    if shape[2] in (3, 4) and dtype in (np.uint8, np.uint16):
        return ("rgb", 3) if shape[2] == 3 else ("rgba", 3)
    if shape[2] in (3, 4) and shape[0] > MOST_CHANNELS:
        raise ValueError(
            f"An array of shape {shape} and dtype {dtype} looks like (Y, X, colour), which is read "
            "from uint8 and uint16 only. Convert it, or move the channels to the front: (C, Y, X)."
        )
    return "planes", shape[0]


def _plane_shape(array: Any, layout: str) -> tuple[int, int]:
    """Return height and width."""
    shape = array.shape[1:] if layout == "planes" else array.shape[:2]
    return int(shape[0]), int(shape[1])


class _Arrays:
    """Pixel source over arrays, one for each level."""

    def __init__(self, name: str, levels: Sequence[Any], layout: str, dtype: np.dtype[Any]) -> None:
        self._name = name
        self._levels: list[Any] | None = list(levels)
        self._layout = layout
        self._dtype = dtype

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        levels = self._levels
        if levels is None:
            raise closed_error(self._name)
        array, rows_columns = levels[level], region.slices
        if self._layout == "plane":
            return pick(self._fetch(array, rows_columns)[None], channels)
        if self._layout == "rgb":
            return pick(np.moveaxis(self._fetch(array, rows_columns), -1, 0), channels)
        if self._layout == "rgba":
            pixels = self._fetch(array, rows_columns)
            return pick(np.moveaxis(on_white(pixels[..., :3], pixels[..., 3]), -1, 0), channels)
        if channels is None:
            return self._fetch(array, (slice(None), *rows_columns))
        return np.stack([self._fetch(array, (channel, *rows_columns)) for channel in channels])

    def _fetch(self, array: Any, index: tuple[Any, ...]) -> NDArray[Any]:
        """Return a copy of a part in native byte order."""
        if isinstance(array, np.ndarray):
            return np.array(array[index], self._dtype)
        with wrapped(self._name, "cannot be computed here"):
            part = array[index]
            if hasattr(part, "compute"):
                # Readers already run in threads: a scheduler of its own would only get in the way.
                part = part.compute(scheduler="synchronous")
            return np.asarray(part, self._dtype)

    def close(self) -> None:
        """Let the arrays go."""
        self._levels = None
