"""Pyramidal OME-TIFF, written tile by tile in any order.

tifffile writes the frame of the file first: header, OME-XML and all page directories with empty
tiles. Encoded tiles are then appended as they come, and at the end their places are entered into
the directories. So no level is kept back in memory until the one before is complete.
"""

import threading
from contextlib import ExitStack
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import WriteError
from napari_histreg.slides.slide import Channel, Slide
from napari_histreg.slides.writers._compression import Compression, tile_encoder, uses_predictor
from napari_histreg.slides.writers._pyramid import pyramid_shapes

__all__ = ["OmeTiffSink", "storable_dtype"]

OME_DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
# Classic TIFF ends at 4 GiB; a margin for directories and for tiles that do not compress.
CLASSIC_BYTES = 2**32 - 2**26
# Handing on smaller nodes takes longer than encoding them.
LEAST_NODE = 512
TIFF_NAMES = {"jpeg": "jpeg", "deflate": "adobe_deflate", "zstd": "zstd", "lzw": "lzw", "none": None}


def storable_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type in which OME-TIFF stores such pixels without loss.

    Raises
    ------
    WriteError
        There is none.
    """
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype == np.float16:
        return np.dtype(np.float32)
    if dtype.name not in OME_DTYPES:
        raise WriteError(f"OME-TIFF cannot hold {dtype} pixels. Write .ome.zarr instead, or convert them.")
    return dtype.newbyteorder("=")


class OmeTiffSink:
    """Takes nodes and makes a pyramidal OME-TIFF of them.

    Parameters
    ----------
    path : Path
        Where to write.
    slide : Slide
        Its channels, names, colours, pixel size and type describe the file.
    compression : Compression
        Of the tiles.
    tile : int
        Side of a tile, a multiple of 16.
    """

    def __init__(self, path: Path, slide: Slide, compression: Compression, tile: int) -> None:
        self._path, self._slide, self._tile = path, slide, tile
        self._dtype = storable_dtype(slide.dtype)
        self._compression = compression
        self._encode = tile_encoder(compression, self._dtype, slide.is_rgb)
        self._shapes = pyramid_shapes(slide.shape)
        self.node = tile
        while self.node < LEAST_NODE:
            self.node *= 2
        # An RGB picture is one page of three samples, other channels are pages of their own.
        self._pages = 1 if slide.is_rgb else len(slide.channels)
        self._offsets = [
            np.zeros((self._pages, *self._grid(level)), np.int64) for level in range(len(self._shapes))
        ]
        self._counts = [np.zeros_like(offsets) for offsets in self._offsets]
        self._plain: dict[bytes, bytes] = {}
        self._lock = threading.Lock()

    def _grid(self, level: int) -> tuple[int, int]:
        """Rows and columns of tiles of a level."""
        height, width = self._shapes[level]
        return -(-height // self._tile), -(-width // self._tile)

    def __enter__(self) -> Self:
        self._write_frame()
        with ExitStack() as stack:
            self._file = stack.enter_context(self._path.open("r+b"))
            self._file.seek(0, 2)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if kind is None:
            self._enter_places()

    def _write_frame(self) -> None:
        """Write everything but the tiles."""
        import tifffile

        slide, channels = self._slide, len(self._slide.channels)
        raw = sum(h * w for h, w in self._shapes) * channels * self._dtype.itemsize
        options: dict[str, Any] = {
            "dtype": self._dtype,
            "tile": (self._tile, self._tile),
            "photometric": "rgb" if slide.is_rgb else "minisblack",
            "compression": TIFF_NAMES[self._compression.name],
            "predictor": uses_predictor(self._compression, self._dtype),
        }
        if slide.is_rgb and self._compression.name == "jpeg":
            options |= {"photometric": "ycbcr", "subsampling": self._compression.subsampling}
        if slide.is_rgb:
            options |= {"planarconfig": "contig"}
        with tifffile.TiffWriter(self._path, bigtiff=raw > CLASSIC_BYTES, ome=True, byteorder="<") as tif:
            for level, (height, width) in enumerate(self._shapes):
                tiles = repeat(b"", self._pages * int(np.prod(self._grid(level))))
                shape = (height, width, 3) if slide.is_rgb else (channels, height, width)
                first = {"metadata": _ome_metadata(slide), "subifds": len(self._shapes) - 1}
                special = first if level == 0 else {"subfiletype": 1}
                tif.write(iter(tiles), shape=shape, **options, **special, **_resolution(slide, level))

    def put(self, level: int, y: int, x: int, pixels: NDArray[Any]) -> int:
        """Encode the tiles of a node and append them; see `NodeSink`."""
        written = 0
        for page in range(self._pages):
            part = np.moveaxis(pixels, 0, -1) if self._slide.is_rgb else pixels[page, ..., None]
            for row in range(0, part.shape[0], self._tile):
                for column in range(0, part.shape[1], self._tile):
                    tile = part[row : row + self._tile, column : column + self._tile]
                    data = self._encoded(tile)
                    self._append(level, page, (y + row) // self._tile, (x + column) // self._tile, data)
                    written += len(data)
        return written

    def _encoded(self, tile: NDArray[Any]) -> bytes:
        """Encode a tile; those of one colour, such as what lies outside a warped slide, only once."""
        if not _is_plain(tile):
            return self._encode(self._whole(tile))
        colour = tile[:1, :1].tobytes()
        if colour not in self._plain:
            self._plain[colour] = self._encode(self._whole(tile))
        return self._plain[colour]

    def _whole(self, tile: NDArray[Any]) -> NDArray[Any]:
        """Return a tile in full size and in the type of the file; edges repeat, which suits JPEG best."""
        missing = [self._tile - n for n in tile.shape[:2]]
        if any(missing):
            tile = np.pad(tile, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
        if tile.dtype.kind == "b":
            return np.ascontiguousarray(tile, np.uint8) * np.uint8(255)
        return np.ascontiguousarray(tile, self._dtype)

    def _append(self, level: int, page: int, row: int, column: int, data: bytes) -> None:
        """Write a tile at the end of the file and note its place."""
        with self._lock:
            self._offsets[level][page, row, column] = self._file.tell()
            self._counts[level][page, row, column] = len(data)
            self._file.write(data)

    def _enter_places(self) -> None:
        """Enter the places of all tiles into the page directories."""
        import tifffile

        with tifffile.TiffFile(self._path, mode="r+") as tif:
            big = tif.is_bigtiff
            if not big and self._path.stat().st_size >= 2**32:
                raise WriteError(f"{self._path.name} grew beyond 4 GiB. Choose another compression.")
            for page in range(self._pages):
                first = tif.pages[page]
                for level in range(len(self._shapes)):
                    directory = first if level == 0 else first.pages[level - 1]
                    offsets, counts = self._offsets[level][page], self._counts[level][page]
                    directory.tags[324].overwrite(offsets.ravel().tolist(), dtype=16 if big else 4)
                    directory.tags[325].overwrite(counts.ravel().tolist(), dtype=4)


def _is_plain(tile: NDArray[Any]) -> bool:
    """Tell whether all pixels are equal; whole rows are compared, since many short ones take longer."""
    row = tile[0]
    return bool((row == row[0]).all() and (tile[-1] == row).all() and (tile == row).all())


def _ome_metadata(slide: Slide) -> dict[str, Any]:
    """Return what tifffile turns into OME-XML."""
    told: dict[str, Any] = {"axes": "YXS" if slide.is_rgb else "CYX", "Name": slide.name}
    if slide.pixel_size_um is not None:
        y, x = slide.pixel_size_um
        told |= {"PhysicalSizeX": x, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": y, "PhysicalSizeYUnit": "µm"}
    if not slide.is_rgb:
        told["Channel"] = {"Name": [channel.name for channel in slide.channels]}
        if any(channel.colour is not None for channel in slide.channels):
            told["Channel"]["Color"] = [_ome_colour(channel) for channel in slide.channels]
    return told


def _ome_colour(channel: Channel) -> int:
    """Return a colour as OME's signed integer of red, green, blue and alpha; white where none is known."""
    red, green, blue = (round(255 * part) for part in channel.colour or (1.0, 1.0, 1.0))
    number = red << 24 | green << 16 | blue << 8 | 255
    return number - 2**32 if number >= 2**31 else number


def _resolution(slide: Slide, level: int) -> dict[str, Any]:
    """Return the general resolution tags, for readers that know no OME."""
    if slide.pixel_size_um is None:
        return {}
    y, x = (size * 2**level for size in slide.pixel_size_um)
    return {"resolution": (1e4 / x, 1e4 / y), "resolutionunit": "CENTIMETER"}
