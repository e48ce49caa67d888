"""Pixels of TIFF files, tile by tile (or strip by strip), decoded by tifffile.

tifffile parses the file once; afterwards only the places of the tiles are kept, with the function
that decodes one. Bytes are read under a lock for each file, decoding runs in parallel. This takes as
long as tifffile's own Zarr store, decodes only the channels asked for, keeps the last tiles for the
next read, and says which tile is damaged.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_histreg.caching import ArrayCache
from napari_histreg.geometry import Region
from napari_histreg.slides.readers._border import closed_error, pick, wrapped
from napari_histreg.slides.readers._codestream import check_announced

__all__ = ["Convert", "Page", "PageLevel", "TiffPixels"]

# Decoded tiles kept for the next read, which often needs the same ones.
CACHE_BYTES = 96 << 20

Convert = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Page:
    """Where one TIFF page keeps its tiles or strips, and how to decode one."""

    path: Path
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    decode: Callable[..., Any]
    tables: dict[str, bytes]


@dataclass(frozen=True, eq=False)
class PageLevel:
    """One pyramid level: pages whose raw planes follow one another.

    Parameters
    ----------
    shape : (int, int)
        Height and width.
    tile : (int, int)
        Height and width of a tile, or of a strip.
    pages : tuple of Page
        Each holds `samples` raw planes.
    samples : int
        Raw planes of a page.
    interleaved : bool
        Whether the samples of a page lie in the same tiles; otherwise tiles of the first sample
        come first.
    dtype : numpy dtype
        Of the raw samples.
    fill : int
        Value of the tiles that the file leaves out.
    """

    shape: tuple[int, int]
    tile: tuple[int, int]
    pages: tuple[Page, ...]
    samples: int
    interleaved: bool
    dtype: np.dtype[Any]
    fill: int

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return -(-self.shape[0] // self.tile[0]), -(-self.shape[1] // self.tile[1])


class TiffPixels:
    """Pixel source over the pages of one or several TIFF files.

    Parameters
    ----------
    name : str
        The file, for messages.
    levels : sequence of PageLevel
        Finest first.
    convert : callable, optional
        Turns all raw planes (R, H, W) into the slide's (C, H, W), where they differ (alpha,
        palette, CMYK); None where raw planes are the channels.
    dtype : numpy dtype
        Of the result.
    """

    def __init__(
        self, name: str, levels: Sequence[PageLevel], convert: Convert | None, dtype: np.dtype[Any]
    ) -> None:
        self._name = name
        self._levels = tuple(levels)
        self._convert = convert
        self._dtype = dtype
        self._files: dict[Path, tuple[BinaryIO, threading.Lock]] = {}
        self._tiles = ArrayCache(CACHE_BYTES)
        self._lock = threading.Lock()
        self._closed = False

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        layout = self._levels[level]
        count = layout.samples * len(layout.pages)
        if self._convert is not None:
            raw = self._raw(level, region, range(count))
            with wrapped(self._name, "has colours that cannot be converted"):
                return pick(self._convert(raw), channels).astype(self._dtype, copy=False)
        return self._raw(level, region, range(count) if channels is None else channels)

    def _raw(self, level: int, region: Region, planes: Sequence[int]) -> NDArray[Any]:
        """Read raw planes (R, H, W)."""
        layout = self._levels[level]
        if not layout.interleaved:
            out = np.empty((len(planes), *region.shape), layout.dtype)
            per_plane = layout.grid[0] * layout.grid[1]
            for k, plane in enumerate(planes):
                page, sample = divmod(plane, layout.samples)
                self._fill(out[k, ..., None], level, region, page, sample * per_plane)
            return out
        pages = sorted({plane // layout.samples for plane in planes})
        stacks = {}
        for page in pages:
            stacks[page] = np.empty((*region.shape, layout.samples), layout.dtype)
            self._fill(stacks[page], level, region, page, 0)
        if len(pages) == 1:
            wanted = [plane % layout.samples for plane in planes]
            moved = np.moveaxis(stacks[pages[0]], -1, 0)
            return moved if wanted == list(range(layout.samples)) else moved[wanted]
        return np.stack([stacks[p // layout.samples][..., p % layout.samples] for p in planes])

    def _fill(self, out: NDArray[Any], level: int, region: Region, page: int, first: int) -> None:
        """Copy into `out` (H, W, S) what the tiles of a page hold; `first` is its first tile's number."""
        layout = self._levels[level]
        (tile_h, tile_w), columns = layout.tile, layout.grid[1]
        bottom, right = region.y + region.height, region.x + region.width
        for row in range(region.y // tile_h, -(-bottom // tile_h)):
            for column in range(region.x // tile_w, -(-right // tile_w)):
                y, x = row * tile_h, column * tile_w
                y0, x0 = max(y, region.y), max(x, region.x)
                y1, x1 = min(y + tile_h, bottom), min(x + tile_w, right)
                target = out[y0 - region.y : y1 - region.y, x0 - region.x : x1 - region.x]
                tile = self._tile(level, page, first + row * columns + column)
                target[...] = layout.fill if tile is None else tile[y0 - y : y1 - y, x0 - x : x1 - x]

    def _tile(self, level: int, page: int, index: int) -> NDArray[Any] | None:
        """Return a decoded tile (h, w, S), or None if the file leaves it out."""
        if self._closed:
            raise closed_error(self._name)
        place = self._levels[level].pages[page]
        if index >= len(place.offsets) or place.counts[index] == 0:
            return None

        def decode() -> NDArray[Any]:
            with wrapped(self._name, f"cannot be decoded (tile {index} of level {level})"):
                data = self._bytes(place.path, int(place.offsets[index]), int(place.counts[index]))
                check_announced(self._name, data, self._levels[level].tile)
                decoded: NDArray[Any] = place.decode(data, index, **place.tables)[0][0]
            return decoded

        return self._tiles.get((level, page, index), decode)

    def _bytes(self, path: Path, offset: int, count: int) -> bytes:
        """Read the bytes of one tile."""
        with self._lock:
            if self._closed:
                raise closed_error(self._name)
            if path not in self._files:
                self._files[path] = path.open("rb", buffering=0), threading.Lock()
            file, lock = self._files[path]
        with lock:
            if file.closed:
                raise closed_error(self._name)
            file.seek(offset)
            data = file.read(count)
        if len(data) != count:
            raise EOFError(f"it ends {count - len(data)} bytes too early")
        return data

    def close(self) -> None:
        """Close the files and free the tiles."""
        with self._lock:
            self._closed, files = True, list(self._files.values())
            self._files.clear()
            self._tiles.clear()
        for file, lock in files:
            with lock:
                file.close()


class MappedPixels:
    """Pixel source over uncompressed pixels that lie in one piece in a file.

    Parameters
    ----------
    name : str
        The file, for messages.
    pages : (P, S, Y, X) ndarray
        A view on the memory-mapped file.
    chosen : sequence of int
        The pages whose samples are the raw planes.
    convert : callable, optional
        As in `TiffPixels`.
    dtype : numpy dtype
        Of the result, in native byte order.
    """

    def __init__(
        self,
        name: str,
        pages: NDArray[Any],
        chosen: Sequence[int],
        convert: Convert | None,
        dtype: np.dtype[Any],
    ) -> None:
        self._name = name
        self._pages: NDArray[Any] | None = pages
        self._planes = [(int(page), sample) for page in chosen for sample in range(pages.shape[1])]
        self._convert = convert
        self._dtype = dtype

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        if self._convert is not None:
            part = self._convert(self._raw(region, self._planes))
            return pick(part, channels).astype(self._dtype, copy=False)
        wanted = self._planes if channels is None else [self._planes[k] for k in channels]
        return self._raw(region, wanted)

    def _raw(self, region: Region, planes: Sequence[tuple[int, int]]) -> NDArray[Any]:
        """Copy raw planes (R, H, W) in native byte order, touching no others."""
        pages, (rows, columns) = self._pages, region.slices
        if pages is None:
            raise closed_error(self._name)
        dtype = pages.dtype.newbyteorder("=")
        first, samples = planes[0][0], pages.shape[1]
        if list(planes) == [(first, sample) for sample in range(samples)]:
            # Interleaved colours stay interleaved in memory, which saves most callers a copy.
            return np.array(pages[first, :, rows, columns], dtype, order="K", subok=False)
        return np.stack([np.array(pages[p, s, rows, columns], dtype, subok=False) for p, s in planes])

    def close(self) -> None:
        """Let the file go."""
        self._pages = None
