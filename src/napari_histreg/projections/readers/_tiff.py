"""TIFF: a folder or list of single frames, or one file with many pages."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile, ReadError
from napari_histreg.projections.arrays import Floats
from napari_histreg.projections.readers._shared import mean_frame, natural, reading, regular
from napari_histreg.projections.series import RawSeries

__all__ = ["open_tiff", "read_mean_tiff"]


def open_tiff(paths: Sequence[Path]) -> RawSeries:
    """Open TIFF files as a series.

    Parameters
    ----------
    paths : sequence of Path
        One file with many pages, or many with one each, put in the order of their numbers.

    Returns
    -------
    RawSeries
    """
    files = [regular(path) for path in paths]
    if len(files) == 1:
        return _open_pages(files[0])
    ordered = sorted(files, key=natural)
    notes = () if ordered == files else ("The files were put in the order of the numbers in their names.",)
    shape, _ = _first_page(ordered[0])

    def read(view: int) -> NDArray[Any]:
        return _checked(_read_page(ordered[view], 0), shape, str(ordered[view]))

    return RawSeries(ordered[0].parent.name or ordered[0].stem, (len(ordered), *shape), read, notes=notes)


def read_mean_tiff(path: Path, shape: tuple[int, int], what: str) -> Floats:
    """Read a dark or flat field; several pages are averaged.

    Raises
    ------
    ReadError
        It has another size than the projections.
    """
    import tifffile

    file = regular(path)
    with reading(str(file)), tifffile.TiffFile(file) as tiff:
        mean = mean_frame(page.asarray() for page in tiff.pages)
    if mean.shape != shape:
        raise ReadError(
            f"The {what} field {file} has {'x'.join(map(str, mean.shape))} pixels, the projections "
            f"{shape[0]}x{shape[1]}. They must be of one size."
        )
    return mean


def _open_pages(file: Path) -> RawSeries:
    import tifffile

    with reading(str(file)):
        tiff = tifffile.TiffFile(file)
    try:
        with reading(str(file)), _listening() as heard:
            # A hyperstack of ImageJ may keep all frames behind one page; the series knows.
            series = tiff.series[0]
            dims = tuple(int(n) for n in series.shape)
            shape = tuple(int(n) for n in tiff.pages[0].shape)
            virtual = (
                len(series.pages) == 1
                and len(dims) == 3
                and dims[1:] == shape
                and series.dataoffset is not None
            )
            count = dims[0] if virtual else len(tiff.pages)
        if heard and not virtual:
            raise DamagedFile(f"{file} ends after {count} pages though more should follow. Copy it again.")
        if len(shape) != 2:
            raise ReadError(
                f"{file} holds colour pictures or volumes. Projections are grey frames (rows, columns)."
            )
    except BaseException:
        tiff.close()
        raise

    lock = threading.Lock()

    def read(view: int) -> NDArray[Any]:
        with reading(f"{file}, page {view + 1}"):
            if virtual:
                size = shape[0] * shape[1]
                dtype = series.dtype.newbyteorder(tiff.byteorder)
                flat = np.fromfile(file, dtype, size, offset=series.dataoffset + view * size * dtype.itemsize)
                if flat.size != size:
                    raise DamagedFile(f"{file} ends within page {view + 1}: it is incomplete. Copy it again.")
                return flat.reshape(shape)
            with lock:
                plane = tiff.pages[view].asarray()
        return _checked(plane, (shape[0], shape[1]), f"{file}, page {view + 1}")

    return RawSeries(file.name.partition(".")[0], (count, shape[0], shape[1]), read, close=tiff.close)


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect what tifffile only logs, in this thread: that its list of pages leads out of the file."""
    heard: list[str] = []
    log, thread = logging.getLogger("tifffile"), threading.get_ident()

    def collect(record: logging.LogRecord) -> bool:
        if record.thread != thread:
            return True
        if record.levelno >= logging.ERROR:
            heard.append(record.getMessage())
        return False

    log.addFilter(collect)
    try:
        yield heard
    finally:
        log.removeFilter(collect)


def _first_page(file: Path) -> tuple[tuple[int, int], np.dtype[Any]]:
    import tifffile

    with reading(str(file)), tifffile.TiffFile(file) as tiff:
        page = tiff.pages[0]
        shape, dtype = tuple(int(n) for n in page.shape), page.dtype
    if len(shape) != 2:
        raise ReadError(
            f"{file} holds a colour picture or a volume. Projections are grey frames (rows, columns)."
        )
    return (shape[0], shape[1]), dtype


def _read_page(file: Path, page: int) -> NDArray[Any]:
    import tifffile

    with reading(str(file)), tifffile.TiffFile(file) as tiff:
        return np.asarray(tiff.pages[page].asarray())


def _checked(plane: NDArray[Any], shape: tuple[int, int], name: str) -> NDArray[Any]:
    if plane.shape != shape:
        raise DamagedFile(
            f"{name} has {'x'.join(map(str, plane.shape))} pixels, the first projection "
            f"{shape[0]}x{shape[1]}. All must be of one size."
        )
    return plane
