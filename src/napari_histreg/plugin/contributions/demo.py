"""The demo pair in a window, ready to be aligned: ``python -m napari_histreg.plugin.contributions.demo``."""

import sys
from pathlib import Path
from typing import Any

__all__ = ["open_demo"]


def open_demo(folder: str | Path | None = None, *, run: bool = True) -> Any:
    """Open napari with the demo pair and the widget that aligns it.

    Parameters
    ----------
    folder : path-like, optional
        Where the demo's slides are written; the user's cache folder by default.
    run : bool
        Whether to stay until the window is closed.

    Returns
    -------
    napari.Viewer
    """
    import napari

    from napari_histreg.plugin.layers.slides import add_slide
    from napari_histreg.plugin.user_folders import cache_folder
    from napari_histreg.samples import demo_pair
    from napari_histreg.slides import open_slide

    place = cache_folder() if folder is None else Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    pair = demo_pair(place)
    viewer = napari.Viewer(title="napari-histreg demo", show=run)
    for path in (pair.fixed, pair.moving):
        add_slide(viewer, open_slide(path))
    _, widget = viewer.window.add_plugin_dock_widget("napari-histreg", "Align slides")
    widget.tabs.setCurrentWidget(widget.automatic)
    viewer.reset_view()
    if run:
        napari.run()
    return viewer


if __name__ == "__main__":
    open_demo(*sys.argv[1:2])
