"""HDF5: DataExchange (exchange/data, theta), NeXus NXtomo (image_key, rotation_angle), or a named dataset."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import ReadError
from napari_histreg.optional import require
from napari_histreg.projections.arrays import Floats
from napari_histreg.projections.readers._shared import mean_frame, reading, regular
from napari_histreg.projections.series import RawSeries

__all__ = ["open_hdf5"]

PROJECTION, FLAT, DARK = 0, 1, 2
_TO_UM = {"m": 1e6, "mm": 1e3, "um": 1.0, "µm": 1.0, "micron": 1.0, "nm": 1e-3}


def open_hdf5(path: Path, dataset: str | None = None) -> RawSeries:
    """Open an HDF5 file as a series.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Path of the frames inside the file, where they lie in neither of the two usual places.

    Returns
    -------
    RawSeries
        Dark and flat frames and angles with it, where the file holds them.

    Raises
    ------
    MissingDependency
        h5py is not installed.
    ReadError
        The file holds no such frames.
    """
    h5py = require("h5py", extra="tomography")
    file = regular(path)
    with reading(str(file)):
        opened = h5py.File(file, "r")
    try:
        with reading(str(file)):
            return _laid_out(h5py, opened, file, dataset)
    except BaseException:
        opened.close()
        raise


def _laid_out(h5py: Any, opened: Any, file: Path, dataset: str | None) -> RawSeries:
    if dataset is not None:
        return _plain(h5py, opened, file, dataset)
    key = _find(h5py, opened, "image_key")
    if key is not None and isinstance(key.parent.get("data"), h5py.Dataset):
        return _nxtomo(h5py, opened, file, key)
    if isinstance(opened.get("exchange/data"), h5py.Dataset):
        return _exchange(h5py, opened, file)
    held = [name for name, item in _datasets(h5py, opened) if item.ndim == 3]
    hint = f" It holds: {', '.join(held[:6])}." if held else " It holds no dataset of three dimensions."
    raise ReadError(
        f"{file} holds frames neither at exchange/data (DataExchange) nor beside an image_key (NXtomo)."
        f"{hint} Name the right one with --dataset."
    )


def _exchange(h5py: Any, opened: Any, file: Path) -> RawSeries:
    data = _three(opened["exchange/data"], file)
    group = opened["exchange"]

    def field(name: str) -> Floats | None:
        found = group.get(name)
        return _mean(found, data, file) if isinstance(found, h5py.Dataset) and found.size else None

    return RawSeries(
        file.name.partition(".")[0],
        data.shape,
        _reader(data, None, file),
        angles=_angles(h5py, group.get("theta")),
        dark=field("data_dark"),
        flat=field("data_white"),
        pixel_um=_pixel_um(h5py, opened),
        close=opened.close,
    )


def _nxtomo(h5py: Any, opened: Any, file: Path, key: Any) -> RawSeries:
    data = _three(key.parent["data"], file)
    keys = np.asarray(key[()]).ravel()
    if len(keys) != data.shape[0]:
        raise ReadError(f"{file} holds {data.shape[0]} frames and {len(keys)} image keys. It is damaged.")
    views = np.flatnonzero(keys == PROJECTION)
    if not views.size:
        raise ReadError(f"{file} marks none of its {len(keys)} frames as a projection (image_key 0).")
    angles = _angles(h5py, _find(h5py, opened, "rotation_angle"))
    if angles is not None and len(angles) == len(keys):
        angles = angles[views]
    means = [
        mean_frame(data[int(k)] for k in np.flatnonzero(keys == role)) if (keys == role).any() else None
        for role in (DARK, FLAT)
    ]
    dropped = int((keys > DARK).sum() + (keys < PROJECTION).sum())
    notes = (f"{dropped} frames are marked as invalid in the file and were passed over.",) if dropped else ()
    return RawSeries(
        file.name.partition(".")[0],
        (len(views), data.shape[1], data.shape[2]),
        _reader(data, views, file),
        angles=angles,
        dark=means[0],
        flat=means[1],
        pixel_um=_pixel_um(h5py, opened),
        notes=notes,
        close=opened.close,
    )


def _plain(h5py: Any, opened: Any, file: Path, dataset: str) -> RawSeries:
    found = opened.get(dataset)
    if not isinstance(found, h5py.Dataset):
        held = ", ".join(name for name, item in _datasets(h5py, opened) if item.ndim == 3) or "none"
        raise ReadError(f"{file} holds no dataset {dataset}. Those of three dimensions are: {held}.")
    data = _three(found, file)
    return RawSeries(file.name.partition(".")[0], data.shape, _reader(data, None, file), close=opened.close)


def _reader(data: Any, views: NDArray[Any] | None, file: Path) -> Any:
    def read(view: int) -> NDArray[Any]:
        with reading(f"{file}, frame {view + 1}"):
            return np.asarray(data[int(view if views is None else views[view])])

    return read


def _three(data: Any, file: Path) -> Any:
    if data.ndim != 3 or 0 in data.shape or data.dtype.kind not in "uif":
        raise ReadError(
            f"{file}: {data.name} has the shape {data.shape} of {data.dtype}. Frames are numbers as "
            "(projections, rows, columns)."
        )
    return data


def _mean(found: Any, data: Any, file: Path) -> Floats:
    frames = found[()][None] if found.ndim == 2 else found
    if tuple(frames.shape[1:]) != tuple(data.shape[1:]):
        raise ReadError(f"{file}: {found.name} has another size than {data.name}. They must be of one size.")
    return mean_frame(frames[k] for k in range(frames.shape[0]))


def _angles(h5py: Any, found: Any) -> Floats | None:
    if not isinstance(found, h5py.Dataset) or not found.size:
        return None
    values = np.asarray(found[()], float).ravel()
    units = found.attrs.get("units", "")
    text = units.decode() if isinstance(units, bytes) else str(units)
    return np.degrees(values) if text.lower().startswith("rad") else values


def _pixel_um(h5py: Any, opened: Any) -> float | None:
    found = _find(h5py, opened, "x_pixel_size") or _find(h5py, opened, "resolution")
    if found is None or found.size != 1:
        return None
    units = found.attrs.get("units", found.attrs.get("unit", ""))
    text = units.decode() if isinstance(units, bytes) else str(units)
    factor = _TO_UM.get(text.strip().lower())
    value = float(np.asarray(found[()]).ravel()[0])
    return value * factor if factor is not None and value > 0 else None


def _datasets(h5py: Any, opened: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    opened.visititems(
        lambda name, item: found.append((name, item)) if isinstance(item, h5py.Dataset) else None
    )
    return found


def _find(h5py: Any, opened: Any, name: str) -> Any:
    """Return the first dataset of a name, wherever it lies."""
    for path, item in _datasets(h5py, opened):
        if path.rpartition("/")[2] == name:
            return item
    return None
