"""OME-Zarr folders, NGFF 0.4 (Zarr 2) and 0.5 (Zarr 3)."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile, UnsupportedFormat
from napari_histreg.geometry import Region
from napari_histreg.slides.bounds import check_channels
from napari_histreg.slides.pyramid import level_of
from napari_histreg.slides.readers._border import ReadOptions, closed_error, rgb_background, wrapped
from napari_histreg.slides.readers._ngff import channels_of, multiscale_of
from napari_histreg.slides.slide import Channel, Slide

__all__ = ["is_zarr_folder", "read_ome_zarr"]

logger = logging.getLogger(__name__)

RGB_NAMES = ("red", "green", "blue")


def is_zarr_folder(path: Path) -> bool:
    """Tell whether a folder is a Zarr group."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zattrs"))


def read_ome_zarr(path: Path, options: ReadOptions) -> Slide:
    """Open an OME-Zarr folder.

    Parameters
    ----------
    path : Path
        The folder, of one image or of several (the layout of bioformats2raw).
    options : ReadOptions
        Series, focal plane and time point.

    Returns
    -------
    Slide
        Lazy, with the levels of the folder.

    Raises
    ------
    DamagedFile
        Metadata or levels are missing.
    UnsupportedFormat
        It is a Zarr folder without an image in it.
    """
    import zarr

    from napari_histreg.slides.readers._zarr_store import CheckedStore

    with wrapped(path.name, "cannot be opened as OME-Zarr"):
        root = zarr.open_group(CheckedStore(path), mode="r", use_consolidated=False)
        groups = _images(path, root)
    number = _choose(path.name, groups, options.series)
    group, told = groups[number]
    multiscale = multiscale_of(path.name, told)
    axes = multiscale.names
    with wrapped(path.name, "cannot be understood as OME-Zarr"):
        arrays = [_array(path.name, group, dataset.path) for dataset in multiscale.datasets]
    if any(array.ndim != len(axes) for array in arrays):
        raise DamagedFile(
            f"{path.name} names the axes {axes} for levels that do not have them. Export it again."
        )
    index = _planes(path.name, axes, arrays[0].shape, options)
    return _slide(path, told, axes, arrays, index, multiscale.pixel_size_um())


def _array(name: str, group: Any, path: str) -> Any:
    """Return a level's array."""
    import zarr

    found = group[path]
    if not isinstance(found, zarr.Array):
        raise DamagedFile(f"{name}: {path} is no level but a folder of others. Export it again.")
    return found


def _images(path: Path, root: Any) -> list[tuple[Any, Mapping[str, Any]]]:
    """Return the images of a folder: group and metadata."""
    found = [(root, _told(root))] if "multiscales" in _told(root) else []
    if not found:
        # Several images lie in groups named 0, 1, 2 …
        names = sorted((name for name in root.group_keys() if name.isdigit()), key=int)
        found = [(root[name], _told(root[name])) for name in names]
        found = [(group, told) for group, told in found if "multiscales" in told]
    if not found:
        raise UnsupportedFormat(
            f"{path.name} is a Zarr folder without an OME image (multiscales). Open the image's folder."
        )
    return found


def _told(group: Any) -> Mapping[str, Any]:
    """Return the OME metadata of a group, wherever its version keeps them."""
    attributes = dict(group.attrs)
    inner = attributes.get("ome", attributes)
    return inner if isinstance(inner, Mapping) else {}


def _choose(name: str, groups: Sequence[Any], asked: int | None) -> int:
    """Return the number of the image to read: the one asked for, or the largest."""
    if asked is not None:
        if not 0 <= asked < len(groups):
            raise ValueError(f"{name} holds series 0 to {len(groups) - 1}, not {asked}.")
        return asked
    first = [multiscale_of(name, told).datasets[0].path for _, told in groups]
    with wrapped(name, "cannot be understood as OME-Zarr"):
        arrays = [_array(name, group, path) for (group, _), path in zip(groups, first, strict=True)]
    areas = [int(np.prod([int(side) for side in array.shape[-2:]], dtype=object)) for array in arrays]
    return areas.index(max(areas))


def _planes(name: str, axes: Sequence[str], shape: Sequence[int], options: ReadOptions) -> dict[str, int]:
    """Return which plane is read along each axis other than c, y and x."""
    index = {}
    for axis, size in zip(axes, shape, strict=True):
        if axis in ("c", "y", "x"):
            continue
        asked = {"z": options.z, "t": options.t}.get(axis, 0)
        if not 0 <= asked < size:
            raise ValueError(f"{name} has {size} planes along {axis}, numbered from 0: there is no {asked}.")
        if size > 1:
            logger.warning("%s has %d planes along %s; number %d is read.", name, size, axis, asked)
        index[axis] = asked
    for axis, asked in (("z", options.z), ("t", options.t)):
        if axis not in index and asked != 0:
            raise ValueError(f"{name} has one plane along {axis}: there is no {asked}.")
    return index


def _slide(
    path: Path,
    told: Mapping[str, Any],
    axes: Sequence[str],
    arrays: Sequence[Any],
    index: Mapping[str, int],
    size: tuple[float, float] | None,
) -> Slide:
    """Put the slide together."""
    y, x = axes.index("y"), axes.index("x")
    count = int(arrays[0].shape[axes.index("c")]) if "c" in axes else 1
    check_channels(path.name, count)
    shapes = [(int(array.shape[y]), int(array.shape[x])) for array in arrays]
    dtype = np.dtype(arrays[0].dtype).newbyteorder("=")
    if dtype.kind not in "buif" or min(min(shape) for shape in shapes) < 1:
        raise UnsupportedFormat(f"{path.name} holds {dtype} pixels of {shapes[0]}. Convert it.")
    channels = channels_of(told, count)
    is_rgb = count == 3 and dtype == np.uint8 and tuple(c.name.casefold() for c in channels) == RGB_NAMES
    if is_rgb:
        channels = tuple(Channel(name) for name in RGB_NAMES)
    return Slide(
        name=path.name,
        levels=tuple(level_of(shapes[0], shape) for shape in shapes),
        channels=channels,
        dtype=dtype,
        source=_ZarrPixels(path.name, arrays, axes, index, dtype),
        pixel_size_um=size,
        is_rgb=is_rgb,
        background=rgb_background(dtype, is_rgb),
        path=str(path),
    )


class _ZarrPixels:
    """Pixel source over the arrays of an OME-Zarr image."""

    def __init__(
        self,
        name: str,
        arrays: Sequence[Any],
        axes: Sequence[str],
        index: Mapping[str, int],
        dtype: np.dtype[Any],
    ) -> None:
        self._name, self._axes, self._index, self._dtype = name, list(axes), dict(index), dtype
        self._arrays: list[Any] | None = list(arrays)
        kept = [axis for axis in axes if axis in ("c", "y", "x")]
        self._order = [kept.index(axis) for axis in ("c", "y", "x") if axis in kept]

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        arrays = self._arrays
        if arrays is None:
            raise closed_error(self._name)
        with wrapped(self._name, f"cannot be decoded at {region} of level {level}"):
            if channels is None or "c" not in self._axes:
                pixels = self._fetch(arrays[level], region, slice(None))
                return pixels if channels is None else pixels[list(channels)]
            # One after the other: chunks of channels that nobody asked for are not decoded.
            parts = [self._fetch(arrays[level], region, slice(c, c + 1)) for c in channels]
            return np.concatenate(parts)

    def _fetch(self, array: Any, region: Region, channel: slice) -> NDArray[Any]:
        """Return (C, H, W) of a range of channels."""
        rows, columns = region.slices
        places: dict[str, Any] = {**self._index, "c": channel, "y": rows, "x": columns}
        part = np.asarray(array[tuple(places[axis] for axis in self._axes)], self._dtype)
        part = part.transpose(self._order)
        return part if "c" in self._axes else part[None]

    def close(self) -> None:
        """Let the arrays go; zarr keeps no file open."""
        self._arrays = None
