"""OME-NGFF coordinate transformations (RFC-5) as JSON, and SpatialData's flavour of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import DamagedFile, UnsupportedDialect
from napari_histreg.geometry import FloatArray
from napari_histreg.progress import Progress
from napari_histreg.transforms.formats.conventions import TransformDialect, from_matrix, to_matrix
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.formats.reading import read_json
from napari_histreg.transforms.transform import Transform

# Where a single transformation may lie within a file's metadata.
WRAPPERS = ("attributes", "ome", "scene", "coordinateTransformations")


def read(
    path: Path, dialect: TransformDialect, fixed: SlideFrame | None, moving: SlideFrame | None
) -> Transform:
    """Read one transformation; its input is the moving slide unless it names the fixed one."""
    values = _unwrapped(path, read_json(path))
    matrix = _matrix(path, values)
    made = from_matrix(matrix, dialect, fixed, moving)
    if fixed is not None and fixed.name and _path_of(values.get("input")) == fixed.name:
        if moving is not None and moving.name == fixed.name:
            return made
        # Written the other way round: the same numbers, with the sides exchanged.
        return from_matrix(matrix, dialect, moving, fixed).inverse()
    return made


def write(
    transform: Transform,
    path: Path,
    dialect: TransformDialect,
    fixed: SlideFrame | None,
    moving: SlideFrame | None,
    progress: Progress,
) -> None:
    """Write one affine transformation."""
    matrix = to_matrix(transform, dialect, fixed, moving)
    sides = {"input": (moving, "moving"), "output": (fixed, "fixed")}
    values: dict[str, Any] = {"type": "affine", "affine": matrix[:2].tolist()}
    for key, (frame, word) in sides.items():
        name = (frame.name if frame is not None else "") or word
        if dialect.name == "spatialdata":
            axes = [{"name": axis, "type": "space", "unit": "pixel"} for axis in dialect.axes]
            values[key] = {"name": name, "axes": axes}
        else:
            values[key] = {"path": name, "name": "physical"}
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8", newline="\n")


def _unwrapped(path: Path, values: Any) -> dict[str, Any]:
    """Return the one transformation in a file, out of the metadata around it."""
    while isinstance(values, dict) and "type" not in values:
        inner = next((values[key] for key in WRAPPERS if key in values), None)
        if isinstance(inner, list):
            if len(inner) != 1:
                raise UnsupportedDialect(
                    f"{path} holds {len(inner)} transformations; put one into a file of its own."
                )
            inner = inner[0]
        if inner is None:
            raise DamagedFile(f'{path} holds no coordinate transformation (an object with a "type").')
        values = inner
    if not isinstance(values, dict):
        raise DamagedFile(f"{path} holds no coordinate transformation.")
    return values


def _path_of(system: Any) -> str:
    """Return what a coordinate system belongs to."""
    if isinstance(system, dict):
        return str(system.get("path", system.get("name", "")))
    return str(system or "")


def _matrix(path: Path, values: dict[str, Any]) -> FloatArray:
    """Return the (3, 3) matrix on (y, x, 1) of a transformation."""
    kind = values.get("type")
    if kind == "identity":
        return np.eye(3)
    if kind == "sequence":
        steps = values.get("transformations", [])
        if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
            raise DamagedFile(f"{path}: the transformations of a sequence are no list of transformations.")
        total = np.eye(3)
        for step in steps:
            total = _matrix(path, step) @ total
        return total
    if kind == "affine" and "affine" in values:
        return _affine(path, values)
    if not isinstance(kind, str):
        raise DamagedFile(f'{path} holds no coordinate transformation (an object with a "type").')
    if kind in ("scale", "translation", "rotation") and kind in values:
        inputs, outputs = _axes(values.get("input")), _axes(values.get("output"))
        if len(inputs) != 2 or len(outputs) != 2:
            raise UnsupportedDialect(f"{path}: a {kind} of other axes than y and x cannot be used.")
        numbers = _array(path, values[kind], (2, 2) if kind == "rotation" else (2,))
        matrix = np.eye(3)
        if kind == "translation":
            matrix[:2, 2] = numbers
        else:
            matrix[:2, :2] = np.diag(numbers) if kind == "scale" else numbers
        return _to_yx(matrix, inputs, outputs)
    raise UnsupportedDialect(
        f"{path}: a transformation of type {kind!r} cannot be used; identity, scale, translation, rotation, "
        "affine and sequences of these can, with their numbers in the JSON."
    )


def _affine(path: Path, values: dict[str, Any]) -> FloatArray:
    """Return an affine on (y, x, 1), its rows and columns picked by the names of the axes."""
    inputs, outputs = _axes(values.get("input")), _axes(values.get("output"))
    table = _array(path, values["affine"], (len(outputs), len(inputs) + 1))
    rows = [outputs.index(axis) for axis in ("y", "x")]
    columns = [*(inputs.index(axis) for axis in ("y", "x")), len(inputs)]
    return np.vstack([table[np.ix_(rows, columns)], [0, 0, 1]])


def _to_yx(matrix: FloatArray, inputs: list[str], outputs: list[str]) -> FloatArray:
    rows = [*(outputs.index(axis) for axis in ("y", "x")), 2]
    columns = [*(inputs.index(axis) for axis in ("y", "x")), 2]
    return np.asarray(matrix[np.ix_(rows, columns)])


def _axes(system: Any) -> list[str]:
    """Return the names of the axes of a coordinate system; y, x where it does not list them."""
    axes = system.get("axes") if isinstance(system, dict) else None
    if not isinstance(axes, list):
        return ["y", "x"]
    names = [str(axis.get("name")) if isinstance(axis, dict) else str(axis) for axis in axes]
    if not {"y", "x"} <= set(names) or "z" in names or len(set(names)) < len(names):
        raise UnsupportedDialect(f"The axes {names} are not those of a plane (y, x).")
    return names


def _array(path: Path, values: Any, shape: tuple[int, ...]) -> FloatArray:
    try:
        array = np.array(values, float)
    except (TypeError, ValueError, OverflowError) as error:
        raise DamagedFile(f"{path}: the transformation holds something else than numbers.") from error
    if array.shape != shape:
        raise DamagedFile(
            f"{path}: the transformation's numbers are {array.shape}, not {shape} as for a plane."
        )
    return array
