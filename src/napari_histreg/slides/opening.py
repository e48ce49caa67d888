"""open_slide: one door for every kind of slide."""

import importlib
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from napari_histreg.errors import DamagedFile, ReadError, UnsupportedFormat
from napari_histreg.slides.pyramid import with_overview
from napari_histreg.slides.readers._border import ReadOptions
from napari_histreg.slides.slide import Channel, Slide

__all__ = ["READERS", "ReaderSpec", "open_slide"]


class ReaderSpec(NamedTuple):
    """One line of the table of readers.

    Parameters
    ----------
    name : str
        Short, unique.
    title : str
        For people.
    suffixes : tuple of str
        In lower case, with the dot; double ones such as ".ome.tif" included.
    signatures : tuple of bytes
        How such files begin; none where only the maker's library can tell.
    target : str
        "module:function", called with the path and `ReadOptions`.
    extra : str or None
        The extra of this package that it needs.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    signatures: tuple[bytes, ...]
    target: str
    extra: str | None = None


TIFF_SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_HERE = "napari_histreg.slides.readers."

READERS: tuple[ReaderSpec, ...] = (
    ReaderSpec(
        "openslide",
        "whole slide of a scanner (OpenSlide)",
        (
            ".mrxs",
            ".svs",
            ".ndpi",
            ".vms",
            ".vmu",
            ".scn",
            ".bif",
            ".svslide",
            ".tif",
            ".tiff",
            ".dcm",
            ".czi",
        ),
        (),
        _HERE + "_openslide:read_openslide",
    ),
    ReaderSpec(
        "tiff",
        "OME-TIFF or other TIFF",
        (
            ".ome.tif",
            ".ome.tiff",
            ".ome.tf2",
            ".ome.tf8",
            ".ome.btf",
            ".tiff.tiff",
            ".tif.tif",
            ".qptiff",
            ".tif",
            ".tiff",
            ".tf2",
            ".tf8",
            ".btf",
            ".svs",
        ),
        TIFF_SIGNATURES,
        _HERE + "_tiff:read_tiff",
    ),
    ReaderSpec(
        "image",
        "PNG, JPEG or BMP picture",
        (".png", ".jpg", ".jpeg", ".bmp"),
        (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"),
        _HERE + "_image:read_image",
    ),
    ReaderSpec(
        "ome-zarr",
        "OME-Zarr folder",
        (".ome.zarr", ".zarr"),
        (),
        _HERE + "_ome_zarr:read_ome_zarr",
    ),
)


def open_slide(
    path_or_array: Any,
    *,
    pixel_size_um: float | tuple[float, float] | None = None,
    name: str | None = None,
    series: int | None = None,
    z: int = 0,
    t: int = 0,
    channel_names: Sequence[str] | None = None,
) -> Slide:
    """Open a slide from a file or an array, without reading its pixels.

    The content of a file decides which reader takes it, not its name alone. Every slide gets an
    overview level of at most 1024 px a side; where the file has none it is computed when it is read.

    Parameters
    ----------
    path_or_array : path, array, sequence of arrays or Slide
        A file; or an array (Y, X), (Y, X, 3) or (Y, X, 4) of uint8 or uint16 for RGB and RGBA, or
        (C, Y, X); or the pyramid levels as a list of such arrays, finest first. Dask and Zarr
        arrays stay lazy. A slide is returned with the names and sizes given here.
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
    options = ReadOptions(series, z, t)
    if isinstance(path_or_array, Slide):
        slide = path_or_array
    elif isinstance(path_or_array, str | PathLike):
        slide = _open_file(Path(path_or_array), options)
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
    return y, x


def _renamed(
    slide: Slide, size: tuple[float, float] | None, name: str | None, channel_names: Sequence[str] | None
) -> Slide:
    """Return the slide with what the caller gave in place of what the file says."""
    changes: dict[str, Any] = {}
    if size is not None:
        changes["pixel_size_um"] = size
    if name is not None:
        changes["name"] = name
    if channel_names is not None:
        if isinstance(channel_names, str) or len(channel_names) != len(slide.channels):
            raise ValueError(
                f"{slide.name} has {len(slide.channels)} channels; channel_names is "
                f"{channel_names!r}. Give one name each."
            )
        changes["channels"] = tuple(
            Channel(str(new), old.colour) for new, old in zip(channel_names, slide.channels, strict=True)
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


def _open_file(path: Path, options: ReadOptions) -> Slide:
    """Find the reader of a file and let it read."""
    if _is_zarr(path):
        return _load(_by_name("ome-zarr"))(path, options)  # type: ignore[no-any-return]
    head = _first_bytes(path)
    spec = _reader_for(path, head)
    if spec is None:
        raise _best_error(path, head)
    return _load(spec)(path, options)  # type: ignore[no-any-return]


def _load(spec: ReaderSpec) -> Any:
    """Import a reader's function."""
    module, function = spec.target.split(":")
    return getattr(importlib.import_module(module), function)


def _first_bytes(path: Path) -> bytes:
    """Return how a file begins; refuse what is not a readable file."""
    try:
        if path.is_dir():
            raise _folder_error(path)
        with path.open("rb") as file:
            head = file.read(64)
    except FileNotFoundError:
        raise DamagedFile(f"There is no file {path}. Check the path.") from None
    except PermissionError:
        raise ReadError(
            f"{path} cannot be read: you have no permission. Change it or copy the file."
        ) from None
    except (OSError, ValueError) as error:
        raise DamagedFile(f"{path} cannot be read: {error}. Check the path and the disk.") from None
    if not head:
        raise DamagedFile(f"{path} is empty (0 bytes). Copy it again from its source.")
    return head


def _is_zarr(path: Path) -> bool:
    """Tell whether this is a folder that holds a Zarr group."""
    from napari_histreg.slides.readers._ome_zarr import is_zarr_folder

    try:
        return path.is_dir() and is_zarr_folder(path)
    except (OSError, ValueError):
        return False


def _folder_error(path: Path) -> ReadError:
    """Say what to do with a folder."""
    if (path / "Slidedat.ini").is_file():
        return UnsupportedFormat(
            f"{path} is the data folder of a 3DHISTECH slide. Open the file {path.name}.mrxs beside it."
        )
    return UnsupportedFormat(f"{path} is a folder, not a slide. Name the slide's file.")


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
    return None if lower.endswith(".mrxs") else by_content


def _best_error(path: Path, head: bytes) -> ReadError:
    """Say why no reader takes a file and what to do about it."""
    lower = path.name.lower()
    if lower.endswith(".mrxs"):
        folder = path.with_suffix("")
        if not (folder / "Slidedat.ini").is_file():
            return DamagedFile(
                f"{path} needs the folder {folder.name} with its data (Slidedat.ini and others) beside it, "
                "and it is not there or incomplete. Copy the folder too."
            )
        return DamagedFile(f"{path} and its folder {folder.name} do not make a slide. Copy both again.")
    known = [spec for spec in READERS if lower.endswith(spec.suffixes)]
    if known:
        looks = "text" if _is_text(head) else "something else"
        return DamagedFile(
            f"{path} is not a {known[-1].title} although it is named so: it holds {looks}. "
            "It is damaged, renamed or only a link; get the real file."
        )
    suffix = "".join(path.suffixes[-1:]) or "no suffix"
    readable = ", ".join(sorted({s for spec in READERS for s in spec.suffixes if s.count(".") == 1}))
    return UnsupportedFormat(
        f"{path.name} ({suffix}) is of a kind that cannot be read. Readable are {readable}. "
        "QuPath or bioformats2raw convert most other formats to OME-TIFF."
    )


def _is_text(head: bytes) -> bool:
    """Tell whether bytes look like written text."""
    return all(byte >= 32 or byte in (9, 10, 13) for byte in head)
