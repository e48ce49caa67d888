"""OME-Zarr (NGFF 0.5, Zarr 3), sharded, written with zarr itself."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import pixel_to_world
from napari_histreg.slides.slide import Slide
from napari_histreg.slides.writers._compression import Compression
from napari_histreg.slides.writers._pyramid import pyramid_shapes

__all__ = ["OmeZarrSink"]

# A shard of all channels holds at most this much, unless a single chunk is larger.
SHARD_BYTES = 64 << 20
# Sides of a shard in chunks: more make fewer files, fewer save memory.
MOST_CHUNKS = 4


def shard_side(tile: int, bytes_per_px: int) -> int:
    """Return the side of a shard in pixels: 4, 2 or 1 chunks, whichever keeps it small enough."""
    chunks = MOST_CHUNKS
    while chunks > 1 and (tile * chunks) ** 2 * bytes_per_px > SHARD_BYTES:
        chunks //= 2
    return tile * chunks


class OmeZarrSink:
    """Takes nodes and makes an OME-Zarr group of them; a node is one shard.

    Parameters
    ----------
    path : Path
        The folder to make.
    slide : Slide
        Describes the group.
    compression : Compression
        "zstd", "deflate" (as gzip) or "none"; Zarr knows no JPEG and no LZW.
    tile : int
        Side of a chunk in pixels.
    """

    def __init__(self, path: Path, slide: Slide, compression: Compression, tile: int) -> None:
        self._path, self._slide, self._tile = path, slide, tile
        self._compression = compression
        self._shapes = pyramid_shapes(slide.shape)
        self.node = shard_side(tile, len(slide.channels) * slide.dtype.itemsize)
        self._arrays: list[Any] = []

    def __enter__(self) -> Self:
        import zarr

        channels, dtype = len(self._slide.channels), self._slide.dtype.newbyteorder("=")
        group = zarr.open_group(self._path, mode="w", zarr_format=3)
        for level, shape in enumerate(self._shapes):
            array = group.create_array(
                name=str(level),
                shape=(channels, *shape),
                chunks=(1, self._tile, self._tile),
                shards=(channels, self.node, self.node),
                dtype=dtype,
                compressors=_codecs(self._compression),
                fill_value=dtype.type(self._slide.background),
                dimension_names=("c", "y", "x"),
            )
            self._arrays.append(array)
        group.attrs["ome"] = _ngff(self._slide, len(self._shapes))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._arrays.clear()

    def put(self, level: int, y: int, x: int, pixels: NDArray[Any]) -> int:
        """Write the shard of a node; see `NodeSink`."""
        height, width = pixels.shape[1:]
        array = self._arrays[level]
        array[:, y : y + height, x : x + width] = np.ascontiguousarray(pixels)
        side = array.shards[1]
        shard = self._path / str(level) / "c" / "0" / str(y // side) / str(x // side)
        # A shard that holds nothing but background is not stored.
        return shard.stat().st_size if shard.is_file() else 0


def _codecs(compression: Compression) -> Any:
    """Return zarr's name for a compression."""
    from zarr.codecs import GzipCodec, ZstdCodec

    return {"zstd": ZstdCodec(level=3), "deflate": GzipCodec(level=5), "none": None}[compression.name]


def _ngff(slide: Slide, levels: int) -> dict[str, Any]:
    """Return the metadata of NGFF 0.5."""
    unit = {} if slide.pixel_size_um is None else {"unit": "micrometer"}
    datasets = []
    for level in range(levels):
        factor = 2.0**level
        y, x = pixel_to_world([0, 0], factor, slide.world_pixel_size).tolist()
        scale = [1.0, *(factor * size for size in slide.world_pixel_size)]
        transforms = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": [0.0, y, x]}]
        datasets.append({"path": str(level), "coordinateTransformations": transforms})
    return {
        "version": "0.5",
        "multiscales": [
            {
                "name": slide.name,
                "axes": [
                    {"name": "c", "type": "channel"},
                    {"name": "y", "type": "space", **unit},
                    {"name": "x", "type": "space", **unit},
                ],
                "datasets": datasets,
                "type": "2 x 2 means",
            }
        ],
        "omero": {"channels": [_omero_channel(slide, k) for k in range(len(slide.channels))]},
    }


def _omero_channel(slide: Slide, number: int) -> dict[str, Any]:
    """Return how viewers should show a channel."""
    channel = slide.channels[number]
    colour = channel.colour
    if slide.is_rgb:
        colour = tuple(float(k == number) for k in range(3))  # type: ignore[assignment]
    top = float(np.iinfo(slide.dtype).max) if slide.dtype.kind in "ui" else 1.0
    told: dict[str, Any] = {
        "label": channel.name,
        "active": True,
        "window": {"min": 0.0, "max": top, "start": 0.0, "end": top},
    }
    if colour is not None:
        told["color"] = "".join(f"{round(255 * part):02X}" for part in colour)
    return told
