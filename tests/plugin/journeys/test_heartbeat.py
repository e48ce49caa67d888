"""The window is never blocked for longer than a tenth of a second while a method runs."""

import time

import pytest

from canvas_mouse import settle, wait_for
from heart import Heart
from napari_histreg.learning.model_folder import Description, Model, Scope, write_model
from napari_histreg.learning.networks import drawn_weights
from napari_histreg.learning.recipe import Recipe
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.widgets.registration_widget import RegistrationWidget
from napari_histreg.registration.catalogue import list_methods
from napari_histreg.samples import phantom_pair

pytestmark = [pytest.mark.qt, pytest.mark.alone]

LONGEST = 0.1
ATTEMPTS = 6
"""A busy machine leaves gaps of its own, now and then; a method that blocks does so every time."""

LONG_ENOUGH = 6.0
"""Seconds after which a run that is still going is cancelled, which must not take longer than two."""

METHODS = [
    pytest.param(spec.name, marks=() if spec.name in ("auto", "sift") else pytest.mark.thorough)
    for spec in list_methods()
    if spec.is_available and spec.name != "landmarks"
]


@pytest.fixture
def window(make_napari_viewer, cache):
    pair = phantom_pair(1000, angle_deg=4, mirrored=False, scale=1.0)
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1000, 700)
    add_slide(viewer, pair.fixed)
    add_slide(viewer, pair.moving)
    widget = RegistrationWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Automatic", area="right")
    settle(0.3)
    return widget


def untrained(folder):
    """Write a model as large as a trained one, which learned nothing."""
    recipe = Recipe(network="pyramid")
    scope = Scope(lights=(("brightfield", "fluorescence"),))
    description = Description(recipe=recipe, scope=scope, training_set=())
    write_model(Model(description, drawn_weights(recipe.architecture, 0)), folder)
    return str(folder)


def run_or_cancel(widget):
    """Wait for the end of a run, or cancel it after a while."""
    end = time.monotonic() + LONG_ENOUGH
    while widget.model.state != "idle" and time.monotonic() < end:
        settle(0.02)
    if widget.model.state != "idle":
        start = time.monotonic()
        widget.cancel()
        wait_for(lambda: widget.model.state == "idle", 20)
        assert time.monotonic() - start < 2.0


@pytest.mark.parametrize("method", METHODS)
def test_no_gap_while_a_method_runs(window, method, monkeypatch, tmp_path):
    # What is put on the canvas after the run is not part of it.
    monkeypatch.setattr(type(window.model.session), "accept_registration", lambda self, registration: None)
    window.method.setCurrentIndex(window.method.findData(method))
    window._choose_method()
    if method == "learned":
        window.form.entry("model").setText(untrained(tmp_path / "model"))
    settle(0.2)
    worst = (float("inf"), "")
    for _ in range(ATTEMPTS):
        heart = Heart(window.model)
        window.run()
        run_or_cancel(window)
        heart.timer.stop()
        # Far more beats than a blocked window would have.
        assert len(heart.gaps) > 5
        worst = min(worst, max(heart.gaps))
        if worst[0] < LONGEST:
            break
    assert worst[0] < LONGEST, f"{method}: {1000 * worst[0]:.0f} ms while {worst[1]!r}"
