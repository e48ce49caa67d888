import json

import numpy as np
import pytest

from napari_histreg.errors import DamagedFile
from napari_histreg.transforms import Rigid, Similarity, Translation
from napari_histreg.warping.annotations import carry_annotations
from napari_histreg.warping.shapes import PixelMap

# As QuPath writes it: odd spacing, numbers with many digits, keys in its own order, text beyond ASCII.
QUPATH = """{
  "type": "FeatureCollection",
  "features": [
    {
      "type": "Feature",
      "id": "8a7b1c1e-0000-4f4e-9d1b-3a5d2f7e9c11",
      "geometry": {"type": "Polygon", "coordinates":
                   [[[100.0, 200.5], [300, 200.5], [300, 400], [100.0, 200.5]]],
                   "plane": {"c": -1, "z": 0, "t": 0}},
      "properties": {
        "objectType": "annotation", "name": "Tumör \\u00b5", "isLocked": true,
        "classification": {"name": "Tumor", "color": [200, 0, 0]},
        "measurements": {"Area µm^2": 1.0E-7, "coordinates": [[1, 2], [3, 4]], "n": 12345678901234567890},
        "unknown future key": {"geometry": null, "x": [1.50, 2.250]}
      }
    },
    {"type": "Feature", "id": "cell", "geometry": {"type": "Point", "coordinates": [10, 20]},
     "nucleusGeometry": {"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]}, "properties": {}},
    {"type": "Feature", "id": "line", "geometry": {"type": "LineString", "coordinates": [[0, 0], [9, 9]]}},
    {"type": "Feature", "id": "many", "geometry": {"type": "GeometryCollection", "geometries": [
       {"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 0]]]]},
       {"type": "MultiLineString", "coordinates": [[[0, 0], [1, 1]], [[5, 5], [6, 6]]]}]}},
    {"type": "Feature", "id": "ellipse", "geometry": {"type": "Polygon", "isEllipse": true,
       "coordinates": [[[0, 1], [1, 0], [2, 1], [1, 2], [0, 1]]]}},
    {"type": "Feature", "id": "nowhere", "geometry": null}
  ]
}
"""
SHIFT = PixelMap(Translation.of((20, 10)), (1, 1), (1, 1))


def carried(tmp_path, text, pixel_map=SHIFT):
    (tmp_path / "in.geojson").write_text(text, encoding="utf-8")
    count = carry_annotations(tmp_path / "in.geojson", tmp_path / "out.geojson", pixel_map)
    return count, (tmp_path / "out.geojson").read_text(encoding="utf-8")


def numbers(value):
    if isinstance(value, dict):
        return [x for key in ("coordinates", "geometries") for x in numbers(value.get(key, []))]
    if isinstance(value, list):
        return [x for item in value for x in numbers(item)]
    return [float(value)]


def geometries(text):
    found = []
    for feature in json.loads(text)["features"]:
        found += [feature[key] for key in ("geometry", "nucleusGeometry") if feature.get(key)]
    return found


def test_every_geometry_is_moved_and_counted(tmp_path):
    count, text = carried(tmp_path, QUPATH)
    assert count == 7
    for before, after in zip(geometries(QUPATH), geometries(text), strict=True):
        moved = np.reshape(numbers(after), (-1, 2)) - np.reshape(numbers(before), (-1, 2))
        assert np.allclose(moved, (10, 20))


def test_everything_else_stays_byte_for_byte(tmp_path):
    _, text = carried(tmp_path, QUPATH)
    for piece in (
        '"id": "8a7b1c1e-0000-4f4e-9d1b-3a5d2f7e9c11"',
        QUPATH[QUPATH.index('"plane"') : QUPATH.index('{"type": "Feature", "id": "cell"')],
        '{"type": "Feature", "id": "nowhere", "geometry": null}\n  ]\n}\n',
    ):
        assert piece in text


def test_there_and_back_within_a_hundredth_of_a_pixel(tmp_path):
    turned = Similarity.of(scale=0.37, angle_deg=123, mirrored=True, translation=(900, -40))
    _, there = carried(tmp_path, QUPATH, PixelMap(turned, (1, 1), (1, 1)))
    _, back = carried(tmp_path, there, PixelMap(turned.inverse(), (1, 1), (1, 1)))
    for before, after in zip(geometries(QUPATH), geometries(back), strict=True):
        assert np.abs(np.subtract(numbers(before), numbers(after))).max() < 0.01


def test_a_turned_ellipse_becomes_the_outline_it_is(tmp_path):
    assert '"isEllipse": true' in carried(tmp_path, QUPATH)[1]
    assert (
        '"isEllipse": false' in carried(tmp_path, QUPATH, PixelMap(Rigid.of(angle_deg=30), (1, 1), (1, 1)))[1]
    )


@pytest.mark.parametrize(
    "text",
    [
        '[{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}}]',
        '{"coordinates":[1,2],"type":"Point"}',
    ],
)
def test_a_list_or_a_bare_geometry_will_do(tmp_path, text):
    count, out = carried(tmp_path, text)
    assert count == 1
    assert "[11.0,22.0]" in out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("{", "line 1"),
        ('{"type": "FeatureCollection", "features": [\n{"type": "Feature"', "line 2"),
        ('{"type": "Point", "coordinates": ["a", 2]}', "Point"),
        ('{"type": "Polygon", "coordinates": [[1, 2], [3, 4]]}', "Polygon"),
        ('{"type": "Feature", "geometry": {"type": "Blob", "coordinates": [1, 2]}}', "Blob"),
        ('{"type": "Point", "coordinates": [1, 2]} extra', "follows"),
        ('{"type": "Point", "coordinates": [NaN, 2]}', "finite"),
    ],
)
def test_what_is_no_geojson_is_named_with_the_line(tmp_path, text, words):
    (tmp_path / "in.geojson").write_text(text)
    with pytest.raises(DamagedFile, match=words):
        carry_annotations(tmp_path / "in.geojson", tmp_path / "out.geojson", SHIFT)
    assert [path.name for path in tmp_path.iterdir()] == ["in.geojson"]
