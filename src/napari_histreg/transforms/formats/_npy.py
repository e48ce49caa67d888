"""NumPy's .npy with a 3 x 3 matrix."""

from pathlib import Path

import numpy as np

from napari_histreg.errors import DamagedFile
from napari_histreg.progress import Progress
from napari_histreg.transforms.formats.conventions import TransformDialect, from_matrix, to_matrix
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.transform import Transform


def read(
    path: Path, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Transform:
    """Read a matrix."""
    try:
        matrix = np.asarray(np.load(path, allow_pickle=False), float)
    except FileNotFoundError as error:
        raise DamagedFile(f"{path} does not exist. Check the name.") from error
    except (OSError, ValueError, EOFError) as error:
        raise DamagedFile(f"{path} is no .npy file of numbers: {error}") from error
    if matrix.shape != (3, 3):
        raise DamagedFile(f"{path} holds an array of shape {matrix.shape}; a matrix is 3 x 3.")
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
