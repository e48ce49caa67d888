"""Open series of projections: folders, files of many kinds, arrays."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile, ReadError, UnsupportedFormat
from napari_histreg.projections.angles import FEWEST, angles_for
from napari_histreg.projections.correction import Correction, guess_kind
from napari_histreg.projections.readers._shared import natural
from napari_histreg.projections.series import ProjectionSeries, RawSeries

__all__ = ["SUFFIXES", "open_projections"]

TIFF = (".tif", ".tiff")
HDF5 = (".h5", ".hdf5", ".hdf", ".nxs", ".nx")
MRC = (".mrc", ".ali", ".st", ".mrcs", ".preali")
SUFFIXES = TIFF + HDF5 + MRC

Source = str | Path | Sequence[str | Path] | NDArray[Any]


def open_projections(
    source: Source,
    angles: str | Path | Sequence[float] | NDArray[Any] | None = None,
    *,
    dark: str | Path | NDArray[Any] | None = None,
    flat: str | Path | NDArray[Any] | None = None,
    kind: Literal["auto", "intensity", "absorption"] = "auto",
    pixel_size_um: float | None = None,
    dataset: str | None = None,
) -> ProjectionSeries:
    """Open a series of projections; frames are read one at a time, when they are needed.

    Parameters
    ----------
    source : path-like, sequence of path-like, or (A, Y, X) array-like
        A folder of TIFF files, TIFF files, a TIFF with many pages, HDF5 (DataExchange, NXtomo), MRC (.mrc,
        .st, .ali), or an array (numpy, dask, zarr, h5py).
    angles : str, path-like or array-like, optional
        ``"0:180"``, a text file with one angle a line, or the angles in degrees; those of the file by
        default.
    dark, flat : path-like or (Y, X) array-like, optional
        Frames without beam and without body; over those of the file.
    kind : "auto", "intensity" or "absorption"
        Whether the frames hold what came through, or line integrals. By default intensities where a flat
        field is there or the sides of the frames are brightest.
    pixel_size_um : float, optional
        Size of a detector pixel at the body; over the file's.
    dataset : str, optional
        Where the frames lie in an HDF5 file.

    Returns
    -------
    ProjectionSeries

    Raises
    ------
    ReadError
        Something cannot be read, or the angles do not fit the projections.
    MissingDependency
        The package for this kind of file is not installed.
    """
    raw = _raw(source, dataset)
    try:
        return _series(raw, angles, dark, flat, kind, pixel_size_um)
    except BaseException:
        raw.close()
        raise


def _series(
    raw: RawSeries, angles: Any, dark: Any, flat: Any, kind: str, pixel_size_um: float | None
) -> ProjectionSeries:
    count, rows, columns = raw.shape
    if count < FEWEST or min(rows, columns) < 4:
        raise ReadError(
            f"{raw.name} holds {count} frames of {rows}x{columns} pixels: that is no series of projections."
        )
    if pixel_size_um is not None and not (np.isfinite(pixel_size_um) and pixel_size_um > 0):
        raise ReadError(f"A pixel cannot be {pixel_size_um} µm large.")
    values, notes = angles_for(angles, raw.angles, count, raw.name)
    fields = {
        what: getattr(raw, what) if given is None else _field(given, (rows, columns), what)
        for what, given in (("dark", dark), ("flat", flat))
    }
    notes = raw.notes + notes
    if kind not in ("auto", "intensity", "absorption"):
        raise ValueError(f"There is no kind {kind!r}. Choose one of: auto, intensity, absorption.")
    if kind == "absorption" and fields["flat"] is not None:
        raise ValueError("Line integrals need no flat field: leave it out, or say kind intensity.")
    if kind == "auto" and fields["flat"] is not None:
        kind = "intensity"
    elif kind == "auto":
        kind = guess_kind(np.asarray(raw.read(count // 2), float))
        said = {
            "intensity": "The frames are brightest at their sides: they were taken for intensities, and the "
            "open beam there for the flat field.",
            "absorption": "There is no flat field and no brighter beam at the sides: the frames were taken "
            "for line integrals.",
        }
        notes += (said[kind],)
    correction = Correction("intensity" if kind == "intensity" else "absorption", **fields)
    return ProjectionSeries(raw, values, correction, pixel_size_um or raw.pixel_um, notes)


def _raw(source: Source, dataset: str | None) -> RawSeries:
    if isinstance(source, str | Path):
        return _from_paths([Path(source)], dataset)
    if hasattr(source, "shape"):
        return _from_array(source)
    paths = [Path(item) for item in source]
    if not paths:
        raise ReadError("There are no files with projections. Name files or a folder.")
    return _from_paths(paths, dataset)


def _from_array(array: Any) -> RawSeries:
    shape = tuple(int(n) for n in array.shape)
    if len(shape) != 3 or np.dtype(array.dtype).kind not in "uifb":
        raise ReadError(f"An array of shape {shape} is no series: it must be (projections, rows, columns).")
    return RawSeries("array", (shape[0], shape[1], shape[2]), lambda view: np.asarray(array[view]))


def _from_paths(paths: list[Path], dataset: str | None) -> RawSeries:
    if len(paths) == 1 and paths[0].is_dir():
        folder = paths[0]
        inside = sorted((p for p in folder.iterdir() if p.suffix.lower() in TIFF), key=natural)
        if not inside:
            raise ReadError(f"The folder {folder} holds no TIFF files. Name a folder with one a projection.")
        return replace(_from_paths(inside, dataset), name=folder.name)
    suffixes = {path.suffix.lower() for path in paths}
    if suffixes <= set(TIFF):
        from napari_histreg.projections.readers._tiff import open_tiff

        if dataset is not None:
            raise ReadError("TIFF files hold no datasets: leave --dataset out.")
        return open_tiff(paths)
    if len(paths) > 1:
        raise ReadError("Several files must all be TIFF, one a projection; of other kinds name one file.")
    return _one_file(paths[0], dataset)


def _one_file(path: Path, dataset: str | None) -> RawSeries:
    suffix = path.suffix.lower()
    if suffix in HDF5:
        from napari_histreg.projections.readers._hdf5 import open_hdf5

        return open_hdf5(path, dataset)
    if suffix in MRC:
        from napari_histreg.projections.readers._mrc import open_mrc

        return open_mrc(path, dataset)
    if not path.exists():
        raise DamagedFile(f"There is no file {path}. Check the path.")
    raise UnsupportedFormat(
        f"{path.name} is of a kind that cannot be read as projections. Readable are {', '.join(SUFFIXES)}."
    )


def _field(given: Any, shape: tuple[int, int], what: str) -> NDArray[Any]:
    """Return a dark or flat field from a file or an array."""
    if isinstance(given, str | Path):
        from napari_histreg.projections.readers._tiff import read_mean_tiff

        path = Path(given)
        if path.suffix.lower() not in TIFF and path.exists():
            raise ReadError(f"The {what} field {path} is no TIFF file. Name a TIFF of the projections' size.")
        return read_mean_tiff(path, shape, what)
    array = np.asarray(given, np.float32)
    mean = array.mean(0) if array.ndim == 3 else array
    if mean.shape != shape:
        raise ReadError(f"The {what} field has the shape {mean.shape}, the projections {shape}.")
    return np.asarray(mean)
