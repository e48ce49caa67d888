"""Annotations as a person has edited them: outlines taken from GeoJSON features, and put back into them."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_histreg.geometry import FloatArray

__all__ = ["Drawn", "edited_features", "outlines"]

_PARTS = ("Polygon", "LineString", "Point")
_MARK_PX = 2.0
"""Half the side of the mark that stands for a point."""

Feature = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Drawn:
    """One shape as it lies on the canvas now.

    Parameters
    ----------
    feature, number : int
        The place of its feature in the file, and which of that feature's outlines it is; -1 where it is new.
    outline : (N, 2) ndarray
        (y, x) in pixels; pixel centres.
    kind : str
        As napari calls it: "polygon", "path", "ellipse", …
    """

    feature: int
    number: int
    outline: FloatArray
    kind: str


def outlines(feature: Mapping[str, Any]) -> list[tuple[str, FloatArray]]:
    """Return the outlines of a feature as napari draws them: (y, x) of pixel centres, open rings.

    Parameters
    ----------
    feature : mapping
        A GeoJSON feature, or a geometry by itself.

    Examples
    --------
    >>> square = [[0.5, 0.5], [4.5, 0.5], [4.5, 4.5], [0.5, 0.5]]
    >>> [(kind, len(outline)) for kind, outline in outlines({"type": "Polygon", "coordinates": [square]})]
    [('polygon', 3)]
    """
    found: list[tuple[str, FloatArray]] = []
    for part, places in _parts(_geometry_of(feature)):
        if part == "Polygon":
            found += [("polygon", _from_corner(ring[:-1])) for ring in places]
        elif part == "LineString":
            found.append(("path", _from_corner(places)))
        else:
            mark = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * _MARK_PX
            found.append(("ellipse", mark + _from_corner([places])))
    return found


def edited_features(known: Sequence[Feature], shown: int, drawn: Sequence[Drawn]) -> list[Feature]:
    """Put outlines that may have been edited back into their features.

    Parameters
    ----------
    known : sequence of dict
        The features of the file.
    shown : int
        How many of them, from the first, were drawn at all; the others stay as they are.
    drawn : sequence of Drawn
        The shapes as they lie now. A feature none of whose outlines is left has been deleted; shapes that
        are no outline of a feature, or are one for the second time, become features of their own.

    Returns
    -------
    list of dict
        Features that were not touched are the same objects.
    """
    kept: dict[int, dict[int, Drawn]] = {}
    new: list[Feature] = []
    for shape in drawn:
        known_as = kept.setdefault(shape.feature, {}) if 0 <= shape.feature < min(shown, len(known)) else None
        if known_as is None:
            new.append(_new_feature(shape))
        elif shape.number in known_as or shape.number < 0:
            new.append(_new_feature(shape, like=known[shape.feature]))
        else:
            known_as[shape.number] = shape
    found: list[Feature | None] = []
    for place, feature in enumerate(known):
        first = outlines(feature) if place < shown else []
        if not first:
            found.append(feature)
        elif place in kept:
            found.append(_edited(feature, first, kept[place]))
    return [feature for feature in found if feature is not None] + new


def _edited(feature: Feature, first: list[tuple[str, FloatArray]], now: dict[int, Drawn]) -> Feature | None:
    same = len(now) == len(first) and all(
        number in now and np.array_equal(now[number].outline, outline)
        for number, (_, outline) in enumerate(first)
    )
    if same:
        return feature
    geometry = _geometry_of(feature)
    number, parts = 0, []
    for part, places in _parts(geometry):
        rings = len(places) if part == "Polygon" else 1
        mine = [now.get(k) for k in range(number, number + rings)]
        number += rings
        # Without its outer ring, the holes of a polygon are holes in nothing.
        if mine[0] is not None:
            parts.append(_coordinates(part, [shape for shape in mine if shape is not None]))
    if not parts:
        return None
    kind = str(geometry["type"])
    if len(parts) > 1 or kind.startswith("Multi"):
        changed = {"type": kind, "coordinates": parts}
    else:
        changed = {"type": kind, "coordinates": parts[0]}
    return {**feature, "geometry": changed} if "geometry" in feature else changed


def _coordinates(part: str, shapes: list[Drawn]) -> Any:
    if part == "Point":
        return (shapes[0].outline.mean(0)[::-1] + 0.5).tolist()
    if part == "LineString":
        return _to_corner(shapes[0].outline)
    return [_ring(shape) for shape in shapes]


def _ring(shape: Drawn) -> list[list[float]]:
    outline = shape.outline
    if shape.kind == "ellipse":
        centre, (a, b) = outline.mean(0), ((outline[1] - outline[0]) / 2, (outline[3] - outline[0]) / 2)
        angle = np.linspace(0, 2 * np.pi, 65)[:-1, None]
        outline = centre + np.cos(angle) * a + np.sin(angle) * b
    places = _to_corner(outline)
    return [*places, places[0]]


def _new_feature(shape: Drawn, like: Mapping[str, Any] | None = None) -> Feature:
    """Return a feature of a shape's own; a copy is of the same class, but what was measured is not its."""
    geometry: dict[str, Any] = {"type": "Polygon", "coordinates": [_ring(shape)]}
    if shape.kind in ("path", "line"):
        geometry = {"type": "LineString", "coordinates": _to_corner(shape.outline)}
    properties = {"objectType": "annotation"}
    told = {} if like is None else like.get("properties") or {}
    properties |= {k: told[k] for k in ("objectType", "name", "classification") if k in told}
    return {"type": "Feature", "id": str(uuid.uuid4()), "geometry": geometry, "properties": properties}


def _geometry_of(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    return feature.get("geometry") or (feature if "coordinates" in feature else {})


def _parts(geometry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Take a geometry apart: (kind, coordinates) of each part."""
    kind, places = str(geometry.get("type", "")), geometry.get("coordinates", [])
    if kind.startswith("Multi"):
        for part in places:
            yield from _parts({"type": kind.removeprefix("Multi"), "coordinates": part})
    elif kind in _PARTS:
        yield kind, places


def _from_corner(places: Any) -> FloatArray:
    return np.asarray([place[:2] for place in places], float)[:, ::-1] - 0.5


def _to_corner(outline: FloatArray) -> list[list[float]]:
    found: list[list[float]] = (outline[:, ::-1] + 0.5).tolist()
    return found
