"""Where to look first at a result: the blocks that fit best, middling and worst."""

from dataclasses import dataclass

import numpy as np

from napari_histreg.progress import Progress, silent
from napari_histreg.quality.independent import IndependentCheck, check_alignment
from napari_histreg.records.record import Registration
from napari_histreg.slides import Slide
from napari_histreg.units import length_words

__all__ = ["Spot", "find_spots", "spots_of"]


@dataclass(frozen=True)
class Spot:
    """A place to look at.

    Parameters
    ----------
    name : {"best", "median", "worst"}
    point : (float, float)
        (y, x) in the fixed slide's world units.
    off : str
        How far the tissue is off there, in words.
    """

    name: str
    point: tuple[float, float]
    off: str


def find_spots(
    fixed: Slide, moving: Slide, registration: Registration, *, progress: Progress = silent
) -> tuple[Spot, ...]:
    """Check a result independently, block by block, and return where to look.

    Returns
    -------
    tuple of Spot
        Best, median and worst; none where nothing could be judged.
    """
    check = check_alignment(fixed, moving, registration.fixed_to_moving, progress=progress)
    return spots_of(check)


def spots_of(check: IndependentCheck) -> tuple[Spot, ...]:
    """Return the blocks with the smallest, the middle and the largest shift."""
    where = np.argwhere(check.judged)
    if not len(where):
        return ()
    order = where[np.argsort(check.distances[check.judged])]
    chosen = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
    return tuple(
        Spot(
            name,
            (float(check.centres[r, c][0]), float(check.centres[r, c][1])),
            length_words(float(check.distances[r, c]), check.unit),
        )
        for name, (r, c) in chosen.items()
    )
