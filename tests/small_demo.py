"""A corner of the demo's pair, for tests in which nothing depends on how much there is to see."""

from pathlib import Path

import numpy as np

from napari_histreg.geometry import Region
from napari_histreg.samples import demo_pair
from napari_histreg.slides import open_slide, write_slide

__all__ = ["SIDE_PX", "small_demo_pair"]

SIDE_PX = 256


def small_demo_pair(folder: Path) -> tuple[Path, Path]:
    """Write the fixed and the moving slide, by the names and with the channels of the demo."""
    made = demo_pair(folder)
    for path in (made.fixed, made.moving):
        with open_slide(path) as slide:
            pixels = slide.read(0, Region(0, 0, SIDE_PX, SIDE_PX))
            corner = open_slide(
                np.moveaxis(pixels, 0, -1) if slide.is_rgb else pixels,
                pixel_size_um=slide.pixel_size_um,
                channel_names=None if slide.is_rgb else [channel.name for channel in slide.channels],
            )
        path.unlink()
        write_slide(corner, path)
    return made.fixed, made.moving
