"""Searches for a pose: how hard they try, and where, if a coarser one has told."""

from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import Picture
from napari_histreg.matching.pose_promise import Promise
from napari_histreg.matching.pose_search import Grid
from napari_histreg.matching.poses import Poses
from napari_histreg.progress import Progress
from napari_histreg.registration.automatic.hypotheses import KEPT, propose_by_search

__all__ = ["EXHAUSTIVE", "GLANCE", "QUICK", "THOROUGH", "Effort", "PoseSearch"]


@dataclass(frozen=True)
class Effort:
    """How hard a search tries.

    Parameters
    ----------
    name : str
        For the record.
    grid : Grid
        Working size and steps; steps are half as wide as a true pose can be off and still win.
    count : int
        Distinct poses that are refined.
    widest : float
        Scales beyond this ratio of the fields of view are left out where the scale is unknown.
    """

    name: str
    grid: Grid
    count: int
    widest: float = np.inf


QUICK = Effort("quick search", Grid(side=96, step_deg=5.0, step_scale=0.08), 12)
# Tells a thorough search of many scales where to look, or finds at once what is plain.
GLANCE = Effort("quick search", Grid(side=80, step_deg=6.0, step_scale=0.1), 6)
THOROUGH = Effort("thorough search", Grid(side=128, step_deg=4.0, step_scale=0.06), 36)
# Sparse pictures, such as collagen, show enough edges at this size only.
EXHAUSTIVE = Effort("exhaustive search", Grid(side=160, step_deg=3.0, step_scale=0.05), KEPT, widest=1.7)


@dataclass(eq=False)
class PoseSearch:
    """A proposer that searches rotation, mirror, scale and shift; a coarser one can tell it where.

    Parameters
    ----------
    pictures : (Picture, Picture)
        Fixed and moving.
    scales : (float, float)
        Least and largest scale, moving world units per fixed world unit.
    effort : Effort
        How hard.
    mirror : bool
        Whether mirrored poses are searched.
    known : (float, float), optional
        Scales that other searches have looked at already.
    coarser : PoseSearch, optional
        Only where this one found something is looked at, once it has searched.
    share : float
        The best share of what it found counts as something.
    """

    pictures: tuple[Picture, Picture]
    scales: tuple[float, float]
    effort: Effort
    mirror: bool = True
    known: tuple[float, float] | None = None
    coarser: "PoseSearch | None" = None
    share: float = 1.0
    _poses: Poses | None = None

    def __call__(self, progress: Progress) -> tuple[list[FloatArray], dict[str, float]]:
        """Search; see `propose_by_search`."""
        found = None if self.coarser is None else self.coarser._poses
        starts, figures, self._poses = propose_by_search(
            *self.pictures,
            self._laid_scales(),
            self.effort.grid,
            mirror=self.mirror,
            count=self.effort.count,
            worth=None if found is None else Promise.of(found, self.share),
            progress=progress,
        )
        return starts, figures

    def _laid_scales(self) -> FloatArray:
        fixed, moving = self.pictures
        ratio, widest = moving.extent / fixed.extent, self.effort.widest
        low, high = max(self.scales[0], ratio / widest), min(self.scales[1], ratio * widest)
        # Pixel sizes may put the scale outside: they are believed, the ratio of fields of view is a guess.
        laid = self.effort.grid.scales(*((low, high) if low < high else self.scales))
        if self.known is None:
            return laid
        new = laid[(laid < self.known[0]) | (laid > self.known[1])]
        return new if len(new) else laid
