"""Xenium Explorer's keypoints: one CSV file, pixels of the morphology image and of the added image."""

from pathlib import Path

import numpy as np

from napari_histreg.landmarks.layouts.cells import as_table, columns_of, read_rows
from napari_histreg.landmarks.layouts.pairs import Pairs

HEADER = ("fixedX", "fixedY", "alignmentX", "alignmentY")


def read(path: Path, moving_path: Path | None) -> Pairs:
    """Read the pairs of a file; `moving_path` is not used."""
    header, *rows = read_rows(path)
    column = columns_of(header, HEADER)
    table = as_table(rows, [(key, column[key]) for key in HEADER])
    return Pairs(table[:, :2], table[:, 2:])


def write(pairs: Pairs, path: Path, moving_path: Path | None) -> None:
    """Write the pairs to a file; `moving_path` is not used."""
    table = np.hstack([pairs.fixed_xy, pairs.moving_xy]).tolist()
    lines = [",".join(map(repr, row)) + "\n" for row in table]
    path.write_text(",".join(HEADER) + "\n" + "".join(lines), encoding="utf-8", newline="\n")
