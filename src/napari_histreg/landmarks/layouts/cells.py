"""Reading tables of text so that every fault can be named by file, line and column."""

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_histreg.errors import DamagedFile, LandmarkError

__all__ = ["Row", "as_number", "as_word", "columns_of", "read_json", "read_rows", "read_text", "same_length"]


@dataclass(frozen=True)
class Row:
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
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DamagedFile(f"{path} does not exist. Check the name.") from error
    except UnicodeDecodeError as error:
        raise LandmarkError(f"{path} is not a text file (UTF-8), so it holds no landmark table.") from error
    except OSError as error:
        raise DamagedFile(f"{path} cannot be read: {error.strerror}.") from error
    if "\0" in text:
        raise LandmarkError(f"{path} is not a text file (UTF-8), so it holds no landmark table.")
    if not text.strip():
        raise LandmarkError(f"{path} is empty; a landmark table was expected.")
    return text


def read_rows(path: Path) -> list[Row]:
    """Return the lines of a comma-separated file that are not blank.

    Raises
    ------
    DamagedFile, LandmarkError
        The file cannot be read, or its columns are not separated by commas.
    """
    text = read_text(path)
    first = text.lstrip().splitlines()[0]
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if mark in first and first.count(mark) >= first.count(","):
            raise LandmarkError(
                f"{path}, line 1: the columns are separated by {name}; save the table with commas "
                "between columns and points in numbers."
            )
    rows, reader = [], csv.reader(text.splitlines(), strict=True)
    try:
        for cells in reader:
            trimmed = tuple(cell.strip() for cell in cells)
            if any(trimmed):
                rows.append(Row(path, reader.line_num, trimmed))
    except csv.Error as error:
        raise LandmarkError(
            f"{path}, line {reader.line_num}: not a comma-separated table ({error})."
        ) from error
    return rows


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises
    ------
    DamagedFile, LandmarkError
        The file cannot be read, is no JSON, or holds something else than an object.
    """
    try:
        values = json.loads(read_text(path))
    except ValueError as error:
        raise LandmarkError(f"{path} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise LandmarkError(f"{path} holds no JSON object, so no landmarks.")
    return values


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
    where = f"{row.path}, line {row.line}, column {name}"
    if column >= len(row.cells) or row.cells[column] == "":
        raise LandmarkError(f"{where}: there is no number. Each pair needs both its points.")
    text = row.cells[column]
    try:
        # Python reads 1_000 as a number; no other tool does.
        value = float("x" if "_" in text else text)
    except ValueError:
        raise LandmarkError(f"{where}: {text!r} is not a number.") from None
    if math.isinf(value) and allow_infinity:
        return math.nan
    if not math.isfinite(value):
        raise LandmarkError(f"{where}: {text!r} is not a finite number. Remove the line or place the point.")
    return value


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
