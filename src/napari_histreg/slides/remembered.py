"""A slide whose overviews are read once, for work that looks at it again and again."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from numpy.typing import NDArray

from napari_histreg.caching import ArrayCache, ResultCache
from napari_histreg.geometry import Region
from napari_histreg.slides.slide import PixelSource, Slide

__all__ = ["recall", "remember_overviews"]

Result = TypeVar("Result")

OVERVIEW_BYTES = 64_000_000
"""A level that is read whole is an overview up to this size."""


def remember_overviews(slide: Slide, cache: ArrayCache, results: ResultCache | None = None) -> Slide:
    """Return the same slide, whose coarse levels are kept where they were read whole.

    Parameters
    ----------
    slide : Slide
        Stays open as long as the result is used.
    cache : ArrayCache
        Several slides may share one.
    results : ResultCache, optional
        Keeps what `recall` makes of the slide; several slides may share one.

    Returns
    -------
    Slide

    Examples
    --------
    >>> import numpy as np
    >>> from napari_histreg.slides.opening import open_slide
    >>> cache = ArrayCache(1000)
    >>> slide = remember_overviews(open_slide(np.ones((4, 5), np.uint8)), cache)
    >>> slide.read_level(0).sum(), cache.size
    (np.uint64(20), 20)
    """
    return replace(slide, source=_Remembered(slide, cache, results or ResultCache(1)))


def recall(slide: Slide, what: Hashable, make: Callable[[], Result]) -> Result:
    """Return what was made of a slide's overview before, or make it.

    Only a slide of `remember_overviews` remembers; of any other it is made each time.

    Parameters
    ----------
    slide : Slide
        The slide.
    what : hashable
        What is made, and with which settings.
    make : callable
        Makes it; nobody may change what it gives.

    Returns
    -------
    object
        What `make` gave.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_histreg.slides.opening import open_slide
    >>> slide = remember_overviews(open_slide(np.ones((4, 5), np.uint8)), ArrayCache(1000))
    >>> recall(slide, "mean", lambda: 1.0), recall(slide, "mean", lambda: 2.0)
    (1.0, 1.0)
    """
    source = slide.source
    return source.results.get((id(source), what), make) if isinstance(source, _Remembered) else make()


class _Remembered:
    """Pixels of a slide, whole levels from a cache."""

    def __init__(self, slide: Slide, cache: ArrayCache, results: ResultCache) -> None:
        self._source: PixelSource = slide.source
        self._whole = [Region.whole(level.shape) for level in slide.levels]
        self._cache = cache
        self.results = results

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        if region != self._whole[level]:
            return self._source.read(level, region, channels)
        key = id(self), level, None if channels is None else tuple(channels)
        found = self._cache.get(key, lambda: self._source.read(level, region, channels), keep=False)
        if found.nbytes <= OVERVIEW_BYTES and key not in self._cache:
            self._cache.get(key, lambda: found)
        # Whoever reads pixels may change them.
        return found.copy()

    def close(self) -> None:
        """Close the slide's own pixels."""
        self._source.close()
