"""Points in QuPath's GeoJSON: a file for each side, level-0 pixels from the corner."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, FiniteFloat, TypeAdapter, ValidationError

from napari_histreg.errors import LandmarkError
from napari_histreg.files.faults import first_fault
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.layouts.cells import read_json, same_length
from napari_histreg.landmarks.layouts.pairs import Pairs


def read(path: Path, moving_path: Path | None) -> Pairs:
    """Read both sides; points pair by name where both sides have the same names, else by order."""
    moving_path = path if moving_path is None else moving_path
    (names, fixed), (other, moving) = _read_side(path), _read_side(moving_path)
    same_length(path, len(fixed), moving_path, len(moving))
    if len(set(names)) == len(names) and set(names) == set(other):
        places = {name: k for k, name in enumerate(other)}
        moving = moving[[places[name] for name in names]]
    return Pairs(fixed, moving, names)


def write(pairs: Pairs, path: Path, moving_path: Path | None) -> None:
    """Write an annotation with a point for each pair, named like the pair."""
    for side, points in ((path, pairs.fixed_xy), (moving_path, pairs.moving_xy)):
        if side is None:
            continue
        features = [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": point},
                "properties": {"objectType": "annotation", "name": name},
            }
            for point, name in zip(points.tolist(), pairs.names or (), strict=True)
        ]
        values = {"type": "FeatureCollection", "features": features}
        side.write_text(
            json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n"
        )


class _Geometry(BaseModel):
    type: str
    coordinates: Any = None


class _Feature(BaseModel):
    geometry: _Geometry | None = None
    properties: dict[str, Any] | None = None


_Point = TypeAdapter(tuple[FiniteFloat, FiniteFloat])


def _read_side(path: Path) -> tuple[tuple[str, ...], FloatArray]:
    values = read_json(path)
    features = values.get("features") if values.get("type") == "FeatureCollection" else [values]
    if not isinstance(features, list):
        raise LandmarkError(f"{path} is no GeoJSON: it has no list of features.")
    names, points = [], []
    for k, feature in enumerate(features, 1):
        try:
            for name, point in _points(_Feature.model_validate(feature)):
                names.append(name)
                points.append(point)
        except ValidationError as error:
            raise LandmarkError(f"{path}, feature {k}: not a point (x, y): {first_fault(error)}.") from error
    return tuple(names), np.array(points, float).reshape(-1, 2)


def _points(feature: _Feature) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the points of a feature, with its name; other shapes are left out."""
    geometry = feature.geometry
    if geometry is None or geometry.type not in ("Point", "MultiPoint"):
        return
    several = [geometry.coordinates] if geometry.type == "Point" else geometry.coordinates
    name = (feature.properties or {}).get("name")
    for point in _List.validate_python(several):
        yield str(name or ""), _Point.validate_python(point[:2] if isinstance(point, list) else point)


_List = TypeAdapter(list[Any])
