"""Looking at slides and results: themes, tabs, small screens, and what comes after a run."""

import numpy as np
import pytest
from qtpy.QtWidgets import QLabel

from canvas_mouse import main_mouse, press, settle, wait_for
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.models.tones import contrast
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.align_widget import AlignWidget
from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.samples import demo_pair
from napari_histreg.slides import open_slide
from napari_histreg.transforms import Similarity
from plugin_slides import tissue

pytestmark = pytest.mark.qt

TRUTH = Similarity.of(angle_deg=15, translation=(8, -5))
LAPTOP = (1366, 768)


@pytest.fixture
def window(make_napari_viewer, cache):
    def opened(size=LAPTOP, theme="light", fixed_um=0.5):
        viewer = make_napari_viewer(show=True)
        viewer.theme = theme
        viewer.window.resize(*size)
        add_slide(viewer, open_slide(tissue(1, (400, 500)), pixel_size_um=fixed_um, name="fixed"))
        planes = np.moveaxis(tissue(2, (450, 480), 2), -1, 0).astype(np.uint16) * 10
        names = ["CD3", "DAPI"]
        moving = open_slide(planes, pixel_size_um=0.4, name="moving", channel_names=names)
        add_slide(viewer, moving)
        widget = AlignWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Align slides", area="right")
        settle(0.3)
        viewer.reset_view()
        return viewer, widget

    return opened


def result(sync, verdict):
    records = SlideRecord.of(sync.fixed), SlideRecord.of(sync.moving)
    reasons = ("4.2 standard deviations above chance.",)
    return Registration(*records, Outcome(TRUTH, verdict, 0.4, reasons), method="auto")


def picture(viewer):
    settle(0.15)
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(float)


def overlaid(viewer):
    """Tell whether both slides are shown over each other, in colours."""
    return [
        layer.visible for layer in viewer.layers if "(magenta)" in layer.name or "(green)" in layer.name
    ] == [
        True,
        True,
    ]


def test_the_overlay_lies_on_black_in_the_light_theme_and_only_behind_its_tab(window):
    viewer, widget = window()
    inspection = widget.inspection
    widget.tabs.setCurrentWidget(inspection)
    settle()
    white = (picture(viewer).min(axis=2) > 250).mean()
    assert white > 0.1, "napari's light canvas is white"
    press(inspection.mode_buttons["overlay"])
    assert (picture(viewer).min(axis=2) > 250).mean() < 0.01
    widget.tabs.setCurrentWidget(widget.landmarks)
    settle()
    assert all(layer.visible for layer in (*widget.landmarks._sync.fixed_layers(),))
    assert not overlaid(viewer)
    assert (picture(viewer).min(axis=2) > 250).mean() == pytest.approx(white, abs=0.03)
    widget.tabs.setCurrentWidget(inspection)
    settle()
    assert overlaid(viewer), "as it was left"
    press(inspection.mode_buttons["blink"])
    assert inspection.timer.isActive()
    widget.tabs.setCurrentWidget(widget.landmarks)
    settle()
    assert not inspection.timer.isActive()


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.thorough)])
def test_a_refusal_says_what_to_do_in_words_that_can_be_read(window, theme):
    viewer, widget = window(theme=theme, fixed_um=None)
    sync, automatic = layer_sync_of(viewer), widget.automatic
    widget.tabs.setCurrentWidget(automatic)
    automatic.model.begin(sync.shown_fixed_to_moving())
    automatic.model.succeed(result(sync, "refused"))
    settle(0.2)
    assert automatic.headline.text().startswith("Not aligned. Click a few pairs")
    assert not automatic.reasons.isVisible()
    background = widget.palette().window().color().name()
    shot = automatic.headline.grab().toImage()
    colours = {shot.pixelColor(x, y).name() for x in range(shot.width()) for y in range(shot.height())}
    assert max(contrast(one, other) for one in colours for other in list(colours)[:50]) >= 4.5, background
    press(automatic.why_button)
    assert automatic.reasons.isVisible()
    # The pixel size that is missing can be given at once; pairs stay on their pixels.
    sync.session.add_pair([100.0, 80.0], [50.0, 60.0])
    press(automatic.size_button)
    assert widget.chooser.sizes.isVisible()
    widget.chooser.sizes.sizes["fixed"].setValue(0.25)
    widget.chooser.sizes.sizes["moving"].setValue(0.4)
    press(widget.chooser.sizes.apply_button)
    assert sync.fixed.pixel_size_um == (0.25, 0.25)
    assert sync.fixed_layers()[0].scale[-1] == 0.25
    np.testing.assert_allclose(sync.session.landmarks.fixed[0], [25.0, 20.0])
    np.testing.assert_allclose(sync.session.landmarks.moving[0], [50.0, 60.0])
    assert widget.landmarks.session.unit == "um"
    # Guided clicking from the guess.
    automatic.model.begin(sync.shown_fixed_to_moving())
    automatic.model.succeed(result(sync, "refused"))
    press(automatic.pairs_button)
    assert widget.tabs.currentWidget() is widget.landmarks
    assert widget.landmarks.click_button.isChecked()
    assert sync.session.state.is_guess
    # Another theme recolours what is written already.
    tones = [label for label in widget.findChildren(QLabel) if label.property("tone")]
    before = {label: label.styleSheet() for label in tones}
    viewer.theme = "dark" if theme == "light" else "light"
    settle()
    assert all(label.styleSheet() != before[label] for label in tones)


@pytest.mark.thorough
def test_everything_stays_on_a_laptop_s_screen(window):
    viewer, widget = window(theme="dark")
    landmarks, session = widget.landmarks, widget.landmarks.session
    for k, point in enumerate(np.random.default_rng(0).uniform(20, 180, (9, 2))):
        session.add_pair(point, TRUTH([point])[0] + (30.0 if k == 4 else 0.0))
    landmarks._say("Pair 5 snapped: correlation 0.29, 3.4 µm from where it was expected.")
    settle(0.2)
    assert widget.minimumSizeHint().height() < 640
    save = landmarks.sessions.save_button
    bottom = save.mapTo(widget.window(), save.rect().bottomLeft()).y()
    assert bottom < LAPTOP[1]
    assert viewer.window._qt_window.height() <= LAPTOP[1]
    # Side by side and back: the canvas is as wide as before.
    canvas = viewer.window._qt_viewer
    settle(0.5)  # the dock has its width once it has the window's styles
    before = canvas.width()
    press(landmarks.beside_button)
    settle(0.3)
    press(landmarks.beside_button)
    settle(0.3)
    assert abs(canvas.width() - before) < 30
    # Focus: napari's column goes, two canvases of one width come.
    press(landmarks.focus_button)
    settle(0.4)
    assert landmarks.beside is not None
    assert abs(landmarks.beside.canvas.width() - canvas.width()) < 40
    assert canvas.width() > 400
    press(landmarks.focus_button)
    settle(0.3)
    assert landmarks.beside is None
    assert abs(canvas.width() - before) < 30


@pytest.mark.thorough
def test_both_slides_are_seen_while_one_is_dragged(window):
    viewer, widget = window(theme="dark")
    sync, landmarks = layer_sync_of(viewer), widget.landmarks
    assert widget.chooser.opacity.value() == 60
    press(landmarks.drag_button)
    assert {layer.opacity for layer in sync.moving_layers()} == {0.5}
    press(landmarks.drag_button)
    assert {layer.opacity for layer in sync.moving_layers()} == {0.6}, "the brightfield below is seen"
    widget.chooser.opacity.setValue(30)
    assert {layer.opacity for layer in sync.moving_layers()} == {0.3}
    widget.chooser.nuclear.click()
    assert [layer.visible for layer in sync.moving_layers()] == [False, True]


def test_a_deleted_landmark_layer_comes_back(window):
    viewer, widget = window(theme="dark")
    landmarks, session = widget.landmarks, widget.landmarks.session
    session.add_pair([50.0, 50.0], TRUTH([[50.0, 50.0]])[0])
    for layer in [layer for layer in viewer.layers if "landmarks" in layer.name]:
        viewer.layers.remove(layer)
    settle()
    assert len(session.landmarks) == 1
    press(landmarks.click_button)
    back = [layer for layer in viewer.layers if "landmarks" in layer.name]
    assert len(back) == 2
    main_mouse(viewer).click(landmarks.canvases.main.view.to_canvas("fixed", [120.0, 100.0])[0])
    assert sorted(len(layer.data) for layer in back) == [1, 2]


def test_from_run_to_the_overlay_at_the_worst_block_without_a_click(make_napari_viewer, cache):
    pair = demo_pair(cache)
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(*LAPTOP)
    for path in (pair.fixed, pair.moving):
        add_slide(viewer, open_slide(path))
    widget = AlignWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Align slides", area="right")
    widget.tabs.setCurrentWidget(widget.automatic)
    settle(0.2)
    automatic = widget.automatic
    press(automatic.run_button)
    wait_for(lambda: automatic.model.state == "idle", 120)
    settle(0.3)
    spots = {spot.name: spot for spot in automatic.model.spots}
    wait_for(lambda: overlaid(viewer))
    assert "Worst block" in automatic.place.text()
    centre = np.array(viewer.scene.camera.center)[-2:]
    np.testing.assert_allclose(centre, spots["worst"].point, atol=1.0)
    assert widget.tabs.currentWidget() is automatic
    press(automatic.spot_buttons["best"])
    np.testing.assert_allclose(np.array(viewer.scene.camera.center)[-2:], spots["best"].point, atol=1.0)
    press(automatic.accept_button)
    assert not overlaid(viewer)
    assert automatic.spot_buttons["worst"].isHidden()
    # Correct goes to the landmarks, with the points as pairs.
    press(automatic.landmarks_button)
    assert widget.tabs.currentWidget() is widget.landmarks
    assert len(widget.landmarks.table.rows) >= 4
