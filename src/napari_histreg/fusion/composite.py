"""A fluorescence slide that looks like a stained one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import Region
from napari_histreg.slides import Channel, Slide
from napari_histreg.slides.computed import ComputedBlocks

__all__ = ["EOSIN", "HAEMATOXYLIN", "brightfield_composite"]

HAEMATOXYLIN, EOSIN = (0.30, 0.20, 0.55), (0.95, 0.45, 0.65)
"""Colours (red, green, blue, 0 to 1) of glass with the dye at full strength."""

LOW_PERCENT, HIGH_PERCENT = 1.0, 99.8


def brightfield_composite(
    slide: Slide, colours: Mapping[int | str, tuple[float, float, float]] | None = None
) -> Slide:
    """Show fluorescence as if its dyes absorbed light, for looking only [1]_.

    Parameters
    ----------
    slide : Slide
        Fluorescence; it must stay open as long as the result is used.
    colours : mapping of int or str to (float, float, float), optional
        For each channel to show, the colour of glass with that dye at full strength. By default the first
        channel looks like haematoxylin and the second, where there is one, like eosin.

    Returns
    -------
    Slide
        RGB on white, 8 bit, lazy.

    Raises
    ------
    ValueError
        There is no such channel, or a colour is not between 0 and 1.

    References
    ----------
    .. [1] M. G. Giacomelli et al., PLoS ONE 11(8), e0159337, 2016. doi:10.1371/journal.pone.0159337

    Examples
    --------
    >>> from napari_histreg.slides import open_slide
    >>> glowing = np.zeros((2, 32, 32), np.uint16)
    >>> glowing[0, 8:16, 8:16] = 1000
    >>> shown = brightfield_composite(open_slide(glowing)).read_level(0)
    >>> shown[:, 0, 0].tolist(), shown[:, 10, 10].tolist()
    ([255, 255, 255], [76, 51, 140])
    """
    if colours is None:
        colours = dict(zip(range(len(slide.channels)), (HAEMATOXYLIN, EOSIN), strict=False))
    if not colours:
        raise ValueError("Name at least one channel with its colour.")
    indices = tuple(slide.channel_index(channel) for channel in colours)
    glass = np.array(list(colours.values()), np.float32)
    if glass.shape != (len(indices), 3) or glass.min() < 0 or glass.max() > 1:
        raise ValueError(
            f"Colours are three numbers from 0 to 1 for each channel, not {list(colours.values())}."
        )
    density = -np.log(np.maximum(glass, 1e-3))
    overview = slide.read_level(slide.level_for_size(), indices).reshape(len(indices), -1)
    low, high = np.nanpercentile(overview, (LOW_PERCENT, HIGH_PERCENT), axis=1).astype(np.float32)
    high = np.maximum(high, low + np.float32(1e-6))

    def compute(level: int, block: Region, channels: tuple[int, ...]) -> NDArray[Any]:
        pixels = slide.read(level, block, indices).astype(np.float32)
        strength = np.clip((np.nan_to_num(pixels) - low[:, None, None]) / (high - low)[:, None, None], 0, 1)
        absorbed = np.einsum("chw,cr->rhw", strength, density[:, list(channels)])
        return np.asarray(np.rint(255 * np.exp(-absorbed)), np.uint8)

    return replace(
        slide,
        name=f"{slide.name} as brightfield",
        channels=(Channel("red"), Channel("green"), Channel("blue")),
        dtype=np.dtype(np.uint8),
        source=ComputedBlocks(slide.levels, 3, np.dtype(np.uint8), compute),
        is_rgb=True,
        background=255.0,
    )
