"""The export widget: real clicks, files read back with the library."""

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog

from canvas_mouse import press, settle, wait_for
from napari_histreg.landmarks import read_landmarks
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.widgets.export_widget import ExportWidget
from napari_histreg.records.document import read_registration
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Similarity
from napari_histreg.transforms.formats import SlideFrame, read_transform, write_transform

pytestmark = pytest.mark.qt


@pytest.fixture
def pair():
    return phantom_pair(400, angle_deg=20)


@pytest.fixture
def window(make_napari_viewer, cache, pair):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1200, 800)
    add_slide(viewer, pair.fixed)
    add_slide(viewer, pair.moving)
    widget = ExportWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Export", area="right")
    settle(0.2)
    return viewer, widget


@pytest.fixture
def answer(monkeypatch, tmp_path):
    """Answer the next question for a file."""
    asked = []

    def with_name(name):
        def question(parent, title, start, kinds):
            asked.append((title, start, kinds))
            return (str(tmp_path / name) if name else "", "")

        monkeypatch.setattr(QFileDialog, "getSaveFileName", question)
        return tmp_path / name

    with_name.asked = asked
    return with_name


def finish(widget):
    wait_for(lambda: widget.task is None or not widget.task.is_running, 60)
    settle()


def test_nothing_can_be_written_before_something_is_aligned(window):
    _, widget = window
    for control in (widget.folder_button, widget.record_button, widget.matrix_button, widget.warp_button):
        assert not control.isEnabled()
        assert control.toolTip().startswith("The slides are not aligned yet.")
    assert widget.landmarks_button.toolTip().startswith("There are no complete pairs.")
    assert widget.cancel_button.toolTip() == "Nothing is being written."
    assert widget.picture_button.isEnabled()


def test_everything_is_written_and_read_back(window, pair, answer):
    _, widget = window
    widget._sync.session.replace_landmarks(pair.landmarks(12))
    folder = answer("results")
    press(widget.folder_button)
    finish(widget)
    assert widget.said.text() == f"Wrote 5 files into {folder}."
    points = pair.landmarks(12).fixed
    found = read_registration(folder).fixed_to_moving
    assert np.allclose(found(points), widget._sync.session.fixed_to_moving(points), rtol=0, atol=1e-9)
    frames = [SlideFrame(slide.pixel_size_um) for slide in (pair.fixed, pair.moving)]
    for k in range(widget.matrix_format.count()):
        if widget.matrix_format.itemData(k) == "qupath":
            widget.matrix_format.setCurrentIndex(k)
    file = answer("qupath.txt")
    press(widget.matrix_button)
    finish(widget)
    read = read_transform(file, "qupath", fixed=frames[0], moving=frames[1])
    assert np.allclose(read(points), found(points), rtol=0, atol=1e-6)
    file = answer("pairs.csv")
    press(widget.landmarks_button)
    sizes = {
        "fixed_pixel_size": pair.fixed.world_pixel_size,
        "moving_pixel_size": pair.moving.world_pixel_size,
    }
    assert len(read_landmarks(file, **sizes)) == 12


def test_the_report_is_written_and_shown(window, pair, answer, monkeypatch):
    _, widget = window
    widget.model.session.replace_landmarks(pair.landmarks(6))
    settle()
    shown = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    path = answer("report.html")
    press(widget.report_button)
    finish(widget)
    assert shown == [str(path)]
    assert "Landmarks left out in turn" in path.read_text(encoding="utf-8")
    assert widget.said.text() == f"Wrote {path} and report.json."


@pytest.mark.thorough
def test_the_picture_shows_the_canvas_with_a_scale_bar(window, answer):
    viewer, widget = window
    settle(0.2)
    pictures = []
    answer("first.png")
    press(widget.picture_button)  # the first message changes the width of the dock
    settle(0.5)
    for ticked in (True, False):
        widget.scale_bar.setChecked(ticked)
        file = answer(f"view {int(ticked)}.png")
        press(widget.picture_button)
        settle(0.3)
        pictures.append(np.asarray(Image.open(file)).astype(int))
    assert pictures[0].shape == viewer.screenshot(canvas_only=True, flash=False)[..., :3].shape
    assert pictures[0].mean() > 20
    different = np.abs(pictures[0] - pictures[1]).sum(-1) > 30
    assert 50 < different.sum() < 0.05 * different.size
    assert not viewer.canvas.overlays.scale_bar.visible


def test_a_wrong_name_for_a_picture_is_told(window, answer, monkeypatch):
    said = []
    monkeypatch.setattr("napari_histreg.plugin.widgets.export_widget.show_error", said.append)
    _, widget = window
    answer("view.jpg")
    press(widget.picture_button)
    assert said == ["view.jpg: pictures are written as PNG. Let the name end in .png."]


def test_the_warped_slide_is_written_and_can_be_cancelled(window, pair, answer, monkeypatch):
    _, widget = window
    widget._sync.session.replace_landmarks(pair.landmarks(12))
    file = answer("warped.ome.tif")
    press(widget.warp_button)
    finish(widget)
    assert widget.said.text() == f"Wrote {file}."
    with open_slide(file) as warped:
        assert warped.shape == pair.fixed.shape
    import time

    from napari_histreg.plugin.models import export_model

    def endless(slide, path, *, compression, progress):
        while True:
            progress(0.3, "writing level 0")
            time.sleep(0.01)

    monkeypatch.setattr(export_model, "write_slide", endless)
    answer("second.ome.tif")
    press(widget.warp_button)
    wait_for(lambda: widget.message.text() == "writing level 0")
    assert not widget.folder_button.isEnabled()
    start = time.monotonic()
    press(widget.cancel_button)
    finish(widget)
    assert time.monotonic() - start < 2
    assert widget.said.text() == "Cancelled. Nothing was written."
    assert widget.warp_button.isEnabled()


def test_the_controls_decide_what_the_warped_slide_holds(window, pair, answer):
    _, widget = window
    widget._sync.session.replace_landmarks(pair.landmarks(12))
    settle()
    assert [widget.channels.item(k).text() for k in range(3)] == ["DAPI", "PanCK", "SMA"]
    widget.channels.item(1).setCheckState(Qt.CheckState.Unchecked)
    widget.pixel_size.setValue(0.5)
    widget.compression.setCurrentIndex(widget.compression.findData("zstd"))
    file = answer("some.ome.tif")
    press(widget.warp_button)
    finish(widget)
    with open_slide(file) as some:
        assert [channel.name for channel in some.channels] == ["DAPI", "SMA"]
        assert some.pixel_size_um == pytest.approx((0.5, 0.5))
    # What was ticked stays so while the same slide is chosen.
    assert widget.channels.item(1).checkState() == Qt.CheckState.Unchecked


def test_no_name_no_file(window, pair, answer, tmp_path):
    _, widget = window
    widget._sync.session.replace_landmarks(pair.landmarks(12))
    answer("")
    for control in (widget.folder_button, widget.record_button, widget.landmarks_button, widget.warp_button):
        press(control)
    assert len(answer.asked) == 4
    assert widget.task is None


def test_files_of_other_tools_are_converted_without_slides(
    make_napari_viewer, cache, tmp_path, answer, monkeypatch
):
    truth = Similarity.of(angle_deg=20, translation=(5, 7))
    frame = SlideFrame((0.5, 0.5), (400, 500))
    write_transform(truth, tmp_path / "bigwarp.csv", "csv", fixed=frame, moving=frame)
    widget = ExportWidget(make_napari_viewer(show=True))
    widget.resize(420, 900)
    widget.show()
    settle(0.1)
    more = widget.convert
    more.expand(animate=False)
    settle(0.1)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "bigwarp.csv"), ""))
    target = answer("there.tfm")
    more.target_format.setCurrentIndex(more.target_format.findData("itk"))
    for spin in more.sizes.values():
        spin.setValue(0.5)
    more.convert_button.click()
    finish(widget)
    assert widget.said.text() == f"Wrote {target}."
    again = read_transform(target, "itk", fixed=frame, moving=frame)
    np.testing.assert_allclose(again.matrix, truth.matrix, atol=1e-6)
    # What cannot be read is said in one sentence, and nothing is written.
    (tmp_path / "bigwarp.csv").write_text("no matrix")
    answer("nothing.tfm")
    more.convert_button.click()
    finish(widget)
    assert "bigwarp.csv" in widget.said.text()
    assert not (tmp_path / "nothing.tfm").exists()
    # Landmarks have layouts of their own.
    more.kind.setCurrentIndex(1)
    more.kind.activated.emit(1)
    assert more.target_format.findData("bigwarp") >= 0
    widget.close()
