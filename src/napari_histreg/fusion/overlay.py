"""One slide in colours over another in grey: PET or SPECT over CT or MR."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.fusion.one_grid import check_one_grid
from napari_histreg.geometry import Region
from napari_histreg.slides import Channel, Slide
from napari_histreg.slides.computed import ComputedBlocks

__all__ = ["colour_overlay"]

LOW_PERCENT, HIGH_PERCENT = 0.5, 99.8


def colour_overlay(below: Slide, above: Slide, colours: str = "hot", *, opacity: float = 0.7) -> Slide:
    """Lay a slide in colours over one in grey; where it is dark, the one below shows through.

    Parameters
    ----------
    below : Slide
        Shows where things are: a CT or an MR. Several channels are shown by their mean.
    above : Slide
        On the same grid: PET, SPECT. Both must stay open as long as the result is used.
    colours : str
        Name of a colour map of matplotlib, such as "hot", "viridis" or "jet".
    opacity : float
        Of what is brightest, 0 to 1; half as bright covers half as much.

    Returns
    -------
    Slide
        RGB, 8 bit, lazy.

    Raises
    ------
    ValueError
        The slides do not lie on one grid, or there is no such colour map.

    Examples
    --------
    >>> from napari_histreg.slides import open_slide
    >>> grey, spot = np.tile(np.arange(32.0), (32, 1)), np.zeros((32, 32))
    >>> spot[8, 8] = 5
    >>> shown = colour_overlay(open_slide(grey), open_slide(spot), "hot", opacity=1).read_level(0)
    >>> shown[:, 8, 8].tolist(), shown[:, 20, 31].tolist()
    ([255, 255, 255], [255, 255, 255])
    """
    check_one_grid([below, above])
    if not 0 <= opacity <= 1:
        raise ValueError(f"The opacity is from 0 to 1, not {opacity}.")
    table = _table(colours)
    levels = below.levels if below.levels == above.levels else below.levels[:1]
    limits = [_limits(slide) for slide in (below, above)]

    def strength(slide: Slide, level: int, block: Region, limit: tuple[float, float]) -> NDArray[np.float32]:
        pixels = np.nan_to_num(slide.read(level, block).astype(np.float32)).mean(axis=0)
        return np.asarray(np.clip((pixels - limit[0]) / (limit[1] - limit[0]), 0, 1), np.float32)

    def compute(level: int, block: Region, channels: tuple[int, ...]) -> NDArray[Any]:
        grey = strength(below, level, block, limits[0])
        hot = strength(above, level, block, limits[1])
        cover = np.float32(opacity) * hot
        coloured = table[np.rint(255 * hot).astype(np.uint8)]
        mixed = [(1 - cover) * grey + cover * coloured[..., k] for k in channels]
        return np.asarray(np.rint(255 * np.stack(mixed)), np.uint8)

    return replace(
        below,
        name=f"{above.name} over {below.name}",
        levels=levels,
        channels=(Channel("red"), Channel("green"), Channel("blue")),
        dtype=np.dtype(np.uint8),
        source=ComputedBlocks(levels, 3, np.dtype(np.uint8), compute, interleaved=True),
        is_rgb=True,
        background=0.0,
        path=None,
        metadata={"overlay": colours},
    )


def _table(name: str) -> NDArray[np.float32]:
    """Return the 256 colours of a map, 0 to 1."""
    from matplotlib import colormaps

    if name not in colormaps:
        raise ValueError(f"There is no colour map {name!r}. There are hot, inferno, viridis, jet and others.")
    return np.asarray(colormaps[name](np.arange(256) / 255)[:, :3], np.float32)


def _limits(slide: Slide) -> tuple[float, float]:
    overview = np.nan_to_num(slide.read_level(slide.level_for_size()).astype(np.float32)).mean(axis=0)
    low, high = np.percentile(overview, (LOW_PERCENT, HIGH_PERCENT))
    # A few hot voxels are less than the percentile leaves.
    high = float(overview.max()) if high <= low else float(high)
    return float(low), max(high, float(low) + 1e-6)
