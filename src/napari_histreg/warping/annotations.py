"""QuPath annotation files (GeoJSON) carried to another slide, everything but the geometry kept as it is.

The text is edited in place: only the lists of coordinates are replaced, so ids, classes, measurements,
names, lock states, keys that nobody here knows and the way numbers are written stay byte for byte.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from napari_histreg.errors import DamagedFile
from napari_histreg.files import read_text, written_whole
from napari_histreg.warping.shapes import PixelMap, carry_outline

__all__ = ["carry_annotations"]

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODE = json.JSONDecoder().raw_decode
_GEOMETRY_KEYS = ("geometry", "nucleusGeometry")
_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
_DECIMALS = 4
FARTHEST_PX = 1e12

Edit = tuple[int, int, str]


def carry_annotations(
    path: str | Path, output: str | Path, pixel_map: PixelMap, *, tolerance_px: float = 0.25
) -> int:
    """Carry a QuPath GeoJSON file from one slide to another.

    Parameters
    ----------
    path : path-like
        A feature collection, a list of features, one feature or one geometry; coordinates in level-0
        pixels (x, y).
    output : path-like
        The file to write.
    pixel_map : PixelMap
        From the slide that the file belongs to, to the other.
    tolerance_px : float
        How closely edges follow a map that bends, in target pixels.

    Returns
    -------
    int
        Number of geometries carried.

    Raises
    ------
    DamagedFile
        The file is no GeoJSON; the message names the place.
    WriteError
        The output cannot be written.
    """
    text = read_text(path, "annotations (GeoJSON)")
    carrier = _Carrier(text, str(path), pixel_map, tolerance_px)
    edits = carrier.edits()
    with written_whole(output) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        end = 0
        for start, stop, replacement in edits:
            file.write(text[end:start])
            file.write(replacement)
            end = stop
        file.write(text[end:])
    return carrier.count


class _Carrier:
    """Walks the text of one file and notes what to replace where."""

    def __init__(self, text: str, name: str, pixel_map: PixelMap, tolerance_px: float) -> None:
        self.text, self.name, self.pixel_map, self.tolerance_px = text, name, pixel_map, tolerance_px
        self.count = 0

    def edits(self) -> list[Edit]:
        """Return (start, stop, replacement) in order."""
        start = self._skip(0)
        found: list[Edit] = []
        try:
            end = self._feature_or_list(start, found)
        except RecursionError:
            self._fail(start, "the values are nested too deeply")
        if self._skip(end) != len(self.text):
            self._fail(end, "something follows after the end")
        return sorted(found)

    def _feature_or_list(self, start: int, found: list[Edit]) -> int:
        if self.text.startswith("[", start):
            return self._items(start, lambda at: self._feature_or_list(at, found))
        if not self.text.startswith("{", start):
            self._fail(start, "an object or a list of features is expected")
        kind = self._kind(start)
        if kind in _DEPTH or kind == "GeometryCollection":
            return self._geometry(start, found)
        return self._members(start, lambda key, at: self._feature_member(key, at, found))

    def _feature_member(self, key: str, at: int, found: list[Edit]) -> int:
        if key == "features":
            return self._items(at, lambda item: self._feature_or_list(item, found))
        if key in _GEOMETRY_KEYS and self.text.startswith("{", at):
            return self._geometry(at, found)
        return self._value(at)[1]

    def _geometry(self, start: int, found: list[Edit]) -> int:
        """Note the edits of one geometry; returns where it ends."""
        kind = self._kind(start)
        if kind != "GeometryCollection" and kind not in _DEPTH:
            self._fail(start, f"the geometry has the unknown type {kind!r}")

        def member(key: str, at: int) -> int:
            if key == "geometries" and kind == "GeometryCollection":
                return self._items(at, lambda item: self._geometry(item, found))
            value, end = self._value(at)
            if key == "coordinates":
                self.count += 1
                found.append(
                    (at, end, json.dumps(self._carried(value, str(kind), at), separators=(",", ":")))
                )
            elif key == "isEllipse" and value is True and not self.pixel_map.keeps_axes:
                # QuPath rebuilds an ellipse from its box, which a turned one does not fill.
                found.append((at, end, "false"))
            return end

        return self._members(start, member)

    def _carried(self, value: Any, kind: str, at: int) -> Any:
        try:
            return self._nested(value, _DEPTH[kind], outline=kind not in ("Point", "MultiPoint"))
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            self._fail(at, f"the coordinates of the {kind} are not numbers in the right nesting ({error})")

    def _nested(self, value: Any, depth: int, *, outline: bool) -> Any:
        if depth == 0:
            return self._points([value], outline=False)[0]
        if depth == 1:
            return self._points(value, outline=outline) if value else []
        return [self._nested(part, depth - 1, outline=outline) for part in value]

    def _points(self, value: list[list[float]], *, outline: bool) -> list[list[float]]:
        xy = np.array([point[:2] for point in value], float).reshape(-1, 2)
        if not (np.abs(xy) <= FARTHEST_PX).all():
            raise ValueError("a coordinate is not finite, or lies on no slide")
        mapped = (
            carry_outline(xy, self.pixel_map, tolerance_px=self.tolerance_px)
            if outline
            else self.pixel_map(xy)
        )
        rounded: list[list[float]] = np.round(mapped, _DECIMALS).tolist()
        return rounded

    def _kind(self, start: int) -> str | None:
        """Look an object's "type" up."""
        kind = None

        def member(key: str, at: int) -> int:
            nonlocal kind
            value, end = self._value(at)
            if key == "type" and isinstance(value, str):
                kind = value
            return end

        if self.text.startswith("{", start):
            first = re.compile(r'\{\s*"type"\s*:\s*"(\w+)"').match(self.text, start)
            if first:
                return first.group(1)
            self._members(start, member)
        return kind

    def _items(self, start: int, visit: Callable[[int], int]) -> int:
        """Visit the items of a list; returns where it ends."""
        at = self._skip(start + 1)
        if self.text.startswith("]", at):
            return at + 1
        while True:
            at = self._skip(visit(at))
            if self.text.startswith("]", at):
                return at + 1
            at = self._skip(self._after(at, ","))

    def _members(self, start: int, visit: Callable[[str, int], int]) -> int:
        """Visit the members of an object; returns where it ends."""
        if not self.text.startswith("{", start):
            self._fail(start, "an object is expected")
        at = self._skip(start + 1)
        if self.text.startswith("}", at):
            return at + 1
        while True:
            key, at = self._value(at)
            at = self._skip(self._after(self._skip(at), ":"))
            at = self._skip(visit(key, at))
            if self.text.startswith("}", at):
                return at + 1
            at = self._skip(self._after(at, ","))

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            return _DECODE(self.text, at)
        except json.JSONDecodeError as error:
            self._fail(error.pos, error.msg)
        except (ValueError, RecursionError):
            self._fail(at, "a number is too long, or values are nested too deeply")

    def _after(self, at: int, mark: str) -> int:
        if not self.text.startswith(mark, at):
            self._fail(at, f"{mark!r} is expected")
        return at + 1

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def _fail(self, at: int, what: str) -> NoReturn:
        line = self.text.count("\n", 0, at) + 1
        raise DamagedFile(f"{self.name}, line {line}: {what}. It is no GeoJSON that can be carried.")
