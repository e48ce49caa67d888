"""NumPy's .npy with a 3 x 3 matrix."""

from io import BytesIO
from pathlib import Path
from tokenize import TokenError

import numpy as np

from napari_histreg.errors import DamagedFile
from napari_histreg.files import read_bytes
from napari_histreg.progress import Progress
from napari_histreg.transforms.formats.conventions import TransformDialect, from_matrix, to_matrix
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.formats.reading import MATRIX_BYTES
from napari_histreg.transforms.transform import Transform

# What NumPy raises on headers that are none; it reads them as Python literals.
_FAULTS = (ValueError, LookupError, TypeError, EOFError, SyntaxError, TokenError, RecursionError, MemoryError)


def read(
    path: Path, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Transform:
    """Read a matrix."""
    stream = BytesIO(read_bytes(path, limit=MATRIX_BYTES, share=None))
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else None
        shape, is_fortran, dtype = (read_header or np.lib.format.read_array_header_2_0)(stream)
    except _FAULTS as error:
        raise DamagedFile(f"{path} is no .npy file of numbers: {str(error)[:100]}") from error
    data = stream.read()
    if shape != (3, 3) or dtype.kind not in "iuf" or len(data) < 9 * dtype.itemsize:
        raise DamagedFile(f"{path} holds {dtype} of shape {shape}; a matrix is 3 x 3 real numbers.")
    numbers = np.frombuffer(data, dtype, 9).astype(float)
    matrix = numbers.reshape((3, 3), order="F" if is_fortran else "C")
    return from_matrix(matrix, dialect, fixed, moving)


def write(
    transform: Transform,
    path: Path,
    dialect: TransformDialect,
    fixed: SlideFrame | None,
    moving: SlideFrame | None,
    progress: Progress,
) -> None:
    """Write a matrix."""
    with path.open("wb") as file:
        np.save(file, to_matrix(transform, dialect, fixed, moving))
