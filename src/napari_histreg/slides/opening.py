"""open_slide: one door for every kind of slide."""

import importlib
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import Any

from napari_histreg.errors import DamagedFile, UnsupportedFormat
from napari_histreg.optional import is_installed
from napari_histreg.slides.address import PlaneChoice, parse_address
from napari_histreg.slides.claimed import claimed_slide
from napari_histreg.slides.naming import shown_name
from napari_histreg.slides.pyramid import with_overview
from napari_histreg.slides.reader_table import READERS, ReaderSpec
from napari_histreg.slides.readers._border import ReadOptions
from napari_histreg.slides.refusals import best_error, first_bytes, is_shell, needs_slideio
from napari_histreg.slides.several_files import files_of, open_files
from napari_histreg.slides.single_colour import as_one_channel
from napari_histreg.slides.slide import Channel, Slide
from napari_histreg.volumes.sniffing import is_whole_slide, kind_of

__all__ = ["READERS", "ReaderSpec", "checked_pixel_size", "open_slide"]

LEAST_UM, MOST_UM = 1e-6, 1e6


def open_slide(
    path_or_array: Any,
    *,
    pixel_size_um: float | tuple[float, float] | None = None,
    name: str | None = None,
    series: int | None = None,
    z: int = 0,
    t: int = 0,
    channel_names: Sequence[str] | None = None,
    plane: str | None = None,
    index: int | None = None,
) -> Slide:
    """Open a slide from a file or an array, without reading its pixels.

    The content of a file decides which reader takes it, not its name alone. Every slide gets an
    overview level of at most 1024 px a side; where the file has none it is computed when it is read.
    A colour picture in which a single colour shines, as scanners write fluorescence, is one channel.
    Of a volume (DICOM, NIfTI, NRRD, MetaImage) one plane is opened, and the volume is read whole for it.

    Parameters
    ----------
    path_or_array : path, array, sequence of paths or arrays, or Slide
        A file, or the folder of a DICOM series, after which the plane may stand as in ``ct/#axial=12`` or
        ``mr.nii.gz#coronal=90,window=40:400``; or an array (Y, X), (Y, X, 3) or (Y, X, 4) of uint8 or
        uint16 for RGB and RGBA, or (C, Y, X); or the pyramid levels as a list of such arrays, finest first.
        Dask and Zarr arrays stay lazy. Several files with a channel each are a list of paths or a pattern
        such as ``imc/*.tif``; their channels are named after the files. A slide is returned with the names
        and sizes given here.
    pixel_size_um : float or (float, float), optional
        Size of a level-0 pixel, one number or (y, x), in µm. Takes the place of the file's own.
    name : str, optional
        For people; the file's name by default.
    series : int, optional
        Which image of a file that holds several; the largest by default.
    z, t : int
        Which focal plane and which time point of a file that holds several.
    channel_names : sequence of str, optional
        Names for all channels, in place of the file's own.
    plane : {"axial", "coronal", "sagittal"}, optional
        Which way a volume is cut; by default the way it is mostly looked at.
    index : int, optional
        Which of these planes, from 0 as stored; the middle one by default.

    Returns
    -------
    Slide
        Close it, or use it in a ``with`` statement.

    Raises
    ------
    UnsupportedFormat
        No reader knows this kind of file.
    DamagedFile
        The file is missing, empty, truncated or contradicts itself.
    ValueError
        An argument does not fit the slide, or the pixel size is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> pixels = np.zeros((2, 300, 200), np.uint16)
    >>> slide = open_slide(pixels, pixel_size_um=0.5, channel_names=["DAPI", "CD3"])
    >>> slide.shape, slide.pixel_size_um, slide.channel_index("cd3")
    ((300, 200), (0.5, 0.5), 1)
    """
    size = None if pixel_size_um is None else checked_pixel_size(pixel_size_um)
    options = ReadOptions(series, z, t, PlaneChoice(plane, index) if (plane, index) != (None, None) else None)
    files = files_of(path_or_array)
    if isinstance(path_or_array, Slide):
        slide = path_or_array
    elif files:
        slide = open_files(files, lambda path: open_slide(path, pixel_size_um=size, series=series, z=z, t=t))
    elif isinstance(path_or_array, str | PathLike):
        path, named = parse_address(path_or_array)
        found = _open_file(path, replace(options, choice=_joined(named, options.choice)))
        slide = claimed_slide(as_one_channel(found))
    else:
        slide = _open_array(path_or_array, options)
    try:
        return with_overview(_renamed(slide, size, name, channel_names))
    except BaseException:
        if slide is not path_or_array:
            slide.close()
        raise


def checked_pixel_size(value: float | tuple[float, float]) -> tuple[float, float]:
    """Return a pixel size as (y, x) in µm, or raise ValueError if it cannot be one."""
    both = value if isinstance(value, Sequence) else (value, value)
    try:
        y, x = (float(v) for v in both)
    except (TypeError, ValueError):
        raise ValueError(f"A pixel size is one number or (y, x) in µm, not {value!r}.") from None
    if not (isfinite(y) and isfinite(x) and y > 0 and x > 0):
        raise ValueError(f"A pixel size is positive and finite, not {value!r} µm.")
    if not (min(y, x) >= LEAST_UM and max(y, x) <= MOST_UM):
        raise ValueError(f"A pixel size lies between {LEAST_UM} and {MOST_UM} µm, not at {value!r} µm.")
    return y, x


def _renamed(
    slide: Slide, size: tuple[float, float] | None, name: str | None, channel_names: Sequence[str] | None
) -> Slide:
    """Return the slide with what the caller gave in place of what the file says."""
    changes: dict[str, Any] = {}
    if any(shown_name(given) != given for given in (slide.name, *(one.name for one in slide.channels))):
        changes["name"] = shown_name(slide.name)
        changes["channels"] = tuple(replace(one, name=shown_name(one.name)) for one in slide.channels)
    if size is not None:
        changes["pixel_size_um"] = size
    if name is not None:
        changes["name"] = shown_name(name)
    if channel_names is not None:
        if isinstance(channel_names, str) or len(channel_names) != len(slide.channels):
            raise ValueError(
                f"{slide.name} has {len(slide.channels)} channels; channel_names is "
                f"{channel_names!r}. Give one name each."
            )
        changes["channels"] = tuple(
            Channel(shown_name(str(new)), old.colour)
            for new, old in zip(channel_names, slide.channels, strict=True)
        )
    return replace(slide, **changes) if changes else slide


def _open_array(value: Any, options: ReadOptions) -> Slide:
    """Open an array or a list of arrays."""
    from napari_histreg.slides.readers._array import is_array, read_array

    if not is_array(value):
        raise TypeError(
            f"A slide is opened from a path, an array or a list of arrays, not from {type(value).__name__}."
        )
    options.refuse_more_than_one("An array")
    return read_array(value)


def _joined(named: PlaneChoice | None, given: PlaneChoice | None) -> PlaneChoice | None:
    """Join the plane that a path names with the one given beside it, which goes before."""
    if named is None or given is None:
        return named or given
    return replace(
        named, plane=given.plane or named.plane, index=named.index if given.index is None else given.index
    )


def _open_file(path: Path, options: ReadOptions) -> Slide:
    """Find the reader of a file and let it read."""
    if not _is_zarr(path) and kind_of(path) is not None and not is_whole_slide(path):
        return _load(_by_name("volume"))(path, options)  # type: ignore[no-any-return]
    if options.choice is not None:
        first_bytes(path)
        raise ValueError(f"{path.name} is no volume: no plane of it can be chosen.")
    if _is_zarr(path):
        return _load(_by_name("ome-zarr"))(path, options)  # type: ignore[no-any-return]
    head = first_bytes(path)
    spec = _by_name("slideio") if is_shell(path, head) else _reader_for(path, head)
    if spec is None:
        raise best_error(path, head)
    if spec.name == "slideio":
        return _by_extra(path, options)
    try:
        return _load(spec)(path, options)  # type: ignore[no-any-return]
    except (UnsupportedFormat, DamagedFile) as error:
        if spec.name == "openslide" and head.startswith(_by_name("slideio").signatures):
            return _by_extra(path, options)
        # Some scanners put fluorescence, which OpenSlide leaves out, into ordinary TIFF.
        tiff = _by_name("tiff")
        if isinstance(error, DamagedFile) or spec is tiff or not head.startswith(tiff.signatures):
            raise
        return _load(tiff)(path, options)  # type: ignore[no-any-return]


def _by_extra(path: Path, options: ReadOptions) -> Slide:
    """Open what an extra reads: slideio, or for .czi the one under GPL where only that is there."""
    from napari_histreg.slides.readers._slideio import check_pixels

    if is_shell(path, first_bytes(path)):
        check_pixels(path)
    if is_installed("slideio"):
        return _load(_by_name("slideio"))(path, options)  # type: ignore[no-any-return]
    if is_installed("bioio_czi") and path.suffix.lower() == ".czi":
        return _load(_by_name("bioio"))(path, options)  # type: ignore[no-any-return]
    raise needs_slideio(path)


def _load(spec: ReaderSpec) -> Any:
    """Import a reader's function."""
    module, function = spec.target.split(":")
    return getattr(importlib.import_module(module), function)


def _is_zarr(path: Path) -> bool:
    """Tell whether this is a folder that holds a Zarr group."""
    from napari_histreg.slides.readers._ome_zarr import is_zarr_folder

    try:
        return path.is_dir() and is_zarr_folder(path)
    except (OSError, ValueError):
        return False


def _by_name(name: str) -> ReaderSpec:
    return next(spec for spec in READERS if spec.name == name)


def _reader_for(path: Path, head: bytes) -> ReaderSpec | None:
    """Choose by content; the name helps only where content alone cannot tell."""
    by_content = next((s for s in READERS if s.signatures and head.startswith(s.signatures)), None)
    lower = path.name.lower()
    if by_content is not None and by_content.name == "image" and not lower.endswith(".mrxs"):
        return by_content
    if by_content is not None and by_content.name == "tiff" and ".ome." in lower:
        return by_content
    from napari_histreg.slides.readers._openslide import detect_vendor

    # "generic-tiff" is any tiled TIFF: OpenSlide sees no SubIFDs, channels or names there.
    if detect_vendor(path) not in (None, "generic-tiff"):
        return _by_name("openslide")
    if by_content is None:
        bioio = _by_name("bioio")
        return bioio if lower.endswith(bioio.suffixes) else None
    return None if lower.endswith(".mrxs") else by_content
