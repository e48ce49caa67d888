"""Make docs/images/group.png: sections in one window, their links, and one of them over its neighbours.

Run on a virtual screen, as ``make screenshots`` does.
"""

import os
import sys
import tempfile

import napari
import numpy as np
from screenshots import IMAGES, settle
from shrink import shrink

from napari_histreg.plugin.layers.slides import add_slide
from napari_histreg.plugin.widgets.align_widget import AlignWidget
from napari_histreg.samples.stack import phantom_stack
from napari_histreg.slides import open_slide

WASHED_OFF = 3


def main() -> int:
    """Align six sections, of which one is washed off its glass, and take a picture."""
    made = phantom_stack(6, size_px=512, pixel_size_um=10.0, seed=1)
    viewer = napari.Viewer()
    viewer.window.resize(1440, 1000)
    widget = AlignWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Align slides", area="right", tabify=False)
    for k, slide in enumerate(made.slides):
        pixels = np.moveaxis(slide.read_level(0), 0, -1)
        seen = np.full_like(pixels, 240) if k == WASHED_OFF else pixels
        add_slide(viewer, open_slide(seen, pixel_size_um=10.0, name=slide.name))
    group = widget.group
    widget.tabs.setCurrentWidget(group)
    group.model.options.order, group.model.options.model = "names", "rigid"
    group.run()
    while group.model.state != "idle":
        settle(0.1)
    settle(1.0)
    group.sections.go_to(2)
    settle(3.0)
    viewer.reset_view()
    settle(0.6)
    viewer.screenshot(str(IMAGES / "group.png"), canvas_only=False, flash=False)
    shrink(IMAGES / "group.png")
    print(IMAGES / "group.png")  # this is a command
    group.end()
    napari.Viewer.close_all()
    return 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder
        sys.exit(main())
