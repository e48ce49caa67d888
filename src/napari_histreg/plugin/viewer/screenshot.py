"""A picture of what the canvas shows."""

from pathlib import Path
from typing import Any

from napari_histreg.errors import WriteError
from napari_histreg.files import written_whole

__all__ = ["save_view"]


def save_view(viewer: Any, path: str | Path, *, scale_bar: bool = True) -> str:
    """Save the canvas as PNG.

    Parameters
    ----------
    viewer : napari.Viewer
    path : path-like
        Ends in .png.
    scale_bar : bool
        Whether to draw one, in the unit of the layers.

    Returns
    -------
    str
        A sentence that says what was written.

    Raises
    ------
    WriteError
        The file cannot be written, or its name does not end in .png.
    """
    from PIL import Image

    file = Path(path)
    if file.suffix.lower() != ".png":
        raise WriteError(f"{file.name}: pictures are written as PNG. Let the name end in .png.")
    bar = viewer.canvas.overlays.scale_bar
    before = bar.visible
    bar.visible = scale_bar
    try:
        pixels = viewer.screenshot(canvas_only=True, flash=False)
    finally:
        bar.visible = before
    with written_whole(file) as temporary:
        Image.fromarray(pixels[..., :3]).save(temporary)
    return f"Wrote {file}."
