"""One look at two slides, block by block: what the independent check is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.block_correlation import block_centres
from napari_histreg.preprocess.planes import working_spacing
from napari_histreg.preprocess.signal import Signal, extract_signals
from napari_histreg.preprocess.tissue import tissue_mask
from napari_histreg.quality.blocks import BlockShifts, block_shifts
from napari_histreg.quality.fields import Field, contrast_field, direction_field
from napari_histreg.quality.views import matching_spacing
from napari_histreg.raster import Raster
from napari_histreg.slides.slide import Slide
from napari_histreg.transforms import Transform, resample

__all__ = ["LEAST_TISSUE", "Comparison", "Look", "Representation", "Stage"]

Representation = Literal["directions", "contrast"]

SURE_SCORE, SURE_MARGIN = 5.0, 0.8
"""Height of a peak over chance, and its lead over the next, from which a block counts as judged."""

PAIRS: tuple[tuple[Signal, Signal], ...] = (
    ("nuclear", "nuclear"),
    ("density", "density"),
    ("other", "other"),
    ("density", "nuclear"),
    ("nuclear", "density"),
)
"""Signals whose local contrast is tried against each other, fixed and moving."""

LEAST_TISSUE = 0.15
"""Share of a block that must be tissue for the block to count."""


@dataclass(frozen=True, eq=False)
class Look:
    """What one pass found, arrays on its grid of blocks, positions in world units."""

    at: FloatArray
    found: FloatArray
    judged: NDArray[np.bool_]
    certainty: FloatArray
    tissue: FloatArray
    other_tissue: FloatArray
    block: float

    @property
    def share(self) -> float:
        """Share of the tissue that is judged."""
        return float(self.tissue[self.judged].sum()) / max(float(self.tissue.sum()), 1e-9)

    def filled_by(self, other: "Look") -> "Look":
        """Take from another pass over the same grid what this one could not judge."""
        take = ~self.judged & other.judged
        return replace(
            self,
            found=np.where(take[..., None], other.found, self.found),
            judged=self.judged | take,
            certainty=np.where(take, other.certainty, self.certainty),
        )


class Comparison:
    """Turns signals into fields; for contrast it settles once on the pair of signals that agrees best."""

    def __init__(self, representation: Representation) -> None:
        self.representation = representation
        self.pair: tuple[Signal, Signal, float] | None = None

    def fields(
        self, fixed: Mapping[Signal, Raster], moving: Mapping[Signal, Raster], block: int, reach: int
    ) -> tuple[list[Field], list[Field]]:
        """Return the fields to compare, pair by pair."""
        if self.representation == "directions":
            names: tuple[Signal, ...] = ("nuclear", "other", "density")
            return [direction_field(fixed[n]) for n in names], [direction_field(moving[n]) for n in names]
        if self.pair is None:
            self.pair = self._best_pair(fixed, moving, block, reach)
        one, other, sign = self.pair
        return [contrast_field(fixed[one])], [np.complex64(sign) * contrast_field(moving[other])]

    @staticmethod
    def _best_pair(
        fixed: Mapping[Signal, Raster], moving: Mapping[Signal, Raster], block: int, reach: int
    ) -> tuple[Signal, Signal, float]:
        best: tuple[float, tuple[Signal, Signal, float]] = (-1.0, (*PAIRS[0], 1.0))
        for one, other in PAIRS:
            a, b = contrast_field(fixed[one]), contrast_field(moving[other])
            for sign in (1.0, -1.0):
                found = block_shifts([a], [np.complex64(sign) * b], block_px=block, reach_px=reach)
                worth = float(np.nansum(np.clip(found.scores - SURE_SCORE + 1, 0, None)))
                if worth > best[0]:
                    best = (worth, (one, other, sign))
        return best[1]


@dataclass(frozen=True, eq=False)
class Stage:
    """Both slides' signals at one size."""

    fixed: Mapping[Signal, Raster]
    moving: Mapping[Signal, Raster]
    fixed_to_moving: Transform

    @classmethod
    def of(cls, fixed: Slide, moving: Slide, fixed_to_moving: Transform, side: int) -> "Stage":
        """Read both slides so that the fixed one has `side` pixels along its longer side."""
        ours = extract_signals(fixed, working_spacing(fixed, side))
        spacing = matching_spacing(moving, fixed_to_moving, ours["density"].frame, 4 * side)
        return cls(ours, extract_signals(moving, spacing), fixed_to_moving)

    @property
    def frame(self) -> Raster:
        """The fixed slide's grid of pixels."""
        return self.fixed["density"]

    def look(
        self,
        compare: Comparison,
        common: Transform,
        block: int,
        reach: int,
        before: Look | None = None,
    ) -> Look:
        """Compare all blocks, with the common part of the error taken away first."""
        through = common.then(self.fixed_to_moving)
        seen = {name: resample(raster, through, self.frame) for name, raster in self.moving.items()}
        a, b = compare.fields(self.fixed, seen, block, reach)
        start = None if before is None else self._expected(block, common, before)
        shifts = block_shifts(a, b, block_px=block, reach_px=reach, start=start)
        return self._weighed(shifts, seen, common)

    def _expected(self, block: int, common: Transform, before: Look) -> FloatArray | None:
        """Return each block's whole-pixel shift as the nearest judged block of an earlier look had it."""
        from scipy.spatial import cKDTree

        if not before.judged.any():
            return None
        grid = block_centres(self.frame.shape, block)
        left = common.inverse()(before.found[before.judged]) - before.at[before.judged]
        _, nearest = cKDTree(before.at[before.judged]).query(self.frame.to_world(grid.reshape(-1, 2)))
        steps = left[nearest] / np.asarray(self.frame.spacing)
        return np.asarray(np.round(steps).reshape(grid.shape))

    def _weighed(self, shifts: BlockShifts, seen: Mapping[Signal, Raster], common: Transform) -> Look:
        flat = shifts.centres.reshape(-1, 2)
        at = self.frame.to_world(flat)
        found = common(self.frame.to_world(flat + shifts.shifts.reshape(-1, 2)))
        ours = _block_share(_stuff(self.fixed) & self.frame.mask, shifts)
        theirs = _block_share(_stuff(seen) & seen["density"].mask, shifts)
        enough = ours >= LEAST_TISSUE
        sure = (shifts.scores > SURE_SCORE) & (shifts.leads > SURE_MARGIN) & enough
        height = np.clip((shifts.scores - 3.0) / 4.0, 0, 1)
        lead = np.clip(shifts.leads / (2 * SURE_MARGIN), 0, 1)
        return Look(
            at=at.reshape(shifts.centres.shape),
            found=found.reshape(shifts.centres.shape),
            judged=np.asarray(sure, bool),
            certainty=np.nan_to_num(height * lead),
            tissue=ours,
            other_tissue=theirs,
            block=shifts.block_px * self.frame.spacing[0],
        )


def _stuff(signals: Mapping[Signal, Raster]) -> NDArray[np.bool_]:
    """Return where there is tissue, from the density signal, which is bright on dark in all slides."""
    raster = signals["density"]
    return tissue_mask(raster.pixels[None], raster.mask, modality="fluorescence")


def _block_share(mask: NDArray[np.bool_], shifts: BlockShifts) -> FloatArray:
    """Return the share of each block that a mask covers."""
    total = np.pad(np.cumsum(np.cumsum(mask, 0, dtype=float), 1), ((1, 0), (1, 0)))
    half = shifts.block_px / 2
    low = np.round(shifts.centres + 0.5 - half).astype(int)
    high = low + shifts.block_px
    limit = np.asarray(mask.shape)
    low, high = np.clip(low, 0, limit), np.clip(high, 0, limit)
    inside = (
        total[high[..., 0], high[..., 1]]
        - total[low[..., 0], high[..., 1]]
        - total[high[..., 0], low[..., 1]]
        + total[low[..., 0], low[..., 1]]
    )
    return np.asarray(inside / shifts.block_px**2)
