"""Annotations, exports and what is dropped onto the window: nothing gets lost on the way there and back."""

import json

import numpy as np
import pytest

from canvas_mouse import settle, wait_for
from napari_histreg.plugin.layers.annotations import ANNOTATIONS
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.align_widget import AlignWidget
from napari_histreg.slides import open_slide
from napari_histreg.slides.writers import write_slide
from napari_histreg.transforms import Similarity
from plugin_slides import tissue

pytestmark = pytest.mark.qt

TRUTH = Similarity.of(angle_deg=15, translation=(8, -5))
POINTS = np.array([[30.0, 40.0], [150.0, 50.0], [140.0, 180.0], [60.0, 170.0], [100.0, 90.0]])
OUTLINE = [[100.0, 80.0], [200.0, 90.0], [180.0, 160.0], [100.0, 80.0]]
FEATURE = {
    "type": "Feature",
    "id": "5f0b7a2e-1111-4222-8333-444455556666",
    "geometry": {"type": "Polygon", "coordinates": [OUTLINE]},
    "properties": {
        "objectType": "annotation",
        "name": "tumour",
        "classification": {"name": "Tumor", "color": [200, 0, 0]},
        "measurements": {"Area": 12.5},
    },
}


@pytest.fixture
def slides(cache):
    planes = np.moveaxis(tissue(2, (450, 480), 2), -1, 0).astype(np.uint16) * 10
    rgb = np.moveaxis(tissue(1, (400, 500)), -1, 0)
    made = (
        open_slide(np.ascontiguousarray(np.moveaxis(rgb, 0, -1)), pixel_size_um=0.5, name="fixed"),
        open_slide(planes, pixel_size_um=0.4, name="moving"),
    )
    return [write_slide(slide, cache / f"{slide.name}.ome.tif") for slide in made]


@pytest.fixture
def window(make_napari_viewer, cache):
    def opened(*paths):
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1366, 768)
        for path in paths:
            add_slide(viewer, open_slide(path))
        widget = AlignWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Align slides", area="right")
        settle(0.2)
        return viewer, widget

    return opened


def add_pairs(session, count=5):
    return [session.add_pair(point, TRUTH([point])[0]) for point in POINTS[:count]]


def written(widget):
    wait_for(lambda: not widget.export.task.is_running, 60)
    settle()


def test_annotations_dropped_and_carried_both_ways(window, slides, cache):
    viewer, widget = window(*slides)
    session, more = widget.landmarks.session, widget.export.more
    add_pairs(session)
    source = cache / "tumour.geojson"
    source.write_text(json.dumps({"type": "FeatureCollection", "features": [FEATURE]}))
    sync = layer_sync_of(viewer)
    viewer.layers.selection.active = sync.moving_layers()[0]
    (layer,) = viewer.open(str(source), plugin="napari-histreg")
    assert list(layer.features["class"]) == ["Tumor"]
    np.testing.assert_allclose(layer.data[0][0], (79.5, 99.5))
    # It lies on the moving slide, wherever that lies.
    seen = layer.data_to_world(layer.data[0][0])[-2:]
    spot = TRUTH.inverse()([np.array([79.5, 99.5]) * 0.4])[0]
    np.testing.assert_allclose(seen, spot, atol=0.05)
    widget.tabs.setCurrentWidget(widget.export)
    settle()
    viewer.layers.selection.active = layer
    more.carry_layer(str(cache / "on_fixed.geojson"))
    written(widget)
    (carried,) = json.loads((cache / "on_fixed.geojson").read_text())["features"]
    assert carried["id"] == FEATURE["id"]
    assert carried["properties"] == FEATURE["properties"]
    x, y = carried["geometry"]["coordinates"][0][0]
    np.testing.assert_allclose(((y - 0.5) * 0.5, (x - 0.5) * 0.5), spot, atol=0.05)
    assert viewer.layers[-1].metadata[ANNOTATIONS][0].endswith("on_fixed.geojson")
    # And back.
    more.direction.setCurrentIndex(1)
    more.carry(str(cache / "on_fixed.geojson"), str(cache / "back.geojson"))
    written(widget)
    (back,) = json.loads((cache / "back.geojson").read_text())["features"]
    np.testing.assert_allclose(back["geometry"]["coordinates"][0], OUTLINE, atol=0.01)


def test_shapes_drawn_and_tables_of_cells_are_carried(window, slides, cache):
    viewer, widget = window(*slides)
    session, more = widget.landmarks.session, widget.export.more
    add_pairs(session)
    source = cache / "tumour.geojson"
    source.write_text(json.dumps({"type": "FeatureCollection", "features": [FEATURE]}))
    viewer.layers.selection.active = layer_sync_of(viewer).moving_layers()[0]
    (layer,) = viewer.open(str(source), plugin="napari-histreg")
    # A shape that was edited keeps its id and class; one that was drawn gets an id.
    layer.data = [layer.data[0] + 3, np.array([[10.0, 10.0], [10.0, 40.0], [40.0, 40.0]])]
    viewer.layers.selection.active = layer
    more.carry_layer(str(cache / "edited.geojson"))
    written(widget)
    first, second = json.loads((cache / "edited.geojson").read_text())["features"]
    assert first["properties"] == FEATURE["properties"]
    assert second["id"]
    # Cells.
    (cache / "cells.csv").write_text("id,x,y,class\n7,100,80,CD3\n")
    more.direction.setCurrentIndex(0)
    more.carry(str(cache / "cells.csv"), str(cache / "cells_on_fixed.csv"))
    written(widget)
    row = (cache / "cells_on_fixed.csv").read_text().splitlines()[1].split(",")
    assert (row[0], row[3]) == ("7", "CD3")
    np.testing.assert_allclose(
        (float(row[2]) * 0.5, float(row[1]) * 0.5), TRUTH.inverse()([(32.0, 40.0)])[0], atol=0.05
    )


def test_points_of_each_slide_become_pairs(window, slides, cache):
    viewer, widget = window(*slides)
    sync, session = layer_sync_of(viewer), widget.landmarks.session
    for name, points, size in (("fixed", POINTS, 0.5), ("moving", TRUTH(POINTS), 0.4)):
        features = [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [x / size + 0.5, y / size + 0.5]},
                "properties": {"name": f"spot {k}"},
            }
            for k, (y, x) in enumerate(points)
        ]
        file = cache / f"{name}.geojson"
        file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        viewer.layers.selection.active = getattr(sync, f"{name}_layers")()[0]
        count = len(viewer.layers)
        viewer.open(str(file), plugin="napari-histreg")
        assert len(viewer.layers) == count, "no stray layer"
    assert session.state.usable_count == 5
    assert session.landmarks.names == tuple(f"spot {k}" for k in range(5))
    np.testing.assert_allclose(session.landmarks.moving, TRUTH(POINTS), atol=1e-6)


def test_an_exported_folder_opens_with_its_pairs(window, slides, cache, make_napari_viewer):
    viewer, widget = window(*slides)
    session = widget.landmarks.session
    ids = add_pairs(session)
    session.rename_pair(ids[1], "vessel")
    session.switch_pair(ids[4], False)
    expected = session.state
    widget.export.write_folder(str(cache / "results"))
    written(widget)
    viewer.close()
    for what in ("results", "results/matrix.csv"):
        other, again = window()
        other.open(str(cache / what), plugin="napari-histreg")
        settle(0.3)
        state = again.landmarks.session.state
        assert state.landmarks.names == expected.landmarks.names
        assert state.landmarks.enabled.tolist() == expected.landmarks.enabled.tolist()
        # The table of the command line keeps ten digits.
        np.testing.assert_allclose(state.landmarks.moving, expected.landmarks.moving, rtol=1e-8)
        assert state.origin == "landmarks"
        assert "by 4 pairs" in again.landmarks.summary.text()
        assert [row.name for row in again.landmarks.table.rows] == list(expected.landmarks.names)
        # Without the window's own file, as the command line leaves it.
        (cache / "results" / "session.histreg.json").unlink(missing_ok=True)
        other.close()


@pytest.mark.thorough
def test_fused_measured_and_interpolated(window, slides, cache):
    _, widget = window(*slides)
    session, export = widget.landmarks.session, widget.export
    add_pairs(session)
    widget.tabs.setCurrentWidget(export)
    settle()
    export.more.rule.setCurrentIndex(export.more.rule.findData("maximum"))
    export.more.fuse(str(cache / "fused.ome.tif"))
    written(widget)
    assert open_slide(cache / "fused.ome.tif").shape == (400, 500)
    assert not (cache / "fused.html").exists()
    export.more.measured.click()
    export.more.fuse(str(cache / "measured.ome.tif"))
    written(widget)
    assert "EN " in export.said.text()
    assert json.loads((cache / "measured.json").read_text())["figures"]["entropy"] > 0
    assert (cache / "measured.html").exists()

    export.model.write_landmarks(cache / "others.csv", "histreg")
    export.more.measure_unseen(str(cache / "others.csv"))
    written(widget)
    assert "made from these pairs" in export.said.text()
    assert "median" in export.said.text().lower()
    export.interpolation.setCurrentIndex(export.interpolation.findData("nearest"))
    assert export._output().interpolation == "nearest"
