"""Grid: the pixels of an output frame."""

from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import Frame
from napari_histreg.records.record import SlideRecord
from napari_histreg.slides import Slide
from napari_histreg.transforms import Transform

__all__ = ["Grid"]


@dataclass(frozen=True)
class Grid(Frame):
    """The frame of an output, in the fixed slide's world units; see `Frame`.

    Examples
    --------
    >>> Grid((100, 200), (0.5, 0.5)).with_spacing(1.0)
    Grid(shape=(50, 100), spacing=(1.0, 1.0), origin=(0.25, 0.25))
    """

    @classmethod
    def of(cls, slide: Slide | SlideRecord) -> "Grid":
        """Return the grid of a slide's level 0."""
        return cls(slide.shape, slide.world_pixel_size)

    @classmethod
    def union(cls, fixed: Slide, moving: Slide, fixed_to_moving: Transform) -> "Grid":
        """Return the fixed slide's grid, extended by whole pixels to hold all of the moving slide too.

        Parameters
        ----------
        fixed, moving : Slide
            The slides.
        fixed_to_moving : Transform
            Maps fixed to moving in world units.

        Raises
        ------
        NotInvertible
            The transform has no inverse.
        """
        spacing = np.array(fixed.world_pixel_size)
        edge = fixed_to_moving.inverse()(_outline(moving)) / spacing
        low = np.minimum(np.floor(np.nanmin(edge, axis=0)), 0.0)
        high = np.maximum(np.ceil(np.nanmax(edge, axis=0)), np.array(fixed.shape) - 1.0)
        height, width = (int(n) for n in high - low + 1)
        y, x = (float(v) for v in low * spacing)
        return cls((height, width), fixed.world_pixel_size, (y, x))

    def with_spacing(self, spacing: float) -> "Grid":
        """Return a grid over the same area with square pixels of another size in world units."""
        old = np.array(self.spacing)
        extent = old * self.shape
        height, width = (max(int(n), 1) for n in np.ceil(extent / spacing - 1e-9))
        y, x = (float(v) for v in np.array(self.origin) - old / 2 + spacing / 2)
        return Grid.square((height, width), spacing, (y, x))


def _outline(slide: Slide) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Walk round a slide's border in world units, fine enough for a map that bends."""
    height, width = slide.size
    along = np.linspace(0.0, 1.0, 65)
    zero, one = np.zeros_like(along), np.ones_like(along)
    sides = [(along, zero), (along, one), (zero, along), (one, along)]
    corners = np.concatenate([np.stack(side, axis=1) for side in sides])
    return np.asarray(corners * (height, width) - np.array(slide.world_pixel_size) / 2)
