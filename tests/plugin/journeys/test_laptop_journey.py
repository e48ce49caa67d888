"""At a laptop in the light theme: two real slides, refused, clicked, bent, inspected, exported, opened again.

With the folder HISTREG_PICTURES in the environment, a picture of each step is left there.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from canvas_mouse import main_mouse, press, settle, wait_for
from napari_histreg.plugin.layers.bend import bend_of
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.align_widget import AlignWidget
from napari_histreg.slides import open_slide
from napari_histreg.slides.writers import write_slide

pytestmark = pytest.mark.qt

SERIAL = Path(__file__).parents[4] / "shared" / "data" / "serial"
NAMES = ("lesion1_HE", "lesion1_proSPC")
PIXEL_UM = 2.0
"""The pictures are overviews; about so large their pixels are."""
CLICKED = 8
"""So many pairs are clicked."""


class Camera:
    """Takes a picture of the whole window after each step, if asked to."""

    def __init__(self, viewer):
        self.viewer, self.folder, self.count = viewer, os.environ.get("HISTREG_PICTURES"), 0

    def __call__(self, name):
        self.count += 1
        settle(0.3)
        assert self.viewer.window._qt_window.height() <= 768
        assert self.viewer.window._qt_window.width() <= 1366
        if self.folder:
            file = Path(self.folder) / f"{self.count:02d}_{name}.png"
            self.viewer.screenshot(str(file), canvas_only=False, flash=False)


@pytest.fixture
def pair(cache):
    if not SERIAL.is_dir():
        pytest.skip("the pictures with landmarks that people placed are not here")
    files, points = [], []
    for name in NAMES:
        pixels = open_slide(SERIAL / f"{name}.jpg").read_level(0)
        slide = open_slide(np.moveaxis(pixels, 0, -1), pixel_size_um=PIXEL_UM, name=name)
        files.append(write_slide(slide, cache / f"{name}.ome.tif"))
        table = np.genfromtxt(SERIAL / f"{name}.csv", delimiter=",", skip_header=1)
        points.append(table[:, [2, 1]] * PIXEL_UM)
    count = min(map(len, points))
    return files, points[0][:count], points[1][:count]


def open_window(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.theme = "light"
    viewer.window.resize(1366, 768)
    widget = AlignWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Align slides", area="right")
    settle(0.3)
    return viewer, widget


def spread(points, count):
    """Return the places of points that lie far from one another."""
    chosen = [int(np.argmin(points.sum(1)))]
    while len(chosen) < count:
        away = np.linalg.norm(points[:, None] - points[chosen], axis=2).min(1)
        chosen.append(int(away.argmax()))
    return chosen


def refuse(viewer, widget, files, camera):
    for file in files:
        viewer.open(str(file), plugin="napari-histreg")
    settle(0.3)
    viewer.reset_view()
    camera("opened")
    automatic = widget.automatic
    widget.tabs.setCurrentWidget(automatic)
    automatic.method.setCurrentIndex(automatic.method.findData("phase"))
    automatic._choose_method()
    press(automatic.run_button)
    wait_for(lambda: automatic.model.state == "idle", 120)
    camera("refused")
    assert automatic.headline.text().startswith("Not aligned, and there is not even a guess. Click pairs")


def click_and_bend(viewer, widget, fixed, moving, camera):
    press(widget.automatic.pairs_button)
    landmarks, mouse = widget.landmarks, main_mouse(viewer)
    view = landmarks.canvases.main.view
    for k, place in enumerate(spread(fixed, CLICKED)):
        view.show_whole("fixed")
        mouse.click(view.to_canvas("fixed", fixed[place])[0])
        view.show_whole("moving")
        mouse.click(view.to_canvas("moving", moving[place])[0])
        if k == 1:
            camera("guided")
    camera("clicked")
    assert landmarks.follow_box.isChecked()
    assert f"by {CLICKED} pairs" in landmarks.summary.text()
    landmarks.model.setCurrentIndex(landmarks.model.findData("thin_plate"))
    landmarks.model.activated.emit(landmarks.model.currentIndex())
    settle(0.3)
    assert all(bend_of(layer) for layer in layer_sync_of(viewer).moving_layers())
    press(landmarks.click_button)
    viewer.reset_view()
    camera("bent")


def inspect(viewer, widget, camera):
    widget.tabs.setCurrentWidget(widget.inspection)
    settle()
    for mode in ("overlay", "curtain"):
        press(widget.inspection.mode_buttons[mode])
        camera(mode)
    press(widget.inspection.mode_buttons["layers"])


def carry_and_export(viewer, widget, cache, camera):
    export, sync = widget.export, layer_sync_of(viewer)
    outline = [[300, 250], [450, 240], [470, 400], [320, 420], [300, 250]]
    shape = {"type": "Polygon", "coordinates": [outline]}
    feature = {"type": "Feature", "id": "a1", "geometry": shape, "properties": {"name": "lesion"}}
    (cache / "lesion.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    viewer.layers.selection.active = sync.moving_layers()[0]
    viewer.open(str(cache / "lesion.geojson"), plugin="napari-histreg")
    widget.tabs.setCurrentWidget(export)
    settle()
    export.more.carry_layer(str(cache / "lesion_on_fixed.geojson"))
    wait_for(lambda: not export.task.is_running, 60)
    camera("carried")
    (carried,) = json.loads((cache / "lesion_on_fixed.geojson").read_text())["features"]
    assert carried["id"] == "a1"
    export.write_folder(str(cache / "results"))
    wait_for(lambda: not export.task.is_running, 120)
    camera("exported")


@pytest.mark.thorough
def test_from_an_empty_window_to_a_reopened_result(make_napari_viewer, pair, cache):
    files, fixed, moving = pair
    viewer, widget = open_window(make_napari_viewer)
    camera = Camera(viewer)
    camera("empty")
    refuse(viewer, widget, files, camera)
    click_and_bend(viewer, widget, fixed, moving, camera)
    inspect(viewer, widget, camera)
    carry_and_export(viewer, widget, cache, camera)
    expected = widget.landmarks.session.state
    viewer.close()
    viewer, widget = open_window(make_napari_viewer)
    camera.viewer = viewer
    viewer.open(str(cache / "results"), plugin="napari-histreg")
    settle(0.3)
    viewer.reset_view()
    camera("reopened")
    state = widget.landmarks.session.state
    assert state.landmarks == expected.landmarks
    assert state.model == "thin_plate"
    assert all(bend_of(layer) for layer in layer_sync_of(viewer).moving_layers())
