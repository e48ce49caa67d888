"""The landmarks in a BigWarp project (JSON), world units."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import LandmarkError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.layouts.cells import read_json, same_length
from napari_histreg.landmarks.layouts.pairs import Pairs


def read(path: Path, moving_path: Path | None) -> Pairs:
    """Read the pairs of a project; `moving_path` is not used."""
    values = read_json(path)
    values = values.get("landmarks", values)
    if not isinstance(values, dict) or "fixedPoints" not in values or "movingPoints" not in values:
        raise LandmarkError(f"{path} holds no BigWarp landmarks (fixedPoints and movingPoints).")
    if values.get("numDimensions", 2) != 2:
        raise LandmarkError(
            f"{path}: these are {values['numDimensions']}-dimensional landmarks; slides have two."
        )
    fixed, moving = (_side(path, values[key], key) for key in ("fixedPoints", "movingPoints"))
    same_length(path, len(fixed), path, len(moving))
    active = values.get("active", [True] * len(fixed))
    names = values.get("names", [f"Pt-{k}" for k in range(len(fixed))])
    if len(active) != len(fixed) or len(names) != len(fixed):
        raise LandmarkError(f"{path}: names and active flags are not as many as the points.")
    placed = np.isfinite(fixed).all(1) & np.isfinite(moving).all(1)
    return Pairs(fixed, moving, tuple(map(str, names)), np.array(active, bool) & placed)


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


def _side(path: Path, values: Any, key: str) -> FloatArray:
    try:
        # BigWarp marks a point that is not placed by Infinity, as a word or as a number.
        points = np.array([[float(value) for value in point] for point in values], float).reshape(-1, 2)
    except (TypeError, ValueError) as error:
        raise LandmarkError(f"{path}, {key}: not a list of points (x, y).") from error
    if np.isnan(points).any():
        raise LandmarkError(f"{path}, {key}: a coordinate is NaN.")
    return np.where(np.isinf(points).any(1)[:, None], np.nan, points)
