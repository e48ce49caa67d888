"""One plane of a slide as a coloured, lazy layer: what is dense in one is compared with the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from napari_histreg.caching import ArrayCache, ResultCache
from napari_histreg.geometry import FloatArray
from napari_histreg.plugin.layers.bend import BEND
from napari_histreg.plugin.layers.slides import SLIDE, VIEW, channel_of, short_name
from napari_histreg.preprocess import (
    choose_stains,
    estimate_white,
    find_nuclear_name,
    guess_modality,
    optical_density,
    separate_stains,
    tissue_mask,
)
from napari_histreg.preprocess.field import valid_field
from napari_histreg.slides import Slide

__all__ = ["prepare_signal", "renew_signal", "shown_channel", "signal_layer"]

GAMMA = 0.7
"""Below 1, so that weak signal shows too."""
CACHE_BYTES = 48 * 2**20
LEAST_GLASS = 0.02
"""Share of the overview that is glass for certain."""
EVEN = 0.98
"""Glass is hardly anywhere darker than by this factor."""
HEADROOM = 2.0
"""Full resolution is darker in places than the overview by about this factor."""


@dataclass(frozen=True, eq=False)
class _Look:
    """How a slide's signal is shown: what each tile becomes, None for as it is, and between which limits."""

    of_tile: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None
    limits: tuple[float, float]


_LOOKS: WeakKeyDictionary[Slide, ResultCache] = WeakKeyDictionary()


def prepare_signal(slide: Slide, layers: Sequence[Any]) -> None:
    """Find how the signal of a slide is to be shown, for when `signal_layer` is asked for it.

    It takes some tenths of a second, and may be called in any thread.

    Parameters
    ----------
    slide : Slide
    layers : sequence of Image layers
        Those that show it.
    """
    _look(slide, _source(slide, layers)[1])


def signal_layer(slide: Slide, layers: Sequence[Any], colour: str) -> Any:
    """Make a layer of a slide's signal, bright on dark, in one colour.

    It reads the same tiles as the layers that show the slide, when they are looked at.

    Parameters
    ----------
    slide : Slide
    layers : sequence of Image layers
        Those that show it.
    colour : str
        Of napari's colour maps.

    Returns
    -------
    napari Image layer
        Lies where the slide lies, and follows it; not visible yet.
    """
    from napari.layers import Image

    like, levels = _source(slide, layers)
    look = _look(slide, levels)
    return Image(
        _lazy(levels, look),
        multiscale=True,
        name=f"{short_name(slide)} ({colour})",
        colormap=colour,
        blending="additive",
        gamma=GAMMA,
        contrast_limits=look.limits,
        scale=like.scale,
        units=like.units,
        affine=like.affine,
        axis_labels=("y", "x"),
        metadata={SLIDE: slide, VIEW: True, BEND: like.metadata.get(BEND)},
        cache=False,
        visible=False,
    )


def renew_signal(signal: Any, slide: Slide, layers: Sequence[Any]) -> None:
    """Let a layer of `signal_layer` show what the layers of its slide show now: bent, or straight again."""
    like, levels = _source(slide, layers)
    signal.data = _lazy(levels, _look(slide, levels))
    signal.scale, signal.affine = like.scale, like.affine
    signal.metadata[BEND] = like.metadata.get(BEND)


def shown_channel(slide: Slide) -> int:
    """Return the channel to compare by: the nuclear stain, or the first."""
    return find_nuclear_name([channel.name for channel in slide.channels]) or 0


def _source(slide: Slide, layers: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Return the layer that the signal is taken from, and its levels."""
    wanted = None if slide.is_rgb else shown_channel(slide)
    like = next((layer for layer in layers if channel_of(layer) == wanted), layers[0])
    return like, list(like.data)


def _look(slide: Slide, levels: Sequence[Any]) -> _Look:
    """Return the look of a slide, found once: a bent slide keeps that of its own pixels."""
    return _LOOKS.setdefault(slide, ResultCache(1)).get("look", lambda: _found_look(slide, levels))


def _found_look(slide: Slide, levels: Sequence[Any]) -> _Look:
    """White and the colours of the stains come from the coarsest level, so that all tiles agree."""
    overview = np.asarray(levels[-1])
    if not slide.is_rgb:
        return _Look(None, _limits(overview))
    of_tile = _stain_of(np.moveaxis(overview, -1, 0))
    return _Look(of_tile, _limits(of_tile(overview)))


def _stain_of(overview: NDArray[np.uint8]) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Return what turns a tile of an RGB slide, (Y, X, 3), into its nuclear stain, (Y, X) of uint8."""
    if guess_modality(overview, is_rgb=True) == "fluorescence":
        return lambda pixels: np.asarray(pixels.max(-1))
    white = _glass(overview)
    density = optical_density(overview, white)
    stains = choose_stains(density)
    full = float(np.percentile(separate_stains(density, stains)[0], 99.9)) * HEADROOM
    gain = 255.0 / max(full, 1e-6)

    def stain(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        amount = separate_stains(optical_density(np.moveaxis(pixels, -1, 0), white), stains)[0]
        return np.asarray(np.clip(amount * gain, 0, 255), np.uint8)

    return stain


def _glass(overview: NDArray[np.uint8]) -> FloatArray:
    """Return the colour of the glass: by that of what is brighter still it would not be dark."""
    empty = valid_field(overview) & ~tissue_mask(overview, modality="brightfield")
    if empty.mean() >= LEAST_GLASS:
        low, middle = np.percentile(overview[:, empty], [10, 50], axis=1)
        # Pale tissue is never that even.
        if (low >= EVEN * middle).all():
            return np.asarray(np.maximum(middle, 1.0))
    return estimate_white(overview)


def _lazy(levels: list[Any], look: _Look) -> list[Any]:
    if look.of_tile is None:
        return levels
    cache = ArrayCache(CACHE_BYTES)
    return [_per_tile(level, look.of_tile, cache) for level in levels]


def _per_tile(
    level: Any, function: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], cache: ArrayCache
) -> da.Array:
    """Change each tile of a level, (Y, X, 3) to (Y, X): who moves about sees the same ones again."""
    array = da.asarray(level)

    def changed(pixels: NDArray[np.uint8], block_id: tuple[int, ...] = ()) -> NDArray[np.uint8]:
        return cache.get((array.shape, block_id), lambda: function(pixels))

    return array.map_blocks(changed, dtype=np.uint8, drop_axis=2, meta=np.empty((0, 0), np.uint8))


def _limits(plane: NDArray[Any]) -> tuple[float, float]:
    low, high = np.percentile(plane, [5.0, 99.7])
    return float(low), float(high if high > low else low + 1)
