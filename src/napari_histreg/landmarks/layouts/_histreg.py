"""The layout of this package: one CSV file with a header, level-0 pixels."""

from pathlib import Path

import numpy as np

from napari_histreg.errors import LandmarkError
from napari_histreg.landmarks.layouts.cells import Row, as_table, columns_of, read_rows
from napari_histreg.landmarks.layouts.pairs import Pairs

HEADER = ("name", "enabled", "fixed_x_px", "fixed_y_px", "moving_x_px", "moving_y_px")
FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def read(path: Path, moving_path: Path | None) -> Pairs:
    """Read the pairs of a file; `moving_path` is not used."""
    header, *rows = read_rows(path)
    column = columns_of(header, HEADER)
    names: dict[str, int] = {}
    enabled = []
    for row in rows:
        name = _cell(row, column["name"], "name")
        if name in names:
            raise LandmarkError(
                f"{path}, line {row.line}, column name: {name!r} is already the name of line {names[name]}."
            )
        names[name] = row.line
        flag = _cell(row, column["enabled"], "enabled").casefold()
        if flag not in FLAGS:
            raise LandmarkError(
                f"{path}, line {row.line}, column enabled: {flag!r} is neither true nor false."
            )
        enabled.append(FLAGS[flag])
    table = as_table(rows, [(key, column[key]) for key in HEADER[2:]])
    return Pairs(table[:, :2], table[:, 2:], tuple(names), np.array(enabled, bool))


def write(pairs: Pairs, path: Path, moving_path: Path | None) -> None:
    """Write the pairs to a file; `moving_path` is not used."""
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for k, name in enumerate(pairs.names or ()):
            flag = "true" if pairs.enabled is None or pairs.enabled[k] else "false"
            numbers = [*pairs.fixed_xy[k].tolist(), *pairs.moving_xy[k].tolist()]
            writer.writerow([name, flag, *map(repr, numbers)])


def _cell(row: Row, place: int, name: str) -> str:
    if place >= len(row.cells) or row.cells[place] == "":
        raise LandmarkError(f"{row.path}, line {row.line}, column {name}: the cell is empty.")
    return row.cells[place]
