"""Slides with fewer channels, and several slides of one frame as the channels of one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import Region
from napari_histreg.slides import Channel, PixelSource, Slide

__all__ = ["merge_slides", "select_channels"]


def select_channels(slide: Slide, channels: Sequence[int | str]) -> Slide:
    """Return a slide with some of the channels, lazily.

    Parameters
    ----------
    slide : Slide
        It must stay open as long as the result is used.
    channels : sequence of int or str
        Numbers or names, in the order wanted.

    Returns
    -------
    Slide

    Raises
    ------
    ValueError
        There is no such channel, or none is named.

    Examples
    --------
    >>> from napari_histreg.slides import open_slide
    >>> slide = open_slide(np.zeros((3, 20, 30), np.uint16))
    >>> len(select_channels(slide, [2, 0]).channels)
    2
    """
    if not channels:
        raise ValueError("Name at least one channel.")
    indices = tuple(slide.channel_index(channel) for channel in channels)
    return replace(
        slide,
        channels=tuple(slide.channels[k] for k in indices),
        source=_Selected(slide.source, indices),
        is_rgb=slide.is_rgb and indices == (0, 1, 2),
    )


def merge_slides(*slides: Slide, names: Sequence[str] | None = None) -> Slide:
    """Put the channels of slides that lie on one grid into one slide, lazily.

    The pixel type is one that holds all exactly. Names that occur more than once get the slide's name in
    front.

    Parameters
    ----------
    *slides : Slide
        On the same grid, such as results of `warp_slide`; they must stay open.
    names : sequence of str, optional
        To put before the names of all channels, one for each slide.

    Returns
    -------
    Slide
        Not RGB any more: colours become three channels.

    Raises
    ------
    ValueError
        No slide is given, or they do not have the same levels.

    Examples
    --------
    >>> from napari_histreg.slides import open_slide
    >>> one = open_slide(np.zeros((20, 30, 3), np.uint8))
    >>> two = open_slide(np.zeros((4, 20, 30), np.uint16))
    >>> merged = merge_slides(one, two)
    >>> len(merged.channels), merged.dtype.name
    (7, 'uint16')
    """
    if not slides:
        raise ValueError("There is no slide to merge.")
    first = slides[0]
    for other in slides[1:]:
        if first.levels != other.levels:
            raise ValueError(
                f"{first.name} and {other.name} do not lie on one grid: "
                f"{first.levels[0].shape} and {other.levels[0].shape}."
            )
    dtype = np.result_type(*(slide.dtype for slide in slides))
    return replace(
        first,
        name=" + ".join(slide.name for slide in slides),
        channels=_named(slides, names),
        dtype=dtype,
        source=_Merged(slides, dtype),
        is_rgb=False,
        background=0.0,
    )


def _named(slides: Sequence[Slide], prefixes: Sequence[str] | None) -> tuple[Channel, ...]:
    names = [channel.name for slide in slides for channel in slide.channels]
    before = [slide.name for slide in slides] if prefixes is None else prefixes
    return tuple(
        replace(channel, name=f"{prefix} {channel.name}")
        if prefixes is not None or names.count(channel.name) > 1
        else channel
        for slide, prefix in zip(slides, before, strict=True)
        for channel in slide.channels
    )


class _Selected:
    """Pixels of some channels."""

    def __init__(self, source: PixelSource, indices: tuple[int, ...]) -> None:
        self._source, self._indices = source, indices

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        wanted = self._indices if channels is None else tuple(self._indices[k] for k in channels)
        return self._source.read(level, region, wanted)

    def close(self) -> None:
        self._source.close()


class _Merged:
    """Pixels of several slides, one after the other."""

    def __init__(self, slides: Sequence[Slide], dtype: np.dtype[Any]) -> None:
        self._slides, self._dtype = tuple(slides), dtype
        self._ends = np.cumsum([0, *(len(slide.channels) for slide in slides)]).tolist()

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        wanted = list(range(self._ends[-1])) if channels is None else list(channels)
        out = np.empty((len(wanted), *region.shape), self._dtype)
        for slide, low, high in zip(self._slides, self._ends, self._ends[1:], strict=False):
            places = [k for k, channel in enumerate(wanted) if low <= channel < high]
            if places:
                out[places] = slide.read(level, region, [wanted[k] - low for k in places])
        return out

    def close(self) -> None:
        for slide in self._slides:
            slide.close()
