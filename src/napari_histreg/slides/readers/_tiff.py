"""OME-TIFF and other TIFF files, flat or with a pyramid."""

import logging
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile, UnsupportedFormat
from napari_histreg.slides.bounds import check_decoded
from napari_histreg.slides.pyramid import level_of
from napari_histreg.slides.readers._border import ReadOptions, rgb_background, wrapped
from napari_histreg.slides.readers._ome_bounds import check_ome
from napari_histreg.slides.readers._tiff_colours import Colours, colours_of
from napari_histreg.slides.readers._tiff_metadata import metadata_of
from napari_histreg.slides.readers._tiff_pixels import MappedPixels, Page, PageLevel, TiffPixels
from napari_histreg.slides.slide import PixelSource, Slide

__all__ = ["read_tiff"]

logger = logging.getLogger(__name__)

JPEG_COMPRESSIONS = (6, 7, 34892, 33007)


def read_tiff(path: Path, options: ReadOptions) -> Slide:
    """Open a TIFF file of any kind that tifffile decodes.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        Series, focal plane and time point. Without a series the largest image is taken.

    Returns
    -------
    Slide
        With the levels that the file holds.

    Raises
    ------
    DamagedFile
        The file is truncated or contradicts itself.
    UnsupportedFormat
        It holds something that is not a picture of channels.
    ValueError
        There is no such series, focal plane or time point.
    """
    with _silent_tifffile(), _opened(path) as tif:
        with wrapped(path.name, "cannot be understood as TIFF"):
            if tif.ome_metadata:
                check_ome(path, tif.ome_metadata, len(tif.pages))
            every = [one for one in tif.series if "Y" in one.axes and "X" in one.axes]
            metadata = [metadata_of(tif, one, k) for k, one in enumerate(tif.series) if one in every]
        number = _choose(path.name, every, options.series)
        series = every[number]
        chosen = _choose_pages(path.name, series, options)
        with wrapped(path.name, "cannot be understood as TIFF"):
            colours = colours_of(
                path.name, series.keyframe, len(chosen), metadata[number], bool(tif.is_imagej)
            )
            pixel_levels = _levels_of(path.name, series, every, colours)
            source = _source(path, tif, series, pixel_levels, chosen, colours)
            files = _files_of(series)
    shapes = [_shape(one.keyframe) for one in pixel_levels]
    if min(min(shape) for shape in shapes) < 1:
        raise DamagedFile(f"{path.name} says that it is 0 pixels large. Export it again.")
    return Slide(
        name=path.name,
        levels=tuple(level_of(shapes[0], shape) for shape in shapes),
        channels=colours.channels,
        dtype=colours.dtype,
        source=source,
        pixel_size_um=metadata[number].pixel_size_um,
        is_rgb=colours.is_rgb,
        background=rgb_background(colours.dtype, colours.is_rgb),
        path=str(path),
        metadata={
            "tiff_kind": str(series.kind),
            "series": number,
            "series_count": len(every),
            "files": files,
        },
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open with tifffile; its file is closed afterwards, for pixels are read without it."""
    import tifffile

    with wrapped(path.name, "cannot be opened as TIFF"):
        tif = tifffile.TiffFile(path)
    try:
        yield tif
    finally:
        tif.close()


@contextmanager
def _silent_tifffile() -> Iterator[None]:
    """Keep tifffile from logging, in this thread, what is checked here and said in one sentence."""
    log, thread = logging.getLogger("tifffile"), threading.get_ident()

    def from_elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != thread

    log.addFilter(from_elsewhere)
    try:
        yield
    finally:
        log.removeFilter(from_elsewhere)


def _files_of(series: Any) -> tuple[str, ...]:
    """Return the files of a set; a single one holds all its pages."""
    return tuple(sorted({str(page.parent.filehandle.path) for page in series if page is not None}))


def _shape(page: Any) -> tuple[int, int]:
    """Return the height and width of a page."""
    return int(page.imagelength), int(page.imagewidth)


def _choose(name: str, every: Sequence[Any], asked: int | None) -> int:
    """Return the number of the series to read: the one asked for, or the largest."""
    if not every:
        raise DamagedFile(
            f"{name} is a TIFF file without any picture in it, probably incomplete. "
            "Copy it again from its source."
        )
    if asked is not None:
        if not 0 <= asked < len(every):
            raise ValueError(f"{name} holds series 0 to {len(every) - 1}, not {asked}.")
        return asked
    areas = [int(one.keyframe.imagelength) * int(one.keyframe.imagewidth) for one in every]
    largest = areas.index(max(areas))
    if len(every) > 1:
        logger.info("%s holds %d series; the largest (series %d) is read.", name, len(every), largest)
    return largest


def _choose_pages(name: str, series: Any, options: ReadOptions) -> NDArray[np.intp]:
    """Return which of the planes before a page's own axes make up the channels, in their order."""
    own = len(series.keyframe.shape)
    axes, shape = series.axes[:-own], tuple(int(n) for n in series.shape[:-own])
    if series.keyframe.imagedepth > 1 or not set(series.keyframe.axes) <= set("YXS"):
        raise UnsupportedFormat(
            f"{name} stores volumes ({series.keyframe.axes}) in its pages. "
            "Export single planes, for example from Fiji."
        )
    channel_axis = next((axes.index(a) for a in "CIQ" if a in axes), None)
    if channel_axis is None:
        channel_axis = next((k for k, a in enumerate(axes) if a not in "ZT"), None)
    index: list[Any] = []
    for k, (axis, size) in enumerate(zip(axes, shape, strict=True)):
        if k == channel_axis:
            index.append(slice(None))
            continue
        what = {"Z": "focal planes (z)", "T": "time points (t)"}.get(axis, f'planes along the axis "{axis}"')
        asked = {"Z": options.z, "T": options.t}.get(axis, 0)
        if not 0 <= asked < size:
            raise ValueError(f"{name} has {size} {what}, numbered from 0: there is no {asked}.")
        if size > 1:
            logger.warning("%s has %d %s; number %d is read.", name, size, what, asked)
        index.append(asked)
    for axis, asked in (("Z", options.z), ("T", options.t)):
        if axis not in axes and asked != 0:
            raise ValueError(f"{name} has one plane along {axis.lower()}: there is no {asked}.")
    return np.atleast_1d(np.arange(math.prod(shape)).reshape(shape)[tuple(index)])


def _levels_of(name: str, series: Any, every: Sequence[Any], colours: Colours) -> list[Any]:
    """Return the series of all levels, finest first; a flat pyramid's levels may be other series."""
    levels = [series]
    candidates = list(series.levels[1:])
    full = series.keyframe
    if series.kind in ("generic", "uniform", "shaped"):
        # Thumbnails and labels lie beside the slide as well, but not in tiles.
        candidates += [
            one for one in every if one is not series and one.axes == series.axes and one.keyframe.is_tiled
        ]
    for one in sorted(candidates, key=lambda item: -int(item.keyframe.imagewidth)):
        page, before = one.keyframe, levels[-1].keyframe
        alike = (page.dtype, page.samplesperpixel, page.photometric) == (
            full.dtype,
            full.samplesperpixel,
            full.photometric,
        )
        if not alike or len(one) != len(series) or page.imagewidth >= before.imagewidth:
            continue
        fy, fx = level_of(_shape(full), _shape(page)).downsample
        if one in series.levels or (fy == fx and fy.is_integer()):
            levels.append(one)
    return levels


def _source(
    path: Path, tif: Any, series: Any, levels: Sequence[Any], chosen: NDArray[np.intp], colours: Colours
) -> PixelSource:
    """Return what reads the pixels: by tiles, or memory-mapped where pages are not listed one by one."""
    own = len(series.keyframe.shape)
    if len(levels) == 1 and series.dataoffset is not None:
        offset, dtype = int(series.dataoffset), series.dtype.newbyteorder(tif.byteorder)
        shape = (math.prod(series.shape[:-own]), *series.keyframe.shape)
        needed, there = offset + math.prod(shape) * dtype.itemsize, path.stat().st_size
        if needed > there:
            raise _too_short(path.name, needed, there)
        mapped = np.memmap(path, dtype, "r", offset, shape)
        pages = _planes_first(mapped, series.keyframe.axes)
        return MappedPixels(path.name, pages, chosen.tolist(), colours.convert, colours.dtype)
    if len(series) != math.prod(series.shape[:-own]):
        raise DamagedFile(
            f"{path.name} lists {len(series)} of {math.prod(series.shape[:-own])} planes. Export it again."
        )
    tiled = [_page_level(path.name, one, chosen, colours) for one in levels]
    return TiffPixels(path.name, tiled, colours.convert, colours.dtype)


def _planes_first(mapped: NDArray[Any], axes: str) -> NDArray[Any]:
    """Return a view (P, S, Y, X) of pages (P, …) whose own axes are `axes`."""
    if "S" not in axes:
        return mapped.transpose(0, 1 + axes.index("Y"), 1 + axes.index("X"))[:, None]
    return mapped.transpose(0, *(1 + axes.index(axis) for axis in "SYX"))


def _page_level(name: str, series: Any, chosen: NDArray[np.intp], colours: Colours) -> PageLevel:
    """Collect where the pages of one level keep their tiles."""
    pages, keyframe = list(series), series.keyframe
    height, width = int(keyframe.imagelength), int(keyframe.imagewidth)
    if keyframe.is_tiled:
        tile = int(keyframe.tilelength), int(keyframe.tilewidth)
    else:
        tile = min(int(keyframe.rowsperstrip), height), width
    samples, interleaved = int(keyframe.samplesperpixel), int(keyframe.planarconfig or 1) == 1
    depth = np.dtype(keyframe.dtype).itemsize * (samples if interleaved else 1)
    check_decoded(
        name,
        f"stored in pieces of {tile[1]} x {tile[0]} px",
        2 * tile[0] * tile[1] * depth,
        "Store it in tiles (for example: vips tiffsave IN OUT.tif --tile --pyramid)",
    )
    tiles = -(-height // tile[0]) * -(-width // tile[1]) * (1 if interleaved else samples)
    return PageLevel(
        shape=(height, width),
        tile=tile,
        pages=tuple(_page(name, pages[k], tiles) for k in chosen),
        samples=samples,
        interleaved=interleaved or samples == 1,
        dtype=np.dtype(keyframe.dtype).newbyteorder("="),
        fill=colours.fill,
    )


def _page(name: str, page: Any, tiles: int) -> Page:
    """Check one page and note where its tiles are."""
    if page is None:
        raise DamagedFile(f"{name} lacks one of its planes; of a set of files all must lie side by side.")
    offsets, counts = np.asarray(page.dataoffsets, np.int64), np.asarray(page.databytecounts, np.int64)
    file = Path(page.parent.filehandle.path)
    there = file.stat().st_size
    if len(offsets) < tiles or len(counts) < tiles:
        raise DamagedFile(f"{name} lists {len(offsets)} of {tiles} tiles of a plane. Export it again.")
    ends = np.where(counts > 0, offsets + counts, 0)
    if len(ends) and int(ends.max()) > there:
        raise _too_short(file.name, int(ends.max()), there)
    tables = {}
    if page.keyframe.compression in JPEG_COMPRESSIONS:
        tables = {"jpegtables": page.jpegtables, "jpegheader": page.keyframe.jpegheader}
    return Page(file, offsets, counts, page.keyframe.decode, tables)


def _too_short(name: str, needed: int, there: int) -> DamagedFile:
    """Return the error for a file that ends before its pixels do."""
    return DamagedFile(
        f"{name} is incomplete: its pixels need {needed} bytes and the file has {there}. "
        "Copy it again from its source."
    )
