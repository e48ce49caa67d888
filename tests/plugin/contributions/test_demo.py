"""The demo opens ready to be aligned."""

import napari
import pytest

from canvas_mouse import settle
from napari_histreg.plugin.contributions.demo import open_demo
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of

pytestmark = pytest.mark.qt


def test_the_demo_opens_with_both_slides_and_the_widget(make_napari_viewer, monkeypatch, tmp_path, cache):
    def viewer(title, show):
        made = make_napari_viewer(show=True)
        made.title = title
        return made

    monkeypatch.setattr(napari, "Viewer", viewer)
    opened = open_demo(tmp_path, run=False)
    settle(0.3)
    assert layer_sync_of(opened).session.is_ready
    docked = [dock.inner_widget() for dock in opened.window._wrapped_dock_widgets.values()]
    assert docked[0].tabs.currentWidget() is docked[0].automatic
    assert list(opened.window.dock_widgets) == ["Align slides (napari-histreg)"]
    assert (tmp_path / "demo_ihc.ome.tif").exists()
