"""The layout of BigWarp (Fiji): one CSV file without a header, moving point first, world units."""

from pathlib import Path

import numpy as np

from napari_histreg.errors import LandmarkError
from napari_histreg.landmarks.layouts.cells import as_number, read_rows
from napari_histreg.landmarks.layouts.pairs import Pairs

COLUMNS = ("moving x", "moving y", "fixed x", "fixed y")
FLAGS = {"true": True, "false": False}


def read(path: Path, moving_path: Path | None) -> Pairs:
    """Read the pairs of a file; `moving_path` is not used."""
    names, enabled, numbers = [], [], []
    for row in read_rows(path):
        if len(row.cells) == 8:
            raise LandmarkError(
                f"{path}, line {row.line}: these are three-dimensional landmarks (8 columns); "
                "only those of plane images can be used."
            )
        if len(row.cells) != 6:
            raise LandmarkError(
                f"{path}, line {row.line}: a BigWarp landmark has 6 columns (name, active, moving x, moving "
                f"y, fixed x, fixed y), this line has {len(row.cells)}."
            )
        flag = row.cells[1].casefold()
        if flag not in FLAGS:
            raise LandmarkError(
                f"{path}, line {row.line}, column 2: {row.cells[1]!r} is neither true nor false."
            )
        names.append(row.cells[0])
        enabled.append(FLAGS[flag])
        numbers.append(
            [
                as_number(row, k + 2, f"{k + 3} ({name})", allow_infinity=True)
                for k, name in enumerate(COLUMNS)
            ]
        )
    table = np.array(numbers, float).reshape(-1, 4)
    # A half-placed point is no point.
    moving, fixed = (
        np.where(np.isnan(side).any(1)[:, None], np.nan, side) for side in (table[:, :2], table[:, 2:])
    )
    return Pairs(fixed, moving, tuple(names), np.array(enabled, bool) & np.isfinite(table).all(1))


def write(pairs: Pairs, path: Path, moving_path: Path | None) -> None:
    """Write the pairs to a file; `moving_path` is not used."""
    lines = []
    for k, name in enumerate(pairs.names or ()):
        flag = "true" if pairs.enabled is None or pairs.enabled[k] else "false"
        numbers = [*pairs.moving_xy[k].tolist(), *pairs.fixed_xy[k].tolist()]
        # Java's parser knows no "inf".
        words = [repr(v) if np.isfinite(v) else "Infinity" for v in numbers]
        lines.append(",".join(f'"{word}"' for word in [name.replace('"', '""'), flag, *words]) + "\n")
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
