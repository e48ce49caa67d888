"""Reading text and JSON so that every fault is named with its file."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import DamagedFile
from napari_histreg.files import read_json as read_object
from napari_histreg.files import read_text as read_whole_text
from napari_histreg.geometry import FloatArray

__all__ = ["read_json", "read_matrix", "read_text", "write_matrix"]

MATRIX_BYTES = 100_000
"""Nine numbers take less."""


def read_text(path: Path) -> str:
    """Return a text file's content; a byte order mark is dropped.

    Raises
    ------
    DamagedFile
        The file is missing, empty, or no text.
    """
    return read_whole_text(path, "a transform")


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises
    ------
    DamagedFile
        The file is missing, no JSON, or holds something else than an object.
    """
    return read_object(path, "a transform")


def read_matrix(path: Path) -> FloatArray:
    """Return the 3 x 3 numbers of a comma-separated file without a header.

    Raises
    ------
    DamagedFile
        There are not three lines of three numbers; the message names the line.
    """
    rows = []
    text = read_whole_text(path, "a matrix", limit=MATRIX_BYTES, share=None)
    lines = [(k, line) for k, line in enumerate(text.splitlines(), 1) if line.strip()]
    for k, line in lines:
        if ";" in line:
            raise DamagedFile(f"{path}, line {k}: the numbers are separated by semicolons; use commas.")
        cells = line.split(",")
        try:
            row = [float(cell) for cell in cells]
        except ValueError as error:
            raise DamagedFile(f"{path}, line {k}: {line.strip()[:60]!r} is not three numbers.") from error
        if len(row) != 3 or not all(map(math.isfinite, row)):
            raise DamagedFile(f"{path}, line {k}: {line.strip()[:60]!r} is not three finite numbers.")
        rows.append(row)
    if len(rows) != 3:
        raise DamagedFile(f"{path} has {len(rows)} lines of numbers; a matrix has three.")
    return np.array(rows)


def write_matrix(path: Path, matrix: FloatArray) -> None:
    """Write 3 x 3 numbers, comma-separated, with all their digits."""
    lines = [",".join(repr(value) for value in row) + "\n" for row in matrix.tolist()]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
