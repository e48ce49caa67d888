"""Coarse to fine: measure, fit, look where least is known, measure there, and go one level finer."""

from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.registration.automatic.bending.mapping import BentMap
from napari_histreg.registration.automatic.bending.measurements import (
    Measurements,
    best_of_each_tile,
    measure,
)
from napari_histreg.registration.automatic.bending.pieces import PiecewiseField, fit_pieces
from napari_histreg.registration.automatic.bending.places import Ground
from napari_histreg.registration.automatic.bending.tears import Breaks, find_breaks
from napari_histreg.registration.automatic.bending.uncertainty import Uncertainty
from napari_histreg.registration.automatic.tiles import Side, Window

__all__ = ["Refinement", "windows"]

FIRST_SIDE = 288
"""Pixels across the overlap at the coarsest level."""

STEP = 3.0
"""Ratio of one level's spacing to the next, at most."""

FIRST_TILE, FIRST_REACH = 64, 12
TILE, REACH, PARTS = 128, 8, 2
LEAST_ACROSS = 8  # tiles across the overlap, unless they would be smaller than the first

PLACES, LAST_PLACES = 70, 120
"""Tiles that a level, and the finest level, starts with, about."""

ASIDE = 7
"""Every so many tiles take no part, so that they can judge the result."""

MORE = 40
"""Tiles added at once where least is known."""

MOST = 1200
"""Measurements of a level, about, at most."""

NEAR_PX = 2.0
LEAST_SHARE = 0.3
LEAST_TILES = 8
CHANCE_Z, CHANCE_WIDTH = 4.6, 0.4
"""Height that the best of all shifts of an unrelated tile reaches, and how far it scatters."""

CLEAR_Z = 5.5
"""A tile that stands out so far may contradict its neighbours."""

TRUSTED = 0.15
"""Weight below which a measurement is left out."""

ENOUGH_PX = 0.2
"""Standard deviation in pixels of the finest level that is asked for everywhere."""


def windows(extent: float, finest: float) -> tuple[Window, ...]:
    """Return the levels from coarse to fine.

    Examples
    --------
    >>> [round(w.spacing, 1) for w in windows(8000.0, 1.0)]
    [27.8, 12.1, 5.3, 2.3, 1.0]
    """
    first = max(extent / FIRST_SIDE, finest)
    count = int(np.ceil(np.log(first / finest) / np.log(STEP) - 1e-9))
    spacings = np.geomspace(first, finest, count + 1) if count else np.array([first])
    # A small overlap is covered by several tiles all the same.
    sides = np.clip(extent / spacings / LEAST_ACROSS, FIRST_TILE, TILE).astype(int)
    return tuple(
        Window(float(spacing), int(side) // 2 * 2, *((FIRST_REACH, 1) if k == 0 else (REACH, PARTS)))
        for k, (spacing, side) in enumerate(zip(spacings, sides, strict=True))
    )


@dataclass(eq=False)
class Refinement:
    """The state of a refinement.

    Parameters
    ----------
    sides : (Side, Side)
        Fixed and moving.
    base : (3, 3) ndarray
        Affine start, fixed to moving.
    ground : Ground
        Where tissue is.
    found : dict
        Takes what each level found, for the record.
    kept : Measurements
        Those in the field, of all levels.
    field : PiecewiseField or None
        The displacement so far.
    held : Measurements
        Tiles of the finest level that took no part.
    finest : float
        Spacing of that level.
    breaks : Breaks or None
        Where the tissue is torn or folded.
    """

    sides: tuple[Side, Side]
    base: FloatArray
    ground: Ground
    found: dict[str, Any]
    kept: Measurements = dataclass_field(default_factory=Measurements.none)
    field: PiecewiseField | None = None
    held: Measurements = dataclass_field(default_factory=Measurements.none)
    finest: float = np.inf
    breaks: Breaks | None = None

    @property
    def bent(self) -> BentMap:
        """The alignment as far as it is known."""
        return BentMap(self.base, self.field)

    def run(self, levels: tuple[Window, ...], *, progress: Progress = silent) -> int:
        """Go through the levels as far as tiles agree; return how many were of use."""
        for k, window in enumerate(levels):
            part = portion(progress, k / len(levels), (k + 1) / len(levels))
            following = levels[k + 1].spacing if k + 1 < len(levels) else None
            if not self._advance(window, following, part):
                return k
        return len(levels)

    def _advance(self, window: Window, following: float | None, progress: Progress) -> bool:
        """Measure at a level and fit; False where the tiles do not agree with one another."""
        size = window.side * window.spacing
        first, count = self.field is None, PLACES if following is not None else LAST_PLACES
        pitch = size / 2 if first else max(0.8 * size, np.sqrt(self.ground.area / count))
        tolerance = ENOUGH_PX * window.spacing if following is None else following
        before = self.kept, self.field, self.breaks
        early, late = portion(progress, 0.0, 0.6), portion(progress, 0.6, 1.0)
        asked = self._measure(self.ground.places(pitch, size), window, early)
        aside = asked.tiles % ASIDE == ASIDE // 2
        held, level = asked[aside], asked[~aside]
        agreeing = self._take(before[0], level, window)
        if agreeing < max(LEAST_TILES, LEAST_SHARE * len(level)):
            self.found[f"tiles agreeing at {window.spacing:.3g}"] = f"{agreeing} of {len(level)}"
            self.kept, self.field, self.breaks = before
            return False
        while len(level) < MOST:
            taken = np.concatenate([level.places, held.places])
            wanted = self._unknown(max(pitch / 2, size / 2), size, tolerance, taken)
            if len(wanted) < LEAST_TILES:
                break
            more = self._measure(wanted, window, late)
            level = Measurements.joined([level, more])
            agreeing = self._take(before[0], level, window)
        self.found[f"tiles agreeing at {window.spacing:.3g}"] = f"{agreeing} of {len(level)}"
        self.held, self.finest = held, window.spacing
        return True

    def _take(self, earlier: Measurements, level: Measurements, window: Window) -> int:
        """Fit to a level and to what coarser ones say where it says nothing; return how many agree."""
        level = replace(level, deviations=_doubted(level, window))
        everything = Measurements.joined([_unless_near(earlier, level[level.z > CHANCE_Z]), level])
        self.breaks = find_breaks(everything, CLEAR_Z)
        self.field, order = fit_pieces(everything, self.breaks)
        self.kept = everything[order][self.field.weights > TRUSTED]
        own = order >= len(everything) - len(level)
        missed = np.linalg.norm(self.field.left_out.residuals[own], axis=1)
        return int((missed <= NEAR_PX * window.spacing).sum())

    def _measure(self, places: FloatArray, window: Window, progress: Progress) -> Measurements:
        """Measure tiles; close to where tissue is torn as part of either piece, whichever fits better."""
        if self.field is None or len(self.field.pieces) == 1:
            return measure(self.sides, self.bent, places, window, progress=progress)
        near = self.field.near_pieces(places, window.side * window.spacing)
        found = []
        for k, (piece, mask) in enumerate(zip(self.field.pieces, near, strict=True)):
            index = np.flatnonzero(mask)
            part = portion(progress, k / len(near), (k + 1) / len(near))
            seen = measure(self.sides, BentMap(self.base, piece), places[index], window, progress=part)
            found.append(replace(seen, tiles=index[seen.tiles.astype(int)].astype(float)))
        return best_of_each_tile(found)

    @property
    def uncertainty(self) -> Uncertainty | None:
        """How far the displacement may be off; None before anything was measured."""
        return None if self.field is None else Uncertainty(self.field, self.finest)

    def _unknown(self, pitch: float, size: float, tolerance: float, taken: FloatArray) -> FloatArray:
        """Choose places where the displacement is least known, away from one another and from those taken."""
        from scipy.spatial import cKDTree

        pool = self.ground.places(pitch, size)
        if len(pool):
            pool = pool[cKDTree(taken).query(pool)[0] > size / 2]
        if not len(pool) or self.uncertainty is None:
            return pool
        spread = self.uncertainty.deviation(pool)
        order = np.argsort(-spread, kind="stable")
        chosen: list[int] = []
        for k in order[spread[order] > tolerance]:
            if all(np.abs(pool[k] - pool[j]).max() > size for j in chosen):
                chosen.append(int(k))
            if len(chosen) >= MORE:
                break
        return pool[chosen]


def _doubted(level: Measurements, window: Window) -> FloatArray:
    """Let a correlation that chance may have made claim no more than that it is within reach."""
    chance = 1 / (1 + np.exp(np.clip((level.z - CHANCE_Z) / CHANCE_WIDTH, -30, 30)))
    reach = window.reach * window.spacing / np.sqrt(3)
    return np.asarray(np.sqrt(level.deviations**2 + chance * reach**2))


def _unless_near(earlier: Measurements, level: Measurements) -> Measurements:
    """Keep coarser measurements where no finer one was made within their tile."""
    from scipy.spatial import cKDTree

    if not len(earlier) or not len(level):
        return earlier
    distance = cKDTree(level.places).query(earlier.places)[0]
    alone: NDArray[np.bool_] = distance > earlier.sides / 2
    return earlier[alone]
