"""The layout of the ACROBAT challenge: target (fixed) and source (moving) points in a CSV file each, µm."""

from pathlib import Path

import numpy as np

from napari_histreg.errors import LandmarkError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.layouts.cells import as_number, columns_of, read_rows, same_length
from napari_histreg.landmarks.layouts.pairs import Pairs


def read(path: Path, moving_path: Path | None) -> Pairs:
    """Read fixed points (x_target) from one file and moving points (x_source) from the other."""
    moving_path = path if moving_path is None else moving_path
    fixed, moving = _read_side(path, "target"), _read_side(moving_path, "source")
    same_length(path, len(fixed), moving_path, len(moving))
    if set(fixed) != set(moving):
        odd = sorted(set(fixed) ^ set(moving))[0]
        raise LandmarkError(f"The point_id {odd} stands in only one of {path} and {moving_path}.")
    names = tuple(fixed)
    order = [moving[name] for name in names]
    return Pairs(_table(list(fixed.values())), _table(order), names)


def write(pairs: Pairs, path: Path, moving_path: Path | None) -> None:
    """Write the fixed points to one file and the moving points to the other; the case is 0."""
    target = [f"0,{k},{x!r},{y!r}\n" for k, (x, y) in enumerate(pairs.fixed_xy.tolist(), 1)]
    path.write_text("anon_id,point_id,x_target,y_target\n" + "".join(target), encoding="utf-8", newline="\n")
    if moving_path is not None:
        source = [
            f"0,{k},{pairs.moving_mpp!r},{x!r},{y!r},{pairs.fixed_mpp!r}\n"
            for k, (x, y) in enumerate(pairs.moving_xy.tolist(), 1)
        ]
        header = "anon_id,point_id,mpp_source,x_source,y_source,mpp_target\n"
        moving_path.write_text(header + "".join(source), encoding="utf-8", newline="\n")


def _read_side(path: Path, word: str) -> dict[str, list[float]]:
    header, *rows = read_rows(path)
    keys = (f"x_{word}", f"y_{word}")
    column = columns_of(header, ("anon_id", "point_id", *keys))
    cases = {row.cells[column["anon_id"]] for row in rows}
    if len(cases) > 1:
        raise LandmarkError(f"{path} holds {len(cases)} cases (anon_id); put each into a file of its own.")
    points: dict[str, list[float]] = {}
    for row in rows:
        name = row.cells[column["point_id"]]
        if name in points:
            raise LandmarkError(f"{path}, line {row.line}, column point_id: {name!r} stands there twice.")
        points[name] = [as_number(row, column[key], key) for key in keys]
    return points


def _table(points: list[list[float]]) -> FloatArray:
    return np.array(points, float).reshape(-1, 2)
