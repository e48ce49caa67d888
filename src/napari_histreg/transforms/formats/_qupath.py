"""QuPath's affine text (Interactive image alignment): six numbers, m00 m01 m02 m10 m11 m12."""

import re
from pathlib import Path

import numpy as np

from napari_histreg.errors import DamagedFile
from napari_histreg.progress import Progress
from napari_histreg.transforms.formats.conventions import TransformDialect, from_matrix, to_matrix
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.formats.reading import read_text
from napari_histreg.transforms.transform import Transform


def read(
    path: Path, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Transform:
    """Read six numbers, separated by blanks, tabs, line ends or commas."""
    words = [word for word in re.split(r"[\s,;]+", read_text(path)[:10_000].strip()) if word]
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise DamagedFile(
            f"{path} is not a QuPath transform: {str(error)[:100]}. It should hold six numbers."
        ) from error
    if len(numbers) != 6:
        raise DamagedFile(f"{path} holds {len(numbers)} numbers; a QuPath transform has six.")
    matrix = np.vstack([np.reshape(numbers, (2, 3)), [0, 0, 1]])
    return from_matrix(matrix, dialect, fixed, moving)


def write(
    transform: Transform,
    path: Path,
    dialect: TransformDialect,
    fixed: SlideFrame | None,
    moving: SlideFrame | None,
    progress: Progress,
) -> None:
    """Write two lines of three numbers, separated by tabs, as QuPath's own window shows them."""
    rows = to_matrix(transform, dialect, fixed, moving)[:2].tolist()
    lines = ["\t".join(repr(value) for value in row) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
