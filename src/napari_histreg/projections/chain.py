"""Chains: each view laid onto the one before, and the shifts added up."""

import itertools
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from napari_histreg.progress import Progress, silent
from napari_histreg.projections.arrays import Floats, Views
from napari_histreg.projections.gauge import fix_gauge
from napari_histreg.projections.method import ProjectionMethod, ShiftEstimate
from napari_histreg.projections.opposite import opposite_pairs, pair_shift
from napari_histreg.projections.work import WorkStack

__all__ = ["CorrelationChain", "PhaseChain"]


class CorrelationChain(ProjectionMethod):
    """Lay each view onto the one before by cross-correlation, and add the shifts up [1]_.

    References
    ----------
    .. [1] M. Guizar-Sicairos, S. T. Thurman and J. R. Fienup, Efficient subpixel image registration
       algorithms, Optics Letters 33(2), 2008. doi:10.1364/OL.33.000156
    """

    name: ClassVar[str] = "correlation"
    normalization: ClassVar[Literal["phase"] | None] = None
    upsampling: int = Field(
        20, title="Upsampling", description="Shifts are found to this part of a pixel.", ge=1, le=200
    )

    def estimate(self, stack: WorkStack, *, progress: Progress = silent) -> ShiftEstimate:
        """Find the shifts; see `ProjectionMethod.estimate`."""
        order = np.flatnonzero(stack.used)
        order = order[np.argsort(stack.angles_rad[order], kind="stable")]
        places = np.zeros((stack.count, 2))
        for k, (before, view) in enumerate(itertools.pairwise(order)):
            progress(k / stack.count, "chaining")
            step = pair_shift(
                stack.frames[view],
                stack.frames[before],
                normalization=self.normalization,
                upsampling=self.upsampling,
            )
            places[view] = places[before] + step
        notes = self._close(stack, order, places)
        shifts, _ = fix_gauge(places, stack.angles_rad, stack.used)
        shifts[~stack.used] = 0
        return ShiftEstimate(shifts, notes=notes)

    def _close(self, stack: WorkStack, order: Views, places: Floats) -> tuple[str, ...]:
        """Spread what the sum misses at the closing pair, which shows the same mirrored, over the chain."""
        pairs = opposite_pairs(stack.angles_rad, stack.used)
        if not pairs:
            return ("No two views lie 180 degrees apart: nothing closes the chain, its sum may drift.",)
        first, last = pairs[0]
        step = pair_shift(
            stack.frames[last][:, ::-1],
            stack.frames[first],
            normalization=self.normalization,
            upsampling=self.upsampling,
        )
        missed = float(places[last, 0] - places[first, 0] - step[0])
        rank = np.empty(stack.count)
        rank[order] = np.arange(len(order))
        span = max(float(rank[last] - rank[first]), 1)
        places[order, 0] -= missed * (rank[order] - rank[first]) / span
        return (f"Along y the chain missed its closing pair by {abs(missed) * stack.bin:.2f} px.",)


class PhaseChain(CorrelationChain):
    """Lay each view onto the one before by phase correlation, and add the shifts up [1]_.

    References
    ----------
    .. [1] C. D. Kuglin and D. C. Hines, The phase correlation image alignment method, Proc. IEEE Int.
       Conf. on Cybernetics and Society, 1975.
    """

    name: ClassVar[str] = "phase"
    normalization: ClassVar[Literal["phase"] | None] = "phase"
