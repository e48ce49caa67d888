"""MRC: .mrc, .st, .ali of electron tomography, with angles from a .rawtlt or .tlt beside."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile, ReadError
from napari_histreg.optional import require
from napari_histreg.projections.angles import read_angles
from napari_histreg.projections.readers._shared import reading, regular
from napari_histreg.projections.series import RawSeries

__all__ = ["open_mrc"]

ANGSTROM_UM = 1e-4


def open_mrc(path: Path, dataset: str | None = None) -> RawSeries:
    """Open an MRC tilt series.

    Parameters
    ----------
    path : Path
        The file.
    dataset : None
        MRC holds one series.

    Returns
    -------
    RawSeries
        The tilt axis is taken to run along the rows' direction (y), as in an aligned .ali.

    Raises
    ------
    MissingDependency
        mrcfile is not installed.
    """
    if dataset is not None:
        raise ReadError(f"{path} is an MRC file, which holds one series: leave --dataset out.")
    mrcfile = require("mrcfile", extra="tomography")
    file = regular(path)
    with reading(str(file)):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opened = mrcfile.mmap(file, mode="r", permissive=True)
    data = opened.data
    if data is None or data.ndim != 3 or 0 in data.shape or data.dtype.kind not in "uif":
        shape = None if data is None else data.shape
        opened.close()
        raise DamagedFile(
            f"{file} holds no series of frames (shape {shape}), or is cut short. Copy it again."
        )
    size = float(opened.voxel_size.x)
    beside = [file.with_suffix(suffix) for suffix in (".rawtlt", ".tlt")]
    named = next((candidate for candidate in beside if candidate.is_file()), None)

    def read(view: int) -> NDArray[Any]:
        with reading(f"{file}, frame {view + 1}"):
            return np.array(data[view])

    notes = () if named is None else (f"Angles from {named.name}.",)
    return RawSeries(
        file.name.partition(".")[0],
        data.shape,
        read,
        angles=None if named is None else read_angles(named),
        pixel_um=size * ANGSTROM_UM if size > 0 else None,
        notes=(*notes, "The tilt axis is taken to run upright, as in an aligned .ali."),
        close=opened.close,
    )
