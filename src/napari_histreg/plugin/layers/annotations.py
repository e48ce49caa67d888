"""QuPath annotations as a Shapes layer, and a Shapes layer as QuPath annotations."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_histreg.errors import DamagedFile
from napari_histreg.files import written_whole
from napari_histreg.geometry import FloatArray
from napari_histreg.plugin.layers.annotation_edits import Drawn, edited_features, outlines
from napari_histreg.plugin.layers.slides import SLIDE, LayerData
from napari_histreg.plugin.models.tones import ON_SLIDES
from napari_histreg.slides import Slide

if TYPE_CHECKING:
    from napari.layers import Layer, Shapes

__all__ = ["ANNOTATIONS", "annotation_layer", "annotations_file", "is_annotations", "write_annotations"]

ANNOTATIONS = "histreg_annotations"
"""Key in the metadata of a Shapes layer: the file that it shows, its shapes as they were read, and how many
of the file's features they are."""
FEATURE, OUTLINE = "feature", "outline"
"""Columns of the layer: the place of a shape's feature in the file, and which of its outlines it is."""
MOST_SHOWN = 3000
"""Outlines that napari shows without growing slow; a file is carried whole all the same."""


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
        At most 3000 outlines; where the file holds more, the name of the layer says how many features are
        shown. Columns: ``name``, ``class``, and the place of the shape's feature in the file and of the
        outline in the feature.

    Raises
    ------
    DamagedFile
        It is no GeoJSON.
    """
    features = _features(path)
    shapes: list[FloatArray] = []
    kinds, places, numbers, shown = [], [], [], 0
    for place, feature in enumerate(features):
        found = outlines(feature)
        # Whole features only: half of one could not be told from one that was cut.
        if shapes and len(shapes) + len(found) > MOST_SHOWN:
            break
        shown = place + 1
        for number, (kind, outline) in enumerate(found):
            shapes.append(outline)
            kinds.append(kind)
            places.append(place)
            numbers.append(number)
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
            FEATURE: places,
            OUTLINE: numbers,
        },
        # What is drawn is new, whatever was read last.
        "feature_defaults": {"name": "", "class": "", FEATURE: -1, OUTLINE: -1},
        "metadata": {SLIDE: slide, ANNOTATIONS: (str(path), [shape.copy() for shape in shapes], shown)},
    }
    if shown < len(features):
        options["name"] = f"{path.stem} (first {shown:,} of {len(features):,})"
    if affine is not None:
        options["affine"] = affine
    return shapes, options, "shapes"


def annotations_file(layer: "Layer") -> str | None:
    """Return the file of which a Shapes layer still shows all that it showed at first; else None."""
    path, read, _ = layer.metadata.get(ANNOTATIONS) or (None, [], 0)
    same = len(layer.data) == len(read) and all(map(np.array_equal, layer.data, read))
    return path if path is not None and same else None


def write_annotations(layer: "Shapes", path: Path) -> int:
    """Write a Shapes layer as GeoJSON, in level-0 pixels of its slide; returns the number of features.

    What was read from a file keeps its ids, classes and measurements, and what the layer was too small to
    show is written as it was.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    file, _, shown = layer.metadata.get(ANNOTATIONS) or ("", [], 0)
    known = _features(Path(file)) if file and Path(file).exists() else []
    places, numbers = (np.asarray(layer.features.get(column, []), float) for column in (FEATURE, OUTLINE))
    drawn = [
        Drawn(_whole(places, k), _whole(numbers, k), np.asarray(outline, float)[:, -2:], kind)
        for k, (outline, kind) in enumerate(zip(layer.data, layer.shape_type, strict=True))
    ]
    found = edited_features(known, shown, drawn)
    with written_whole(path) as temporary:
        collection = {"type": "FeatureCollection", "features": found}
        temporary.write_text(json.dumps(collection), encoding="utf-8")
    return len(found)


def _whole(column: FloatArray, k: int) -> int:
    """Return a row's number, -1 where it has none."""
    return int(column[k]) if k < len(column) and np.isfinite(column[k]) else -1


def _features(path: Path) -> list[dict[str, Any]]:
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DamagedFile(f"{path} is no GeoJSON that can be read: {error}.") from error
    listed = values.get("features", [values]) if isinstance(values, dict) else values
    if not isinstance(listed, list) or not all(isinstance(feature, dict) for feature in listed):
        raise DamagedFile(f"{path} is no GeoJSON: it holds no list of features.")
    return listed
