"""Reading text and JSON so that every fault is named with its file."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import DamagedFile
from napari_histreg.geometry import FloatArray

__all__ = ["read_json", "read_matrix", "read_text", "write_matrix"]


def read_text(path: Path) -> str:
    """Return a text file's content; a byte order mark is dropped.

    Raises
    ------
    DamagedFile
        The file is missing, empty, or no text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DamagedFile(f"{path} does not exist. Check the name.") from error
    except UnicodeDecodeError as error:
        raise DamagedFile(f"{path} is not a text file (UTF-8); a transform was expected.") from error
    except OSError as error:
        raise DamagedFile(f"{path} cannot be read: {error.strerror}.") from error
    if not text.strip():
        raise DamagedFile(f"{path} is empty; a transform was expected.")
    return text


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises
    ------
    DamagedFile
        The file is missing, no JSON, or holds something else than an object.
    """
    try:
        values = json.loads(read_text(path))
    except ValueError as error:
        raise DamagedFile(f"{path} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise DamagedFile(f"{path} holds no JSON object, so no transform.")
    return values


def read_matrix(path: Path) -> FloatArray:
    """Return the 3 x 3 numbers of a comma-separated file without a header.

    Raises
    ------
    DamagedFile
        There are not three lines of three numbers; the message names the line.
    """
    rows = []
    lines = [(k, line) for k, line in enumerate(read_text(path).splitlines(), 1) if line.strip()]
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
