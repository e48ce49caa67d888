"""The landmarks in a BigWarp project (JSON), world units."""

import json
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ValidationError

from napari_histreg.errors import LandmarkError
from napari_histreg.files.faults import first_fault
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.layouts.cells import read_json, same_length
from napari_histreg.landmarks.layouts.pairs import Pairs


class _Project(BaseModel):
    """What stands in a project; BigWarp writes more, which is not needed."""

    fixedPoints: list[tuple[float, ...]]
    movingPoints: list[tuple[float, ...]]
    numDimensions: int = 2
    active: list[bool] | None = None
    names: list[str] | None = None


def read(path: Path, moving_path: Path | None) -> Pairs:
    """Read the pairs of a project; `moving_path` is not used."""
    values = read_json(path)
    values = values.get("landmarks", values)
    if not isinstance(values, dict) or "fixedPoints" not in values or "movingPoints" not in values:
        raise LandmarkError(f"{path} holds no BigWarp landmarks (fixedPoints and movingPoints).")
    try:
        project = _Project.model_validate(values)
    except ValidationError as error:
        raise LandmarkError(f"{path} is damaged at {first_fault(error)}.") from error
    if project.numDimensions != 2:
        raise LandmarkError(
            f"{path}: these are {project.numDimensions}-dimensional landmarks; slides have two."
        )
    fixed, moving = (
        _side(path, project.fixedPoints, "fixedPoints"),
        _side(path, project.movingPoints, "movingPoints"),
    )
    same_length(path, len(fixed), path, len(moving))
    active = [True] * len(fixed) if project.active is None else project.active
    names = [f"Pt-{k}" for k in range(len(fixed))] if project.names is None else project.names
    if len(active) != len(fixed) or len(names) != len(fixed):
        raise LandmarkError(f"{path}: names and active flags are not as many as the points.")
    placed = np.isfinite(fixed).all(1) & np.isfinite(moving).all(1)
    return Pairs(fixed, moving, tuple(names), np.array(active, bool) & placed)


def write(pairs: Pairs, path: Path, moving_path: Path | None) -> None:
    """Write a project that holds landmarks only; `moving_path` is not used."""
    enabled = np.ones(len(pairs.fixed_xy), bool) if pairs.enabled is None else pairs.enabled
    values = {
        "type": "BigWarpLandmarks",
        "numDimensions": 2,
        "movingPoints": np.where(np.isnan(pairs.moving_xy), np.inf, pairs.moving_xy).tolist(),
        "fixedPoints": np.where(np.isnan(pairs.fixed_xy), np.inf, pairs.fixed_xy).tolist(),
        "active": enabled.tolist(),
        "names": list(pairs.names or ()),
    }
    text = json.dumps({"landmarks": values}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _side(path: Path, points: list[tuple[float, ...]], key: str) -> FloatArray:
    if any(len(point) != 2 for point in points):
        raise LandmarkError(f"{path}, {key}: not a list of points (x, y).")
    array = np.array(points, float).reshape(-1, 2)
    if np.isnan(array).any():
        raise LandmarkError(f"{path}, {key}: a coordinate is NaN.")
    # BigWarp marks a point that is not placed by Infinity, as a word or as a number.
    return np.where(np.isinf(array).any(1)[:, None], np.nan, array)
