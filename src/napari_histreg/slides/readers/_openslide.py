"""Slides of the scanner makers, through OpenSlide.

OpenSlide speaks (x, y), level-0 pixels and RGBA; everything is converted here.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile, UnsupportedFormat
from napari_histreg.geometry import Region
from napari_histreg.slides.pyramid import level_of
from napari_histreg.slides.readers._border import ReadOptions, closed_error, on_white, pick, wrapped
from napari_histreg.slides.readers._openslide_bounds import check_companions
from napari_histreg.slides.slide import Channel, Level, Slide

__all__ = ["detect_vendor", "read_openslide"]

# Decoded tiles that the handles of one slide share.
CACHE_BYTES = 128 << 20
# Side of the blocks in which levels of uneven downsample are read, in pixels of the level.
BLOCK_PX = 1024
# Hamamatsu's tag for the wavelength of a filter.
WAVELENGTH = 65451


def detect_vendor(path: Path) -> str | None:
    """Return OpenSlide's name for the scanner maker, or None if it is not one of its formats."""
    import openslide

    check_companions(path)
    with wrapped(path.name, "cannot be examined"):
        vendor: str | None = openslide.OpenSlide.detect_format(str(path))
    return vendor


def read_openslide(path: Path, options: ReadOptions) -> Slide:
    """Open a slide that OpenSlide knows.

    The slide is cropped to the scanned area (``openslide.bounds-*``); the offset stays in
    `Slide.bounds_offset_px`. What was not scanned is white.

    Parameters
    ----------
    path : Path
        The file; of an .mrxs the folder beside it is needed too.
    options : ReadOptions
        Must ask for the only picture.

    Returns
    -------
    Slide
        RGB, 8 bits.

    Raises
    ------
    DamagedFile
        OpenSlide cannot open it.
    UnsupportedFormat
        It is of a variety that OpenSlide does not know, such as fluorescence.
    """
    handles = _opened(path)
    try:
        options.refuse_more_than_one(path.name)
        with wrapped(path.name, "cannot be opened"), handles.borrowed() as handle:
            properties = dict(handle.properties)
            sizes = [(h, w) for w, h in handle.level_dimensions]
            downsamples = [float(f) for f in handle.level_downsamples]
            bounds = _bounds(properties, sizes[0])
            vendor = properties.get("openslide.vendor", "")
    except BaseException:
        handles.close()
        raise
    levels, grids = [], []
    for size, openslide_factor in zip(sizes, downsamples, strict=True):
        factor = level_of(sizes[0], size).downsample
        whole = bounds == Region.whole(sizes[0])
        shape = size if whole else (_ceil(bounds.height / factor[0]), _ceil(bounds.width / factor[1]))
        levels.append(Level(shape, factor))
        grids.append((factor[0], factor[1], openslide_factor))
    return Slide(
        name=path.name,
        levels=tuple(levels),
        channels=(Channel("red"), Channel("green"), Channel("blue")),
        dtype=np.dtype(np.uint8),
        source=_OpenSlideSource(path.name, handles, (bounds.y, bounds.x), grids),
        pixel_size_um=_pixel_size(properties),
        is_rgb=True,
        background=255.0,
        path=str(path),
        bounds_offset_px=(bounds.y, bounds.x),
        vendor=vendor,
        metadata={
            "objective_power": _positive(properties.get("openslide.objective-power")),
            **({"wavelength_nm": _wavelength(path)} if vendor == "hamamatsu" else {}),
        },
    )


def _opened(path: Path) -> "_Handles":
    """Open the first handle; tell a slide of an unknown variety from a damaged one."""
    import openslide

    with wrapped(path.name, "cannot be opened"):
        try:
            return _Handles(path)
        except openslide.OpenSlideError as error:
            if not any(word in str(error).lower() for word in ("support", "unrecognized")):
                raise
            raise UnsupportedFormat(
                f"{path.name} is a scanner's slide of a variety that OpenSlide cannot read: {error}. "
                "Convert it to OME-TIFF, for example with QuPath or bioformats2raw."
            ) from error


def _ceil(value: float) -> int:
    """Round up, forgiving the last digits of a division."""
    return max(1, int(np.ceil(value - 1e-9)))


def _positive(text: str | None) -> float | None:
    """Read a positive number; None where there is none."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if np.isfinite(value) and value > 0 else None


def _pixel_size(properties: dict[str, str]) -> tuple[float, float] | None:
    """Return the pixel size (y, x) in µm, if both are given."""
    y, x = _positive(properties.get("openslide.mpp-y")), _positive(properties.get("openslide.mpp-x"))
    return None if y is None or x is None else (y, x)


def _wavelength(path: Path) -> float | None:
    """Return the emission in nm that Hamamatsu notes of a filter, which OpenSlide does not tell."""
    import tifffile

    if path.suffix.lower() != ".ndpi":
        return None
    try:
        with wrapped(path.name, "has no tags"), tifffile.TiffFile(path) as tif:
            return _positive(str(tif.pages[0].tags.valueof(WAVELENGTH)))
    except DamagedFile:  # the slide itself was opened
        return None


def _bounds(properties: dict[str, str], size: tuple[int, int]) -> Region:
    """Return the scanned part of level 0; all of it where the slide names none."""
    try:
        y, x, height, width = (
            int(properties[f"openslide.bounds-{k}"]) for k in ("y", "x", "height", "width")
        )
    except (KeyError, ValueError):
        return Region.whole(size)
    region = Region(y, x, max(height, 0), max(width, 0)).clipped(size)
    return Region.whole(size) if region.is_empty else region


class _Handles:
    """OpenSlide handles of one file: each is used by one thread at a time, all share a cache."""

    def __init__(self, path: Path) -> None:
        import openslide

        self._path = path
        self._cache = openslide.OpenSlideCache(CACHE_BYTES)
        self._free: list[Any] = []
        self._closed = False
        self._lock = threading.Lock()
        self._free.append(self._open())

    def _open(self) -> Any:
        """Open one more handle."""
        import openslide

        handle = openslide.OpenSlide(str(self._path))
        handle.set_cache(self._cache)
        return handle

    @contextmanager
    def borrowed(self) -> Iterator[Any]:
        """Lend a handle to this thread; one that failed is not used again."""
        with self._lock:
            if self._closed:
                raise closed_error(self._path.name)
            free = self._free.pop() if self._free else None
        handle = self._open() if free is None else free
        try:
            yield handle
        except BaseException:
            handle.close()
            raise
        self._take_back(handle)

    def _take_back(self, handle: Any) -> None:
        """Keep a handle for the next reader, or close it if the slide was closed meanwhile."""
        with self._lock:
            if not self._closed:
                self._free.append(handle)
                return
        handle.close()

    def close(self) -> None:
        """Close the handles that are free, and those in use as soon as they come back."""
        with self._lock:
            self._closed, free = True, self._free
            self._free = []
        for handle in free:
            handle.close()


class _OpenSlideSource:
    """Pixel source over OpenSlide handles."""

    def __init__(
        self, name: str, handles: _Handles, offset: tuple[int, int], grids: list[tuple[float, float, float]]
    ) -> None:
        self._name = name
        self._handles = handles
        self._offset = offset
        self._grids = grids

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        with (
            wrapped(self._name, f"cannot be decoded at {region} of level {level}"),
            self._handles.borrowed() as handle,
        ):
            if float(self._grids[level][2]).is_integer():
                pixels = self._read_block(handle, level, region)
            else:
                pixels = self._read_in_blocks(handle, level, region)
        return pick(np.moveaxis(pixels, -1, 0), channels)

    def _read_in_blocks(self, handle: Any, level: int, region: Region) -> NDArray[np.uint8]:
        """Read a level whose downsample is not a whole number.

        OpenSlide takes whole level-0 pixels, so such a read can start up to half a level-0 pixel
        off and is interpolated. Always cutting at the same places makes a pixel's value independent
        of the region it is read with.
        """
        out = np.empty((*region.shape, 3), np.uint8)
        for y in range(region.y // BLOCK_PX * BLOCK_PX, region.y + region.height, BLOCK_PX):
            for x in range(region.x // BLOCK_PX * BLOCK_PX, region.x + region.width, BLOCK_PX):
                block = self._read_block(handle, level, Region(y, x, BLOCK_PX, BLOCK_PX))
                y0, x0 = max(y, region.y), max(x, region.x)
                y1, x1 = (
                    min(y + BLOCK_PX, region.y + region.height),
                    min(x + BLOCK_PX, region.x + region.width),
                )
                out[y0 - region.y : y1 - region.y, x0 - region.x : x1 - region.x] = block[
                    y0 - y : y1 - y, x0 - x : x1 - x
                ]
        return out

    def _read_block(self, handle: Any, level: int, region: Region) -> NDArray[np.uint8]:
        """Read a region (H, W, 3) at once.

        Pixel i of the cropped level covers the level-0 pixels from ``offset + i * factor`` on.
        OpenSlide divides what it is given by its own, uneven downsample; multiplying with that
        and dividing by the true factor beforehand lands on the pixel that is meant.
        """
        fy, fx, openslide_factor = self._grids[level]
        y = round((self._offset[0] + region.y * fy) * openslide_factor / fy)
        x = round((self._offset[1] + region.x * fx) * openslide_factor / fx)
        rgba = np.asarray(handle.read_region((x, y), level, (region.width, region.height)))
        return on_white(rgba[..., :3], rgba[..., 3])

    def close(self) -> None:
        """Close all handles."""
        self._handles.close()
