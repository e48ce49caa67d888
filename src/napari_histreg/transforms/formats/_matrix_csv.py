"""Three lines of three numbers: plain CSV, Xenium Explorer's alignment matrix, affinder's text."""

from pathlib import Path

from napari_histreg.progress import Progress
from napari_histreg.transforms.formats.conventions import TransformDialect, from_matrix, to_matrix
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.formats.reading import read_matrix, write_matrix
from napari_histreg.transforms.transform import Transform


def read(
    path: Path, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Transform:
    """Read a matrix."""
    return from_matrix(read_matrix(path), dialect, fixed, moving)


def write(
    transform: Transform,
    path: Path,
    dialect: TransformDialect,
    fixed: SlideFrame | None,
    moving: SlideFrame | None,
    progress: Progress,
) -> None:
    """Write a matrix."""
    write_matrix(path, to_matrix(transform, dialect, fixed, moving))
