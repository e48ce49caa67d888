"""A slide's file, kept from being replaced while the slide is open."""

import weakref
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from napari_histreg.files.claims import claim
from napari_histreg.geometry import Region
from napari_histreg.slides.address import file_of
from napari_histreg.slides.slide import PixelSource, Slide

__all__ = ["claimed_slide"]


def claimed_slide(slide: Slide) -> Slide:
    """Return the slide with its files claimed until it is closed or forgotten.

    Parameters
    ----------
    slide : Slide
        With a path; ``metadata["files"]`` names further files that it reads.
    """
    own = [] if slide.path is None else [file_of(slide.path)]
    paths = [str(path) for path in (*own, *slide.metadata.get("files", ()))]
    return replace(slide, source=_Claimed(slide.source, paths))


class _Claimed:
    """Pixel source that holds claims on the files that it reads."""

    def __init__(self, source: PixelSource, paths: Sequence[str]) -> None:
        self.inner = source
        self._ends = [weakref.finalize(self, claim(path)) for path in paths]

    def read(self, level: int, region: Region, channels: Sequence[int] | None = None) -> NDArray[Any]:
        """Read a region; see `PixelSource`."""
        return self.inner.read(level, region, channels)

    def close(self) -> None:
        """Close the source and give up the claims."""
        self.inner.close()
        for give_up in self._ends:
            give_up()
