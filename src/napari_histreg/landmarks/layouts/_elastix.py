"""Point sets of elastix, transformix and ITK: a text file for each side."""

import re
from pathlib import Path
from typing import Literal

import numpy as np

from napari_histreg.errors import LandmarkError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.layouts.cells import Row, as_number, read_text, same_length
from napari_histreg.landmarks.layouts.pairs import Pairs

UNITS: dict[str, Literal["px", "world"]] = {"point": "world", "index": "px"}


def read(path: Path, moving_path: Path | None) -> Pairs:
    """Read the fixed points from one file and the moving points from the other; they pair by order."""
    moving_path = path if moving_path is None else moving_path
    (unit, fixed), (moving_unit, moving) = _read_side(path), _read_side(moving_path)
    if unit != moving_unit:
        raise LandmarkError(f'{path} and {moving_path} must both begin with "point", or both with "index".')
    same_length(path, len(fixed), moving_path, len(moving))
    return Pairs(fixed, moving, unit=unit)


def write(pairs: Pairs, path: Path, moving_path: Path | None) -> None:
    """Write the fixed points to one file and the moving points to the other, in world units."""
    for side, points in ((path, pairs.fixed_xy), (moving_path, pairs.moving_xy)):
        if side is not None:
            lines = [f"{x!r} {y!r}\n" for x, y in points.tolist()]
            side.write_text(f"point\n{len(points)}\n" + "".join(lines), encoding="utf-8", newline="\n")


def _read_side(path: Path) -> tuple[Literal["px", "world"], FloatArray]:
    rows = [
        Row(path, k, tuple(line.split()))
        for k, line in enumerate(read_text(path).splitlines(), 1)
        if line.strip()
    ]
    word = rows[0].cells[0].casefold()
    if word not in UNITS:
        raise LandmarkError(f'{path}, line {rows[0].line}: a point set begins with "point" or "index".')
    if len(rows) < 2 or not re.fullmatch("[0-9]{1,12}", rows[1].cells[0]):
        raise LandmarkError(f"{path}, line 2: the number of points should stand here.")
    points = []
    for row in rows[2:]:
        if len(row.cells) == 3:
            raise LandmarkError(
                f"{path}, line {row.line}: three coordinates; only points of planes can be used."
            )
        points.append([as_number(row, k, name) for k, name in enumerate("xy")])
    if len(points) != int(rows[1].cells[0]):
        raise LandmarkError(
            f"{path}, line {rows[1].line}: {rows[1].cells[0]} points are announced, and {len(points)} follow."
        )
    return UNITS[word], np.array(points, float).reshape(-1, 2)
