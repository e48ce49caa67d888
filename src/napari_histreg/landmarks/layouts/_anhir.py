"""The layout of ANHIR and BIRL: one CSV file for each image, index, X and Y, pixels of that image."""

from pathlib import Path

from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.layouts.cells import as_table, columns_of, read_rows, same_length
from napari_histreg.landmarks.layouts.pairs import Pairs


def read(path: Path, moving_path: Path | None) -> Pairs:
    """Read the fixed points from one file and the moving points from the other; they pair by order."""
    moving_path = path if moving_path is None else moving_path
    (names, fixed), (_, moving) = _read_side(path), _read_side(moving_path)
    same_length(path, len(fixed), moving_path, len(moving))
    return Pairs(fixed, moving, names)


def write(pairs: Pairs, path: Path, moving_path: Path | None) -> None:
    """Write the fixed points to one file and the moving points to the other."""
    for side, points in ((path, pairs.fixed_xy), (moving_path, pairs.moving_xy)):
        if side is not None:
            lines = [f"{k + 1},{x!r},{y!r}\n" for k, (x, y) in enumerate(points.tolist())]
            side.write_text(",X,Y\n" + "".join(lines), encoding="utf-8", newline="\n")


def _read_side(path: Path) -> tuple[tuple[str, ...] | None, FloatArray]:
    header, *rows = read_rows(path)
    column = columns_of(header, ("X", "Y"))
    points = as_table(rows, [(key, column[key]) for key in ("X", "Y")])
    names = tuple(row.cells[0] for row in rows) if 0 not in column.values() else None
    return names, points
