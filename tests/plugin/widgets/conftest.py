import numpy as np
import pytest

from canvas_mouse import settle
from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.widgets.landmark_widget import LandmarkWidget
from napari_histreg.slides import open_slide
from plugin_slides import tissue


@pytest.fixture
def window(make_napari_viewer, cache):
    """Open a window with two small slides and the landmark widget."""

    def opened(*, slides=2, fixed_um=0.5, moving_um=0.4):
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1300, 850)
        if slides > 0:
            add_slide(viewer, open_slide(tissue(1, (400, 500)), pixel_size_um=fixed_um, name="fixed"))
        if slides > 1:
            moving = np.moveaxis(tissue(2, (450, 480), 2), -1, 0).astype(np.uint16) * 10
            add_slide(viewer, open_slide(moving, pixel_size_um=moving_um, name="moving"))
        widget = LandmarkWidget(viewer)
        viewer.window.add_dock_widget(widget, name="Landmarks", area="right")
        settle(0.2)
        viewer.reset_view()
        settle(0.1)
        return viewer, widget

    return opened
