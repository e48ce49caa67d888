"""One plane of a slide as a coloured, lazy layer: what is dense in one is compared with the other."""

from collections.abc import Callable, Sequence
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from napari_histreg.plugin.layers.bend import BEND
from napari_histreg.plugin.layers.slides import SLIDE, VIEW, channel_of, short_name
from napari_histreg.preprocess import (
    choose_stains,
    estimate_white,
    find_nuclear_name,
    guess_modality,
    optical_density,
    separate_stains,
)
from napari_histreg.slides import Slide

__all__ = ["shown_channel", "signal_layer"]

GAMMA = 0.7
"""Below 1, so that weak signal shows too."""
HEADROOM = 2.0
"""Full resolution is darker in places than the overview by about this factor."""


def signal_layer(slide: Slide, layers: Sequence[Any], colour: str, channel: int | None = None) -> Any:
    """Make a layer of a slide's signal, bright on dark, in one colour.

    It reads the same tiles as the layers that show the slide, when they are looked at.

    Parameters
    ----------
    slide : Slide
    layers : sequence of Image layers
        Those that show it.
    colour : str
        Of napari's colour maps.
    channel : int, optional
        Which channel of a fluorescence slide; its nuclear stain by default.

    Returns
    -------
    napari Image layer
        Lies where the slide lies, and follows it.
    """
    from napari.layers import Image

    if slide.is_rgb:
        like = layers[0]
        levels = _stain_levels(list(like.data))
    else:
        wanted = shown_channel(slide) if channel is None else channel
        like = next((layer for layer in layers if channel_of(layer) == wanted), layers[0])
        levels = list(like.data)
    low, high = _limits(levels[-1])
    return Image(
        levels,
        multiscale=True,
        name=f"{short_name(slide)} ({colour})",
        colormap=colour,
        blending="additive",
        gamma=GAMMA,
        contrast_limits=(low, high),
        scale=like.scale,
        units=like.units,
        affine=like.affine,
        axis_labels=("y", "x"),
        metadata={SLIDE: slide, VIEW: True, BEND: like.metadata.get(BEND)},
        cache=False,
    )


def shown_channel(slide: Slide) -> int:
    """Return the channel to compare by: the nuclear stain, or the first."""
    return find_nuclear_name([channel.name for channel in slide.channels]) or 0


def _stain_levels(levels: Sequence[Any]) -> list[da.Array]:
    """Turn the levels of an RGB slide, (Y, X, 3), into its nuclear stain, (Y, X) of uint8, lazily.

    White and the colours of the stains come from the coarsest level, so that all tiles agree.
    """
    overview = np.moveaxis(np.asarray(levels[-1]), -1, 0)
    if guess_modality(overview, is_rgb=True) == "fluorescence":
        return [_per_tile(level, lambda pixels: pixels.max(-1)) for level in levels]
    white = estimate_white(overview)
    density = optical_density(overview, white)
    stains = choose_stains(density)
    full = float(np.percentile(separate_stains(density, stains)[0], 99.9)) * HEADROOM
    gain = 255.0 / max(full, 1e-6)

    def stain(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        amount = separate_stains(optical_density(np.moveaxis(pixels, -1, 0), white), stains)[0]
        return np.asarray(np.clip(amount * gain, 0, 255), np.uint8)

    return [_per_tile(level, stain) for level in levels]


def _per_tile(level: Any, function: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> da.Array:
    array = da.asarray(level)
    return array.map_blocks(function, dtype=np.uint8, drop_axis=2, meta=np.empty((0, 0), np.uint8))


def _limits(coarsest: Any) -> tuple[float, float]:
    plane = np.asarray(coarsest)
    low, high = np.percentile(plane, [5.0, 99.7])
    return float(low), float(high if high > low else low + 1)
