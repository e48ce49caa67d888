"""napari's own points CSV: a file for each side, row before column, in the layer's data coordinates."""

from pathlib import Path

from napari_histreg.errors import LandmarkError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.layouts.cells import as_table, columns_of, read_rows, same_length
from napari_histreg.landmarks.layouts.pairs import Pairs


def read(path: Path, moving_path: Path | None) -> Pairs:
    """Read the fixed points from one file and the moving points from the other; they pair by order."""
    moving_path = path if moving_path is None else moving_path
    fixed, moving = _read_side(path), _read_side(moving_path)
    same_length(path, len(fixed), moving_path, len(moving))
    return Pairs(fixed, moving)


def write(pairs: Pairs, path: Path, moving_path: Path | None) -> None:
    """Write the fixed points to one file and the moving points to the other."""
    for side, points in ((path, pairs.fixed_xy), (moving_path, pairs.moving_xy)):
        if side is not None:
            lines = [f"{k},{y!r},{x!r}\n" for k, (x, y) in enumerate(points.tolist())]
            side.write_text("index,axis-0,axis-1\n" + "".join(lines), encoding="utf-8", newline="\n")


def _read_side(path: Path) -> FloatArray:
    header, *rows = read_rows(path)
    if "axis-2" in [cell.casefold() for cell in header.cells]:
        raise LandmarkError(
            f"{path}, line {header.line}: these points have three axes or more; slides have two."
        )
    column = columns_of(header, ("axis-0", "axis-1"))
    return as_table(rows, [(key, column[key]) for key in ("axis-1", "axis-0")])
