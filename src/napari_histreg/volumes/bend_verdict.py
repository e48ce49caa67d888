"""Whether a bend of a volume is worth having: asked of cells that took no part in finding it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.cell_agreement import chessboard, gain_of_cells
from napari_histreg.joint_histogram import bin_edges, quantised, sorted_into
from napari_histreg.volumes.bend import VolumeBend
from napari_histreg.volumes.body import Body, rim
from napari_histreg.volumes.left_out import BINS, LEAST_CELL, seen_through
from napari_histreg.volumes.pose import VolumePose

__all__ = ["BendGain", "bend_cells", "judge_bend"]

LEAST_CELLS = 12
LEAST_GAIN = 0.04
"""Share of the information that left-out cells must gain."""
STANDARD_ERRORS = 2.0
LEAST_JACOBIAN = 0.05
"""Cells pressed to a twentieth have folded for all that a voxel can tell."""


@dataclass(frozen=True)
class BendGain:
    """Whether a bend is kept, and why.

    Parameters
    ----------
    kept : bool
    reason : str
        In plain words.
    gain : float
        Share of the information by which left-out cells agree better with a bend than without.
    standard_error : float
        Of the gain.
    cells : int
        How many were asked.
    smallest_jacobian : float
        Of the bend.
    """

    kept: bool
    reason: str
    gain: float
    standard_error: float
    cells: int
    smallest_jacobian: float


def bend_cells(body: Body, grid_spacing_mm: float) -> NDArray[np.intp]:
    """Return the number of the cell of each voxel; a cell is about as wide as nodes lie apart."""
    return chessboard(body.values.shape, max(grid_spacing_mm / body.spacing_mm, LEAST_CELL))


def judge_bend(
    fixed: Body,
    moving: Body,
    pose: VolumePose,
    bend: VolumeBend,
    halves: tuple[VolumeBend, VolumeBend],
    cells: NDArray[np.intp],
) -> BendGain:
    """Judge a bend.

    Parameters
    ----------
    fixed, moving : Body
        The volumes, of one spacing.
    pose : VolumePose
        Fixed to moving.
    bend : VolumeBend
        Found by all cells.
    halves : (VolumeBend, VolumeBend)
        Found by the even cells alone, and by the odd ones.
    cells : (Z, Y, X) ndarray of int
        See `bend_cells`.

    Returns
    -------
    BendGain
    """
    least = bend.smallest_jacobian
    seen = [seen_through(moving, pose, fixed, bend=each) for each in (None, *halves)]
    known = np.logical_and.reduce([np.isfinite(each) for each in seen])
    first = quantised(fixed.values, fixed.mask, BINS)
    # One set of levels for all, or the levels and not the places would be compared.
    levels = known & (np.nan_to_num(seen[0]) > 0)
    if not levels.any():
        return BendGain(False, "Not bent: the bodies do not overlap.", 0.0, 0.0, 0, least)
    edges, shown = bin_edges(seen[0], levels, BINS), [np.nan_to_num(each) for each in seen]
    straight, *bent = (np.where(known, sorted_into(edges, each, each > 0), np.int8(-1)) for each in shown)
    before, after = gain_of_cells(
        first, straight, (bent[0], bent[1]), rim(fixed) & known, fixed.mask, cells, bins=BINS
    )
    count = len(before)
    mean = float(before.mean()) if count else 0.0
    gain = float((after - before).mean()) / mean if mean > 0 else 0.0
    error = float((after - before).std(ddof=1)) / np.sqrt(count) / mean if count > 1 and mean > 0 else 0.0
    told = (
        f"{count} cells that took no part in it share {abs(gain):.0%} {'more' if gain >= 0 else 'less'} "
        f"information with it than without (± {error:.0%})"
    )
    if least <= LEAST_JACOBIAN:
        reason = (
            f"Not bent: the bend folds the body (least Jacobian {least:.2f}). "
            "Raise grid_spacing_mm or bending."
        )
        return BendGain(False, reason, gain, error, count, least)
    if count < LEAST_CELLS:
        reason = f"Not bent: only {count} cells could be asked whether it helps. Lower grid_spacing_mm."
        return BendGain(False, reason, gain, error, count, least)
    if gain < LEAST_GAIN or gain < STANDARD_ERRORS * error:
        return BendGain(False, f"Not bent: {told}, too little to trust.", gain, error, count, least)
    reason = f"Bent: {told}; nothing folds (least Jacobian {least:.2f})."
    return BendGain(True, reason, gain, error, count, least)
