"""QuPath annotations as a Shapes layer, and a Shapes layer as QuPath annotations."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_histreg.errors import DamagedFile
from napari_histreg.files import written_whole
from napari_histreg.geometry import FloatArray
from napari_histreg.plugin.layers.slides import SLIDE, LayerData
from napari_histreg.plugin.models.tones import ON_SLIDES
from napari_histreg.slides import Slide

if TYPE_CHECKING:
    from napari.layers import Layer, Shapes

__all__ = ["ANNOTATIONS", "annotation_layer", "annotations_file", "is_annotations", "write_annotations"]

ANNOTATIONS = "histreg_annotations"
"""Key in the metadata of a Shapes layer: the file that it shows, and its shapes as they were read."""
MOST_SHOWN = 3000
"""Outlines that napari shows without growing slow; a file is carried whole all the same."""
_OUTLINES = {"Polygon": "polygon", "LineString": "path"}


def is_annotations(path: Path) -> bool:
    """Tell by a file's text whether it is GeoJSON with more than points."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    return '"coordinates"' in text and any(f'"{kind}' in text for kind in ("Polygon", "LineString", "Multi"))


def annotation_layer(path: Path, slide: Slide, affine: Any = None) -> LayerData:
    """Turn a QuPath GeoJSON file into the data of a Shapes layer.

    Parameters
    ----------
    path : Path
        Coordinates in level-0 pixels (x, y), counted from the corner of the first one.
    slide : Slide
        On which they lie.
    affine : (3, 3) array_like, optional
        How that slide lies on the canvas.

    Returns
    -------
    (data, options, "shapes")
        At most 3000 outlines. Features: ``name``, ``class`` and ``feature``, the place of the shape's feature
        in the file.

    Raises
    ------
    DamagedFile
        It is no GeoJSON.
    """
    features = _features(path)
    shapes, kinds, places = [], [], []
    for place, feature in enumerate(features):
        for kind, outline in _outlines(feature.get("geometry") or feature):
            shapes.append(outline)
            kinds.append(kind)
            places.append(place)
    shapes, kinds, places = shapes[:MOST_SHOWN], kinds[:MOST_SHOWN], places[:MOST_SHOWN]
    properties = [features[place].get("properties") or {} for place in places]
    unit = "um" if slide.unit == "um" else "pixel"
    options: dict[str, Any] = {
        "name": path.stem,
        "shape_type": kinds,
        "ndim": 2,
        "scale": slide.world_pixel_size,
        "units": (unit, unit),
        "axis_labels": ("y", "x"),
        "edge_color": ON_SLIDES,
        "face_color": "transparent",
        "edge_width": max(1.0, max(slide.shape) / 400),
        "features": {
            "name": [str(p.get("name") or "") for p in properties],
            "class": [str((p.get("classification") or {}).get("name") or "") for p in properties],
            "feature": places,
        },
        "metadata": {SLIDE: slide, ANNOTATIONS: (str(path), [shape.copy() for shape in shapes])},
    }
    if affine is not None:
        options["affine"] = affine
    return shapes, options, "shapes"


def annotations_file(layer: "Layer") -> str | None:
    """Return the file of which a Shapes layer still shows all that it showed at first; else None."""
    path, read = layer.metadata.get(ANNOTATIONS) or (None, [])
    same = len(layer.data) == len(read) and all(map(np.array_equal, layer.data, read))
    return path if path is not None and same else None


def write_annotations(layer: "Shapes", path: Path) -> int:
    """Write a Shapes layer as GeoJSON, in level-0 pixels of its slide; returns the number of shapes.

    Shapes that were read from a file keep their ids, classes and measurements.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    source = layer.metadata.get(ANNOTATIONS)
    known = _features(Path(source[0])) if source and Path(source[0]).exists() else []
    names = layer.features.get("feature", [])
    found = []
    for k, (outline, kind) in enumerate(zip(layer.data, layer.shape_type, strict=True)):
        place = int(names[k]) if k < len(names) and np.isfinite(names[k]) else -1
        feature = dict(known[place]) if 0 <= place < len(known) else _new_feature()
        feature["geometry"] = _geometry(np.asarray(outline, float)[:, -2:], kind)
        found.append(feature)
    with written_whole(path) as temporary:
        collection = {"type": "FeatureCollection", "features": found}
        temporary.write_text(json.dumps(collection), encoding="utf-8")
    return len(found)


def _features(path: Path) -> list[dict[str, Any]]:
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DamagedFile(f"{path} is no GeoJSON that can be read: {error}.") from error
    listed = values.get("features", [values]) if isinstance(values, dict) else values
    if not isinstance(listed, list) or not all(isinstance(feature, dict) for feature in listed):
        raise DamagedFile(f"{path} is no GeoJSON: it holds no list of features.")
    return listed


def _outlines(geometry: dict[str, Any]) -> Iterator[tuple[str, FloatArray]]:
    """Return the outlines of a geometry as napari draws them: (y, x) of pixel centres, open rings."""
    kind, places = str(geometry.get("type", "")), geometry.get("coordinates", [])
    if kind.startswith("Multi"):
        for part in places:
            yield from _outlines({"type": kind.removeprefix("Multi"), "coordinates": part})
    elif kind == "Polygon":
        for ring in places:
            yield "polygon", _from_corner(ring[:-1])
    elif kind == "LineString":
        yield "path", _from_corner(places)
    elif kind == "Point":
        y, x = _from_corner([places])[0]
        yield "ellipse", np.array([[y - 2, x - 2], [y - 2, x + 2], [y + 2, x + 2], [y + 2, x - 2]])


def _from_corner(places: Any) -> FloatArray:
    return np.asarray([place[:2] for place in places], float)[:, ::-1] - 0.5


def _geometry(outline: FloatArray, kind: str) -> dict[str, Any]:
    if kind == "ellipse":
        centre, (a, b) = outline.mean(0), ((outline[1] - outline[0]) / 2, (outline[3] - outline[0]) / 2)
        angle = np.linspace(0, 2 * np.pi, 65)[:-1, None]
        outline = centre + np.cos(angle) * a + np.sin(angle) * b
    places = (outline[:, ::-1] + 0.5).tolist()
    if kind in ("path", "line"):
        return {"type": "LineString", "coordinates": places}
    return {"type": "Polygon", "coordinates": [[*places, places[0]]]}


def _new_feature() -> dict[str, Any]:
    return {"type": "Feature", "id": str(uuid.uuid4()), "properties": {"objectType": "annotation"}}
