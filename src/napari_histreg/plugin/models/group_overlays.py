"""Pictures of each slide of a group over its neighbours, made once and kept while the result is the same."""

from collections.abc import Callable, Mapping

from napari_histreg.geometry import Frame
from napari_histreg.groups import GroupRegistration
from napari_histreg.groups.views import neighbour_overlay, seen_in_frame
from napari_histreg.progress import Progress
from napari_histreg.quality.drawing import Picture
from napari_histreg.quality.pictures import overlay
from napari_histreg.raster import Raster
from napari_histreg.slides import Slide
from napari_histreg.warping import Grid

__all__ = ["GroupOverlays"]

SIDE = 900
"""Longest side of a picture in pixels."""


class GroupOverlays:
    """Overlays of the slides of one result, on the frame of its template.

    Parameters
    ----------
    group : GroupRegistration
    slides : mapping of int to Slide
        Those that are at hand, by their places.

    Attributes
    ----------
    frame : Frame
        Where the pictures lie, world units of the template.
    """

    def __init__(self, group: GroupRegistration, slides: Mapping[int, Slide]) -> None:
        self._group, self._slides = group, dict(slides)
        grid = Grid.of(group.members[group.template].slide)
        longest = max(side * step for side, step in zip(grid.shape, grid.spacing, strict=True))
        self.frame: Frame = grid.with_spacing(max(longest / SIDE, *grid.spacing))
        self._seen: dict[int, Raster] = {}

    @property
    def places(self) -> tuple[int, ...]:
        """Slides that have a place and are at hand."""
        return tuple(k for k in self._group.placed if k in self._slides)

    def neighbours(self, k: int) -> tuple[int | None, int | None]:
        """Return the sections before and after one, over those that have no place; else the template."""
        if not self._group.ordered:
            return self._group.template if self._group.template in self._slides else None, None
        before = [j for j in self.places if j < k]
        after = [j for j in self.places if j > k]
        return (before[-1] if before else None), (after[0] if after else None)

    def caption(self, k: int) -> str:
        """Say what is shown where, in which colour."""
        names = self._group.names
        before, after = self.neighbours(k)
        if not self._group.ordered:
            beside = "" if before is None or before == k else f", {names[before]} magenta"
            return f"{names[k]} green{beside}; white where both are"
        parts = [f"{names[k]} green"]
        parts += [] if before is None else [f"{names[before]} red"]
        parts += [] if after is None else [f"{names[after]} blue"]
        return f"{', '.join(parts)}; grey where they agree"

    def begin(self, k: int) -> Callable[[Progress], Picture]:
        """Return the call that makes the overlay of a slide, (Y, X, 3) uint8, to be made in a thread."""

        def call(progress: Progress) -> Picture:
            before, after = self.neighbours(k)
            seen = {}
            for j in {k, before, after} - {None}:
                progress(0.5, "looking at the neighbours")
                seen[j] = self._look(j)  # type: ignore[arg-type]
            if self._group.ordered:
                return neighbour_overlay(seen.get(before), seen[k], seen.get(after))
            return overlay(seen.get(before, seen[k]), seen[k])

        return call

    def _look(self, k: int) -> Raster:
        if k not in self._seen:
            transform = self._group.between(self._group.template, k)
            self._seen[k] = seen_in_frame(self._slides[k], transform, self.frame)
        return self._seen[k]
