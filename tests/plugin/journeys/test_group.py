"""Many slides in one window: run, cancel, one goes meanwhile, links, landmarks, sections, reopened."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from canvas_mouse import press, settle, wait_for
from napari_histreg.groups.document import read_group, write_group
from napari_histreg.groups.linking import LinkSettings
from napari_histreg.groups.run import run_group
from napari_histreg.groups.wishes import Wishes
from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.layers.slides import add_slide, image_layers
from napari_histreg.plugin.user_folders import group_folder
from napari_histreg.plugin.viewer.group_layers import OVERLAY
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.align_widget import AlignWidget
from napari_histreg.samples.stack import phantom_stack
from napari_histreg.slides import open_slide
from napari_histreg.slides.fingerprint import fingerprint

pytestmark = pytest.mark.qt

PIXEL = 20.0
POINTS = np.stack(np.meshgrid([1800.0, 2560.0, 3300.0], [1800.0, 2560.0, 3300.0]), -1).reshape(-1, 2)
SECTIONS = (0, 1, None, 2)
"""Which section of the phantom lies on each slide; the third is washed off its glass."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """Four slides as files, and the true map between any two: what is washed off lay as the one before."""
    folder = tmp_path_factory.mktemp("sections")
    made = phantom_stack(3, size_px=256, pixel_size_um=PIXEL, seed=1)
    places = []
    for k, section in enumerate(SECTIONS):
        pixels = np.moveaxis(made.slides[section or 0].read_level(0), 0, -1)
        pixels = np.full_like(pixels, 240) if section is None else pixels
        Image.fromarray(pixels).save(folder / f"s{k + 9}.png")
        places.append(1 if section is None else section)
    return folder, lambda i, j: made.between(places[i], places[j])


@pytest.fixture(scope="module")
def run(stack, tmp_path_factory):
    """Return the folder of a run over the four slides, so that pairs are not aligned in every test."""
    slides = [open_slide(stack[0] / f"s{k + 9}.png", pixel_size_um=PIXEL) for k in range(4)]
    folder = tmp_path_factory.mktemp("run")
    found = run_group(
        slides, Wishes(True, "template", "rigid", None), LinkSettings("auto", {}), folder=folder
    )
    write_group(found, folder)
    return folder


@pytest.fixture
def kept(cache, stack, run):
    """Have pairs in the user's folder, as if they had been aligned before; some are still to be done."""

    def keep(without=()):
        slides = [open_slide(stack[0] / f"s{k + 9}.png", pixel_size_um=PIXEL) for k in range(4)]
        place = group_folder([fingerprint(slide) for slide in slides])
        shutil.copytree(run / "links", place / "links")
        for name in without:
            shutil.rmtree(place / "links" / name)

    return keep


@pytest.fixture
def window(make_napari_viewer, cache, stack):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1300, 1000)
    widget = AlignWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Align slides", area="right")
    for k in (1, 0, 2, 3):
        add_slide(viewer, open_slide(stack[0] / f"s{k + 9}.png", pixel_size_um=PIXEL))
    widget.tabs.setCurrentWidget(widget.group)
    settle(0.3)
    yield viewer, widget
    widget.group.end()


def choose(control, value):
    """Choose from a list as a person does."""
    control.setCurrentIndex(control.findData(value))
    control.activated.emit(control.currentIndex())
    settle()


def finished(group, seconds=240):
    wait_for(lambda: group.model.state == "idle", seconds)
    wait_for(lambda: not group.steps.is_running, 10)
    settle(0.2)


def states(group):
    return [group.table.item(k, 1).text() for k in range(group.table.rowCount())]


def names(group):
    return [group.table.item(k, 0).text() for k in range(group.table.rowCount())]


def off(viewer, stack, group, i, j):
    """Return how far the layers of two sections lie from the truth, in pixels."""
    from napari_histreg.plugin.layers.affine import read_fixed_to_moving

    slides = {int(s.name[1:-4]) - 9: s for s in group.model.open}
    found = read_fixed_to_moving(viewer.layers, slides[i], slides[j])
    return float(np.linalg.norm(found(POINTS) - stack[1](i, j)(POINTS), axis=1).max()) / PIXEL


def seen(viewer, sync):
    """Return the names of the slides that are shown."""
    return [slide.name for slide in sync.slides if image_layers(viewer.layers, slide)[0].visible]


def as_sections(group):
    choose(group.form.order, "names")
    choose(group.form.kind, "rigid")
    assert names(group) == ["s9.png", "s10.png", "s11.png", "s12.png"]


def test_run_look_at_links_and_sections_save_and_reopen(window, stack, kept, tmp_path):
    viewer, widget = window
    group = widget.group
    kept(without=["s9__s10"])
    assert states(group) == ["not aligned yet"] * 4
    as_sections(group)
    press(group.run_button)
    assert not group.run_button.isEnabled()
    finished(group)
    assert [state.split(",")[0] for state in states(group)] == ["accepted", "accepted", "refused", "accepted"]
    assert group.headline.text() == "3 of 4 slides placed, in the frame of s10.png"
    assert "µm" in group.table.item(0, 2).text()
    assert "fits no other slide" in group.table.item(2, 0).toolTip()
    assert max(off(viewer, stack, group, 1, k) for k in (0, 3)) < 1.5
    washed_off = next(s for s in group.model.open if s.name == "s11.png")
    assert not any(layer.visible for layer in image_layers(viewer.layers, washed_off))
    assert read_group(group.model.folder).placed == (0, 1, 3)

    open_a_link(viewer, widget)
    go_through_sections(viewer, widget)
    save_and_reopen(viewer, group, tmp_path / "sitting.histreg.json")
    assert max(off(viewer, stack, group, 1, k) for k in (0, 3)) < 1.5


def open_a_link(viewer, widget):
    """A click on a link opens its two slides, as the pair by itself was aligned."""
    group, sync = widget.group, layer_sync_of(viewer)
    number = next(k for k, link in enumerate(group.model.result.links) if link.ends == (1, 3))
    x, y = group.graph.graph.middle(number)
    QTest.mouseClick(group.graph, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    finished(group)
    assert (sync.fixed.name, sync.moving.name) == ("s10.png", "s12.png")
    assert widget.tabs.currentWidget() is widget.automatic
    assert widget.automatic.headline.text().startswith("Aligned")
    assert seen(viewer, sync) == ["s10.png", "s12.png"]
    depth = sync.session.undo_label
    group.open_link(number)
    finished(group)
    assert sync.session.undo_label == depth


def go_through_sections(viewer, widget):
    """The slider shows each section over its neighbours, or alone."""
    group, sync = widget.group, layer_sync_of(viewer)
    widget.tabs.setCurrentWidget(group)
    settle()
    group.sections.slider.setFocus()
    QTest.keyClick(group.sections.slider, Qt.Key.Key_Left)
    wait_for(lambda: OVERLAY in viewer.layers and viewer.layers[OVERLAY].visible, 20)
    finished(group)
    assert group.sections.caption.text().startswith("1: s9.png green, s10.png blue")
    picture = np.asarray(viewer.layers[OVERLAY].data).astype(float)
    assert np.corrcoef(picture[..., 1].ravel(), picture[..., 2].ravel())[0, 1] > 0.4
    press(group.sections.overlay)
    finished(group)
    assert not viewer.layers[OVERLAY].visible
    assert seen(viewer, sync) == ["s9.png"]


def save_and_reopen(viewer, group, saved):
    group.files.save(str(saved))
    assert json.loads(saved.read_text(encoding="utf-8"))["format"] == "napari-histreg group session"
    viewer.layers.clear()
    settle(0.2)
    assert "No longer open: s9.png" in group.remarks.text()
    group.files.open(str(saved))
    settle(0.3)
    assert names(group) == ["s9.png", "s10.png", "s11.png", "s12.png"]
    assert group.form.kind.currentData() == "rigid"
    press(group.lay_button)
    finished(group)


def test_cancel_run_again_and_a_slide_that_goes_meanwhile(window, stack, kept):
    viewer, widget = window
    group = widget.group
    kept(without=["s9__s10", "s10__s12"])
    as_sections(group)
    before = off(viewer, stack, group, 1, 0)
    press(group.run_button)
    wait_for(lambda: len(group.model.links) > 0, 60)
    press(group.cancel_button)
    finished(group, 20)
    assert group.headline.text().startswith("Cancelled. The slides lie as before")
    assert off(viewer, stack, group, 1, 0) == before
    group.run()
    group.run()  # a second press, before the first has shown, changes nothing
    wait_for(lambda: group.model.fraction > 0.05, 60)
    gone = next(s for s in group.model.open if s.name == "s12.png")
    viewer.layers.remove(image_layers(viewer.layers, gone)[0])
    settle()
    assert names(group) == ["s9.png", "s10.png", "s11.png"]
    finished(group)
    assert group.headline.text() == "3 of 4 slides placed, in the frame of s10.png"
    assert "No longer open: s12.png" in group.remarks.text()
    assert off(viewer, stack, group, 1, 0) < 1.5
    press(group.run_button)
    finished(group)
    assert group.headline.text().startswith("2 of 3 slides placed")


def test_landmarks_on_any_two_slides_count_for_all(window, stack, kept):
    viewer, widget = window
    kept()
    group, sync = widget.group, layer_sync_of(viewer)
    as_sections(group)
    slides = {int(s.name[1:-4]) - 9: s for s in group.model.open}
    sync.choose(slides[3], slides[2])
    spots = POINTS[[0, 2, 6, 8]]
    there = stack[1](3, 2)(spots)
    sync.session.replace_landmarks(Landmarks.of(spots[:2], there[:2]))
    assert "2 landmarks; from 3 on they count" in group.remarks.text()
    sync.session.replace_landmarks(Landmarks.of(spots, there))
    assert "Run all lets them count" in group.remarks.text()
    # The pair is no longer chosen, and counts all the same.
    sync.choose(slides[0], slides[1])
    press(group.run_button)
    finished(group)
    assert "4 landmarks count for all slides" in group.remarks.text()
    assert group.headline.text().startswith("4 of 4 slides placed")
    assert off(viewer, stack, group, 1, 2) < 2.0
    link = next(link for link in group.model.links if link.by_hand)
    assert link.ends == (2, 3)
    assert "4 landmarks placed by hand" in link.words


@pytest.mark.parametrize("name", ["group.json", pytest.param("", marks=pytest.mark.thorough)])
def test_a_run_of_the_command_line_that_is_dropped_opens_as_a_group(
    make_napari_viewer, cache, stack, run, name
):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1300, 1000)
    viewer.open(str(run / name) if name else str(run), plugin="napari-histreg")
    (dock,) = viewer.window._wrapped_dock_widgets.values()
    widget = dock.inner_widget()
    group = widget.group
    finished(group)
    assert widget.tabs.currentWidget() is group
    assert names(group) == ["s9.png", "s10.png", "s11.png", "s12.png"]
    assert [state.split(",")[0] for state in states(group)] == ["accepted", "accepted", "refused", "accepted"]
    assert max(off(viewer, stack, group, 1, k) for k in (0, 3)) < 1.5
    assert seen(viewer, layer_sync_of(viewer)) == ["s9.png", "s10.png", "s12.png"]
    assert group.form.kind.currentData() == "rigid"
    group.end()


def test_files_of_one_channel_each_become_one_slide(make_napari_viewer, cache, tmp_path):
    viewer = make_napari_viewer(show=True)
    widget = AlignWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Align slides", area="right")
    for k, name in enumerate(("case_DAPI", "case_CD3")):
        Image.fromarray(np.full((60, 80), 50 + k, np.uint8)).save(tmp_path / f"{name}.png")
        add_slide(viewer, open_slide(tmp_path / f"{name}.png", pixel_size_um=2.0))
    group = widget.group
    widget.tabs.setCurrentWidget(group)
    settle(0.2)
    group.table.selectAll()
    settle()
    press(group.files.join_button)
    settle(0.2)
    assert names(group) == ["case"]
    assert [layer.name for layer in viewer.layers] == ["case: DAPI", "case: CD3"]
    assert viewer.layers[0].scale.tolist() == [2.0, 2.0]
