"""Grid: the pixels of an output frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import Frame
from napari_histreg.records.record import SlideRecord
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform

__all__ = ["Grid"]

_Framed = Slide | SlideRecord


@dataclass(frozen=True)
class Grid(Frame):
    """The frame of an output, in the fixed slide's world units; see `Frame`.

    Examples
    --------
    >>> Grid((100, 200), (0.5, 0.5)).with_spacing(1.0)
    Grid(shape=(50, 100), spacing=(1.0, 1.0), origin=(0.25, 0.25))
    """

    @classmethod
    def of(cls, slide: _Framed) -> "Grid":
        """Return the grid of a slide's level 0."""
        return cls(slide.shape, slide.world_pixel_size)

    @classmethod
    def union(cls, fixed: _Framed, moving: _Framed, fixed_to_moving: Transform) -> "Grid":
        """Return the fixed slide's grid, extended by whole pixels to hold all of the moving slide too.

        Parameters
        ----------
        fixed, moving : Slide or SlideRecord
            The slides.
        fixed_to_moving : Transform
            Maps fixed to moving in world units.

        Raises
        ------
        NotInvertible
            The transform has no inverse.
        """
        return cls.around(fixed, [(moving, fixed_to_moving)])

    @classmethod
    def around(cls, fixed: _Framed, others: Sequence[tuple[_Framed, Transform]]) -> "Grid":
        """Return the fixed slide's grid, extended by whole pixels to hold all of some others too.

        Parameters
        ----------
        fixed : Slide or SlideRecord
            Whose grid it is.
        others : sequence of (Slide or SlideRecord, Transform)
            Each with the map from the fixed slide to it, world units.

        Raises
        ------
        NotInvertible
            A transform has no inverse.
        """
        spacing = np.array(fixed.world_pixel_size)
        low, high = np.zeros(2), np.array(fixed.shape) - 1.0
        for moving, fixed_to_moving in others:
            edge = fixed_to_moving.inverse()(_outline(moving)) / spacing
            low = np.minimum(np.floor(np.nanmin(edge, axis=0)), low)
            high = np.maximum(np.ceil(np.nanmax(edge, axis=0)), high)
        height, width = (int(n) for n in high - low + 1)
        y, x = (float(v) for v in low * spacing)
        return cls((height, width), fixed.world_pixel_size, (y, x))

    def with_spacing(self, spacing: float) -> "Grid":
        """Return a grid over the same area with square pixels of another size in world units.

        Raises
        ------
        ValueError
            The size is not positive, or larger than the area.
        """
        old = np.array(self.spacing)
        extent = old * self.shape
        if not 0 < spacing <= float(extent.max()):
            raise ValueError(f"A pixel size lies above 0 and within the slide, not at {spacing!r}.")
        height, width = (max(int(n), 1) for n in np.ceil(extent / spacing - 1e-9))
        y, x = (float(v) for v in np.array(self.origin) - old / 2 + spacing / 2)
        return Grid.square((height, width), spacing, (y, x))


def _outline(slide: _Framed) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Walk round a slide's border in world units, fine enough for a map that bends."""
    height, width = np.array(slide.shape) * slide.world_pixel_size
    along = np.linspace(0.0, 1.0, 65)
    zero, one = np.zeros_like(along), np.ones_like(along)
    sides = [(along, zero), (along, one), (zero, along), (one, along)]
    corners = np.concatenate([np.stack(side, axis=1) for side in sides])
    return np.asarray(corners * (height, width) - np.array(slide.world_pixel_size) / 2)
