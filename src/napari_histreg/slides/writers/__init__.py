"""write_slide: any slide, on disk or computed, into a pyramidal file."""

import shutil
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from napari_histreg.errors import WriteError
from napari_histreg.files import check_output, written_whole
from napari_histreg.progress import Progress, silent
from napari_histreg.slides.slide import Slide
from napari_histreg.slides.writers._compression import COMPRESSIONS, Compression, compression_of
from napari_histreg.slides.writers._plane import PLANE_SUFFIXES, write_plane

__all__ = ["COMPRESSIONS", "PLANE_SUFFIXES", "WRITERS", "WriterSpec", "write_slide"]


class WriterSpec(NamedTuple):
    """One line of the table of writers.

    Parameters
    ----------
    name : str
        Short, unique.
    title : str
        For people.
    suffixes : tuple of str
        In lower case, with the dot.
    compressions : tuple of str
        Those it knows.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    compressions: tuple[str, ...]


WRITERS: tuple[WriterSpec, ...] = (
    WriterSpec("ome-tiff", "pyramidal OME-TIFF", (".ome.tif", ".ome.tiff", ".tif", ".tiff"), COMPRESSIONS),
    WriterSpec("ome-zarr", "OME-Zarr (NGFF 0.5)", (".ome.zarr", ".zarr"), ("zstd", "deflate", "none")),
)


def write_slide(
    slide: Slide,
    path: str | PathLike[str],
    *,
    compression: str | None = None,
    tile: int = 512,
    progress: Progress = silent,
) -> Path:
    """Write a slide as a pyramid, with its channel names, colours and pixel size.

    Level 0 is read once, region by region; the coarser levels are made from it on the way. Memory
    does not grow with the slide. The file has its final name only when it is complete.

    Parameters
    ----------
    slide : Slide
        On disk or computed.
    path : path-like
        Ends in ``.ome.tif`` (or ``.tif``) or ``.ome.zarr`` (or ``.zarr``); or in ``.png``, ``.nii``,
        ``.nii.gz`` or ``.dcm`` for one plane without a pyramid. A file or Zarr that is there is replaced,
        unless it is open as a slide.
    compression : str, optional
        "jpeg" or "jpeg:QUALITY" (1 to 100, 85 by default, colours in full resolution from 90 on; loses
        detail), "deflate", "zstd", "lzw" or "none". By default JPEG for RGB and deflate for the rest
        in OME-TIFF, zstd in OME-Zarr.
    tile : int
        Side of the tiles in pixels, a multiple of 16.
    progress : Progress
        Gets bytes and the time left; raise Cancelled in it to stop, which leaves nothing behind.

    Returns
    -------
    Path
        The file or folder written.

    Raises
    ------
    WriteError
        The name, the folder, the disk or the pixel type does not allow it.
    ValueError
        The compression or the tile size is impossible.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from napari_histreg.slides import open_slide
    >>> slide = open_slide(np.full((2000, 1500), 7, np.uint16), pixel_size_um=0.5, channel_names=["DAPI"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_slide(write_slide(slide, folder + "/copy.ome.tif")) as copy:
    ...         copy.pixel_size_um, copy.channels[0].name, [level.shape for level in copy.levels]
    ((0.5, 0.5), 'DAPI', [(2000, 1500), (1000, 750)])
    """
    final = Path(path)
    if final.name.lower().endswith(PLANE_SUFFIXES):
        if compression is not None:
            raise ValueError(f"{final.name}: a single plane is written with one compression only: give none.")
        write_plane(slide, check_output(final), progress)
        return final
    spec = _writer_for(final)
    if tile < 16 or tile % 16:
        raise ValueError(f"The side of a tile is a multiple of 16 pixels, not {tile}.")
    chosen = _compression(spec, slide, compression)
    check_output(final, folder=spec.name == "ome-zarr")
    _check_space(final, slide, chosen)
    with written_whole(final, folder=spec.name == "ome-zarr") as temporary:
        _write(spec, slide, temporary, chosen, tile, progress)
    return final


def _write(
    spec: WriterSpec, slide: Slide, temporary: Path, compression: Compression, tile: int, progress: Progress
) -> None:
    """Send the slide's pyramid to the sink of its format."""
    from napari_histreg.slides.writers._ome_tiff import OmeTiffSink
    from napari_histreg.slides.writers._ome_zarr import OmeZarrSink
    from napari_histreg.slides.writers._pyramid import stream_pyramid

    kind: Callable[..., Any] = OmeTiffSink if spec.name == "ome-tiff" else OmeZarrSink
    with kind(temporary, slide, compression, tile) as sink:
        stream_pyramid(slide, sink, progress=progress)


def _writer_for(path: Path) -> WriterSpec:
    """Choose by the name's ending."""
    for spec in WRITERS:
        if path.name.lower().endswith(spec.suffixes):
            return spec
    endings = ", ".join([*(suffix for spec in WRITERS for suffix in spec.suffixes), *PLANE_SUFFIXES])
    raise WriteError(f"{path.name}: slides are written as {endings}. Choose one of these endings.")


def _compression(spec: WriterSpec, slide: Slide, text: str | None) -> Compression:
    """Return the compression asked for, or the one that suits slide and format."""
    if text is None and spec.name == "ome-zarr":
        text = "zstd"
    chosen = compression_of(text, is_rgb=slide.is_rgb, dtype=slide.dtype)
    if chosen.name not in spec.compressions:
        raise ValueError(
            f"{spec.title} knows no compression {chosen.name}. Choose {', '.join(spec.compressions)}."
        )
    return chosen


def _check_space(path: Path, slide: Slide, compression: Compression) -> None:
    """Refuse to begin what the disk will not hold."""
    folder = path.parent
    height, width = slide.shape
    # Levels of 1/4, 1/16 … together add a third.
    raw = height * width * len(slide.channels) * slide.dtype.itemsize * 4 / 3
    needed, free = int(raw * compression.expected_share), shutil.disk_usage(folder).free
    if needed > free:
        raise WriteError(
            f"{path} needs about {needed / 1e6:.0f} MB and {folder} has {free / 1e6:.0f} MB free. "
            "Make room, write elsewhere or compress more."
        )
