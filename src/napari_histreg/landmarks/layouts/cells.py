"""Reading tables of text so that every fault can be named by file, line and column."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_histreg.errors import LandmarkError
from napari_histreg.files import read_json as read_object
from napari_histreg.files import read_text as read_whole_text
from napari_histreg.geometry import FloatArray

__all__ = [
    "Row",
    "as_number",
    "as_table",
    "as_word",
    "columns_of",
    "read_json",
    "read_rows",
    "read_text",
    "same_length",
]


class Row(NamedTuple):
    """One line of a table.

    Parameters
    ----------
    path : Path
        The file it comes from, for messages.
    line : int
        Line number, from 1.
    cells : tuple of str
        Without surrounding blanks.
    """

    path: Path
    line: int
    cells: tuple[str, ...]


def read_text(path: Path) -> str:
    """Return a text file's content; a byte order mark is dropped.

    Raises
    ------
    DamagedFile
        The file is missing, a folder, or not to be read.
    LandmarkError
        The file is empty or no text.
    """
    return read_whole_text(path, "a landmark table", error=LandmarkError)


def read_rows(path: Path) -> list[Row]:
    """Return the lines of a comma-separated file that are not blank.

    Raises
    ------
    DamagedFile, LandmarkError
        The file cannot be read, or its columns are not separated by commas.
    """
    text = read_text(path)
    first = text.lstrip().partition("\n")[0]
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if mark in first and first.count(mark) >= first.count(","):
            raise LandmarkError(
                f"{path}, line 1: the columns are separated by {name}; save the table with commas "
                "between columns and points in numbers."
            )
    rows, reader = [], csv.reader(text.splitlines(), strict=True)
    try:
        for cells in reader:
            trimmed = tuple(map(str.strip, cells))
            if any(trimmed):
                rows.append(Row(path, reader.line_num, trimmed))
    except csv.Error as error:
        raise LandmarkError(
            f"{path}, line {reader.line_num}: not a comma-separated table ({error})."
        ) from error
    return rows


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; NaN and Infinity, which some tools write, are numbers in it.

    Raises
    ------
    DamagedFile, LandmarkError
        The file cannot be read, is no JSON, or holds something else than an object.
    """
    return read_object(path, "a landmark table", infinite=True, error=LandmarkError)


def columns_of(header: Row, wanted: tuple[str, ...]) -> dict[str, int]:
    """Find columns by name; upper and lower case are alike.

    Raises
    ------
    LandmarkError
        A column is missing or stands twice.
    """
    found = [cell.strip('" ').casefold() for cell in header.cells]
    missing = [name for name in wanted if name.casefold() not in found]
    if missing:
        raise LandmarkError(
            f"{header.path}, line {header.line}: the column {', '.join(missing)} is missing; "
            f"the header must hold {','.join(wanted)}."
        )
    twice = [name for name in wanted if found.count(name.casefold()) > 1]
    if twice:
        raise LandmarkError(f"{header.path}, line {header.line}: the column {twice[0]} stands there twice.")
    return {name: found.index(name.casefold()) for name in wanted}


def as_number(row: Row, column: int, name: str, *, allow_infinity: bool = False) -> float:
    """Return a cell as a finite number.

    Parameters
    ----------
    row : Row
    column : int
        Place of the cell, from 0.
    name : str
        Of the column, for messages.
    allow_infinity : bool
        Give NaN for a cell that says "Infinity", the layout's word for a point that is not placed.

    Raises
    ------
    LandmarkError
        The cell is missing, empty, a word, NaN or infinite; the message names file, line and column.
    """
    cells = row.cells
    text = cells[column] if column < len(cells) else ""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # Python reads 1_000 as a number; no other tool does.
    if value - value == 0 and "_" not in text:
        return value
    if math.isinf(value) and allow_infinity:
        return math.nan
    where = f"{row.path}, line {row.line}, column {name}"
    if text == "":
        raise LandmarkError(f"{where}: there is no number. Each pair needs both its points.")
    if math.isinf(value) or text.lower().lstrip("+-") == "nan":
        raise LandmarkError(
            f"{where}: {text[:40]!r} is not a finite number. Remove the line or place the point."
        )
    raise LandmarkError(f"{where}: {text[:40]!r} is not a number.")


def as_table(rows: Sequence[Row], columns: Sequence[tuple[str, int]]) -> FloatArray:
    """Return columns as finite numbers, (N, C) float64; quick where all is well.

    Parameters
    ----------
    rows : sequence of Row
    columns : sequence of (str, int)
        Name, for messages, and place of each column.

    Raises
    ------
    LandmarkError
        As `as_number`.
    """
    out = np.empty((len(rows), len(columns)))
    for k, (name, place) in enumerate(columns):
        try:
            cells = [row.cells[place] for row in rows]
            out[:, k] = list(map(float, cells))
            quick = "_" not in "".join(cells) and bool(np.isfinite(out[:, k]).all())
        except (ValueError, IndexError):
            quick = False
        if not quick:
            # Slower, and says what is wrong where.
            out[:, k] = [as_number(row, place, name) for row in rows]
    return out


def as_word(row: Row, column: int, name: str) -> str:
    """Return a cell that must not be empty.

    Raises
    ------
    LandmarkError
        The cell is missing or empty; the message names file, line and column.
    """
    if column >= len(row.cells) or row.cells[column] == "":
        raise LandmarkError(f"{row.path}, line {row.line}, column {name}: the cell is empty.")
    return row.cells[column]


def same_length(fixed_path: Path, fixed: int, moving_path: Path, moving: int) -> None:
    """Refuse two files with unequal numbers of points.

    Raises
    ------
    LandmarkError
        The numbers differ.
    """
    if fixed != moving:
        raise LandmarkError(
            f"{fixed_path} has {fixed} points and {moving_path} has {moving}; "
            "points pair by order, so the counts must be equal."
        )
