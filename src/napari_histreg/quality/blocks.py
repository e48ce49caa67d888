"""The shift that is left in each block of a picture, and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.block_correlation import Plane, block_centres, correlate_blocks

__all__ = ["BlockShifts", "block_shifts"]

Field = NDArray[np.complex64]

NEIGHBOURS = 0.5
"""How much neighbouring blocks speak for one another: it steadies weak blocks."""


@dataclass(frozen=True, eq=False)
class BlockShifts:
    """One shift for each block of a grid; pixels are those of the fields.

    Parameters
    ----------
    centres : (R, C, 2) ndarray of float64
        Centres (y, x) of the blocks.
    shifts : (R, C, 2) ndarray of float64
        Where the block's content lies in the second picture minus where it lies in the first.
    scores : (R, C) ndarray of float64
        Height of the correlation peak in standard deviations of chance; NaN where nothing could be compared.
    leads : (R, C) ndarray of float64
        How far the peak stands above the next distinct one, in the same deviations.
    block_px : int
        Side of a block.
    """

    centres: FloatArray
    shifts: FloatArray
    scores: FloatArray
    leads: FloatArray
    block_px: int


def block_shifts(
    fixed: Sequence[Field],
    moving: Sequence[Field],
    *,
    block_px: int,
    reach_px: int,
    start: FloatArray | None = None,
) -> BlockShifts:
    """Correlate two pictures block by block, in units of what chance gives on these very pictures.

    Parameters
    ----------
    fixed, moving : sequence of (Y, X) ndarray of complex64
        Fields on one frame, pair by pair; their correlations are added.
    block_px : int
        Side of a block; blocks overlap by half.
    reach_px : int
        Largest shift that is looked for, in each direction.
    start : (R, C, 2) ndarray, optional
        Whole-pixel shifts around which to look; none by default.

    Returns
    -------
    BlockShifts
    """
    planes = [
        [np.ascontiguousarray(part) for f in fields for part in (f.real, f.imag)]
        for fields in (fixed, moving)
    ]
    centres = block_centres(fixed[0].shape, block_px)
    around = np.zeros(centres.shape, np.intp) if start is None else np.round(start).astype(np.intp)
    # The same blocks against others that lie half the picture away: what chance and outlines give.
    rows, columns = centres.shape[:2]
    away = np.round(np.roll(centres, (rows // 2, columns // 2), (0, 1)) - centres).astype(np.intp)
    real, chance = (
        correlate_blocks(*planes, block=block_px, reach=reach_px, around=where).pooled(NEIGHBOURS)
        for where in (around, around + away)
    )
    # Neighbouring pixels are alike, so the deviation of chance is above 1.
    deviation = (
        max(float(np.sqrt(np.mean(chance.z().astype(float) ** 2))), 1e-6) if chance.used.any() else 1.0
    )
    found = real.shifts()
    shifts = np.array(around, float)
    scores, leads = (np.full(centres.shape[:2], np.nan) for _ in range(2))
    shifts[real.used] = found.offsets
    scores[real.used] = found.z / deviation
    leads[real.used] = real.leads(max(3.0, 0.25 * reach_px)) / deviation
    return BlockShifts(centres, shifts, scores, leads, block_px)


def _planes(fields: Sequence[Field]) -> list[Plane]:
    """Return the real and imaginary parts of fields as planes."""
    return [np.ascontiguousarray(part) for field in fields for part in (field.real, field.imag)]
