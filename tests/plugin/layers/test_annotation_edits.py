"""Edited annotations: what was touched is written as it lies now, all else as it was."""

import json

import numpy as np
from napari.layers import Layer

from napari_histreg.plugin.layers import annotations
from napari_histreg.plugin.layers.annotation_edits import Drawn, edited_features, outlines
from napari_histreg.slides import open_slide


def square(at, side=10.0):
    y, x = at
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def feature(number, kind, coordinates):
    properties = {"classification": {"name": "Tumor"}, "measurements": {"Area": float(number)}}
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "id": f"id {number}", "geometry": geometry, "properties": properties}


FEATURES = [
    feature(0, "Polygon", [square((0, 0), 40.0), square((10, 10))]),
    feature(1, "MultiPolygon", [[square((50, 0))], [square((50, 30)), square((52, 32), 4.0)]]),
    feature(2, "Point", [70.5, 80.5]),
    feature(3, "LineString", [[1.5, 1.5], [9.5, 9.5]]),
    {"type": "Feature", "id": "id 4", "geometry": None, "properties": {}},
    feature(5, "Polygon", [square((90, 90))]),
]


def drawn(features):
    return [
        Drawn(place, number, outline, kind)
        for place, one in enumerate(features)
        for number, (kind, outline) in enumerate(outlines(one))
    ]


def moved(shape, by):
    return Drawn(shape.feature, shape.number, shape.outline + by, shape.kind)


def test_what_is_not_touched_stays_what_it_was():
    assert edited_features(FEATURES, len(FEATURES), drawn(FEATURES)) == FEATURES


def test_a_moved_hole_stays_a_hole_and_a_moved_point_a_point():
    shapes = drawn(FEATURES)
    shapes[1], shapes[5] = moved(shapes[1], 2.0), moved(shapes[5], (3.0, 0.0))
    found = edited_features(FEATURES, len(FEATURES), shapes)
    assert [f["id"] for f in found] == [f["id"] for f in FEATURES]
    outer, hole = found[0]["geometry"]["coordinates"]
    assert outer == FEATURES[0]["geometry"]["coordinates"][0]
    np.testing.assert_allclose(hole, np.add(square((10, 10)), 2.0))
    assert found[2]["geometry"] == {"type": "Point", "coordinates": [70.5, 83.5]}
    assert found[0]["properties"] == FEATURES[0]["properties"]
    assert found[1] == FEATURES[1]


def test_deleted_outlines_leave_and_copies_get_an_id_but_no_measurements():
    shapes = drawn(FEATURES)
    copy = moved(shapes[-1], 20.0)
    # The second part of feature 1 with its hole, all of feature 3.
    gone = {(1, 1), (1, 2), (3, 0)}
    kept = [shape for shape in shapes if (shape.feature, shape.number) not in gone]
    found = edited_features(
        FEATURES, len(FEATURES), [*kept, copy, Drawn(-1, -1, shapes[0].outline, "polygon")]
    )
    assert [f["id"] for f in found[:5]] == ["id 0", "id 1", "id 2", "id 4", "id 5"]
    assert found[1]["geometry"] == {"type": "MultiPolygon", "coordinates": [[square((50, 0))]]}
    copied, new = found[5:]
    assert copied["properties"] == {"objectType": "annotation", "classification": {"name": "Tumor"}}
    assert len({copied["id"], new["id"], "id 5"}) == 3


def test_more_than_can_be_shown_is_written_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(annotations, "MOST_SHOWN", 5)
    many = [feature(k, "Polygon", [square((k, k)), square((k + 3, k + 3), 2.0)]) for k in range(6)]
    source = tmp_path / "cells.geojson"
    source.write_text(json.dumps({"type": "FeatureCollection", "features": many}))
    slide = open_slide(np.zeros((64, 64), np.uint8), pixel_size_um=0.5)
    layer = Layer.create(*annotations.annotation_layer(source, slide))
    assert len(layer.data) == 4, "whole features only"
    assert layer.name == "cells (first 2 of 6)"
    assert annotations.annotations_file(layer) == str(source)
    layer.data = [layer.data[0] + 1.0, *layer.data[1:]]
    layer.add_polygons(np.array([[1.0, 1.0], [1.0, 9.0], [9.0, 9.0]]))
    assert annotations.annotations_file(layer) is None
    assert annotations.write_annotations(layer, tmp_path / "edited.geojson") == 7
    found = json.loads((tmp_path / "edited.geojson").read_text())["features"]
    assert [f["id"] for f in found[:6]] == [f["id"] for f in many]
    assert found[1:6] == many[1:]
    np.testing.assert_allclose(found[0]["geometry"]["coordinates"][0], np.add(square((0, 0)), 1.0))
    assert found[0]["geometry"]["coordinates"][1] == many[0]["geometry"]["coordinates"][1]
    assert found[6]["properties"] == {"objectType": "annotation"}
