"""The layout of the ACROBAT challenge: target (fixed) and source (moving) points in a CSV file each, µm."""

from pathlib import Path

import numpy as np

from napari_histreg.errors import LandmarkError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.layouts.cells import as_number, as_word, columns_of, read_rows, same_length
from napari_histreg.landmarks.layouts.pairs import Pairs


def read(path: Path, moving_path: Path | None) -> Pairs:
    """Read fixed points (x_target) from one file and moving points (x_source) from the other."""
    sides = _sides(path, moving_path)
    for file, word in sides:
        count = len(_read_side(file, word))
        if count > 1:
            raise LandmarkError(f"{file} holds {count} cases (anon_id); put each into a file of its own.")
    cases = read_cases(path, moving_path)
    return next(iter(cases.values()), Pairs(_table([]), _table([]), ()))


def read_cases(path: Path, moving_path: Path | None = None) -> dict[str, Pairs]:
    """Read the points of every case (anon_id); one file may hold the columns of both sides."""
    (path, _), (moving_path, _) = sides = _sides(path, moving_path)
    fixed, moving = (_read_side(file, word) for file, word in sides)
    if set(fixed) != set(moving) and len(fixed) == len(moving) == 1:
        # A file for each side of one pair: its number says nothing that the names of the files do not.
        moving = dict(zip(fixed, moving.values(), strict=True))
    odd = sorted(set(fixed) ^ set(moving))
    if odd:
        raise LandmarkError(f"The case (anon_id) {odd[0]} stands in only one of {path} and {moving_path}.")
    return {case: _paired(path, fixed[case], moving_path, moving[case]) for case in fixed}


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


def _sides(path: Path, moving_path: Path | None) -> tuple[tuple[Path, str], tuple[Path, str]]:
    return (path, "target"), (path if moving_path is None else moving_path, "source")


def _paired(
    path: Path, fixed: dict[str, list[float]], moving_path: Path, moving: dict[str, list[float]]
) -> Pairs:
    same_length(path, len(fixed), moving_path, len(moving))
    if set(fixed) != set(moving):
        odd = sorted(set(fixed) ^ set(moving))[0]
        raise LandmarkError(f"The point_id {odd} stands in only one of {path} and {moving_path}.")
    return Pairs(_table(list(fixed.values())), _table([moving[name] for name in fixed]), tuple(fixed))


def _read_side(path: Path, word: str) -> dict[str, dict[str, list[float]]]:
    """Return case → point_id → [x, y]."""
    header, *rows = read_rows(path)
    keys = (f"x_{word}", f"y_{word}")
    column = columns_of(header, ("anon_id", "point_id", *keys))
    cases: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        points = cases.setdefault(as_word(row, column["anon_id"], "anon_id"), {})
        name = as_word(row, column["point_id"], "point_id")
        if name in points:
            raise LandmarkError(f"{path}, line {row.line}, column point_id: {name!r} stands there twice.")
        points[name] = [as_number(row, column[key], key) for key in keys]
    return cases


def _table(points: list[list[float]]) -> FloatArray:
    return np.array(points, float).reshape(-1, 2)
