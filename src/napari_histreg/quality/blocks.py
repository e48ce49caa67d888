"""The shift that is left in each block of a picture, and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["BlockShifts", "block_corners", "block_shifts"]

Field = NDArray[np.complex64]

BATCH = 64
"""Blocks transformed at once."""


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
    margins : (R, C) ndarray of float64
        How far the peak stands above the next distinct one, in the same deviations.
    block_px : int
        Side of a block.
    """

    centres: FloatArray
    shifts: FloatArray
    scores: FloatArray
    margins: FloatArray
    block_px: int


def block_shifts(
    fixed: Sequence[Field],
    moving: Sequence[Field],
    *,
    block_px: int,
    reach_px: int,
    start: FloatArray | None = None,
    signs: Sequence[float] | None = None,
    pooled: bool = True,
) -> BlockShifts:
    """Correlate two pictures block by block.

    For each shift the products of the two fields are summed under a Gaussian window and divided by
    the deviation that this sum would have by chance, so that busy and quiet places can be compared.

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
    signs : sequence of float, optional
        Weight of each pair, negative where the contrast is turned over.
    pooled : bool
        Add the neighbouring blocks' correlations, which steadies weak blocks.

    Returns
    -------
    BlockShifts
    """
    grid = block_corners(fixed[0].shape, block_px)
    offsets = np.zeros(grid.shape, int) if start is None else np.round(start).astype(int)
    weights = [1.0] * len(fixed) if signs is None else list(signs)
    side = 2 * reach_px + 1
    real = _Surfaces.zeros(grid.shape[:2], side)
    # The same blocks against others that lie half the picture away: what chance and outlines give.
    chance = _Surfaces.zeros(grid.shape[:2], side)
    away = np.roll(grid, (grid.shape[0] // 2, grid.shape[1] // 2), (0, 1)) - grid
    for a, b, weight in zip(fixed, moving, weights, strict=True):
        real.add(a, b, weight, grid, offsets, block_px, reach_px)
        chance.add(a, b, weight, grid, offsets + away, block_px, reach_px)
    floor = 0.05 * float(real.spread.max(initial=0)) + 1e-12
    z = real.over_chance(offsets, floor, pooled)
    z = z / _deviation(chance.over_chance(offsets, floor, pooled))
    shifts, scores, margins = _peaks(z, reach_px)
    empty = real.spread.max((2, 3)) <= floor
    scores[empty], margins[empty] = np.nan, np.nan
    centres = grid + (block_px - 1) / 2
    return BlockShifts(centres.astype(float), shifts + offsets, scores, margins, block_px)


@dataclass(eq=False)
class _Surfaces:
    """Correlation and its chance variance for every block and shift, (R, C, 2 reach + 1, same)."""

    total: NDArray[np.float32]
    spread: NDArray[np.float32]

    @classmethod
    def zeros(cls, blocks: tuple[int, ...], side: int) -> "_Surfaces":
        return cls(*(np.zeros((*blocks, side, side), np.float32) for _ in range(2)))

    def add(
        self,
        a: Field,
        b: Field,
        weight: float,
        grid: NDArray[np.int64],
        offsets: NDArray[np.int64],
        block: int,
        reach: int,
    ) -> None:
        """Add the correlation of one pair of fields."""
        total, spread = _surfaces(a, b, grid, offsets, block, reach)
        self.total += np.float32(weight) * total
        self.spread += np.float32(weight) ** 2 * spread

    def over_chance(
        self, offsets: NDArray[np.int64], floor: float, pooled: bool
    ) -> NDArray[np.floating[Any]]:
        """Return the correlations in units of what independent pixels would give."""
        total, spread = self.total, self.spread
        if pooled:
            total, spread = _pooled(total, offsets), _pooled(spread, offsets)
        return np.asarray(total / np.sqrt(spread + floor))


def block_corners(shape: tuple[int, ...], block_px: int) -> NDArray[np.int64]:
    """Return the first pixels (R, C, 2) of the blocks over a plane; they overlap by half."""
    rows, columns = (_line(n, block_px, block_px // 2) for n in shape)
    return np.stack(np.meshgrid(rows, columns, indexing="ij"), -1)


def _line(length: int, block: int, step: int) -> NDArray[np.int64]:
    """First pixels of the blocks along one side; the last block ends at the far edge."""
    if length <= block:
        return np.array([(length - block) // 2])
    count = -(-(length - block) // step) + 1
    return np.round(np.linspace(0, length - block, count)).astype(int)


def _surfaces(
    a: Field, b: Field, grid: NDArray[np.int64], offsets: NDArray[np.int64], block: int, reach: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return correlation and its chance variance for every block and shift, (R, C, 2 reach + 1, same)."""
    from scipy import fft

    size = fft.next_fast_len(block + 2 * reach)
    axis = np.arange(block) - (block - 1) / 2
    line = np.exp(-0.5 * (axis / (block / 4)) ** 2)
    window = np.outer(line, line).astype(np.float32)
    margin = block + 2 * reach + int(np.abs(offsets).max(initial=0))
    first, second = np.pad(a, block), np.pad(b, margin)
    corners, moves = grid.reshape(-1, 2), offsets.reshape(-1, 2)
    side = 2 * reach + 1
    total = np.empty((len(corners), side, side), np.float32)
    spread = np.empty_like(total)
    for k in range(0, len(corners), BATCH):
        near = np.stack([_cut(first, c + block, block) for c in corners[k : k + BATCH]]) * window
        places = corners[k : k + BATCH] + moves[k : k + BATCH] + margin - reach
        far = np.stack([_cut(second, c, block + 2 * reach) for c in places])
        total[k : k + BATCH] = _correlate(near, far, size, side)
        energy = _correlate(np.abs(near) ** 2, np.abs(far) ** 2, size, side)
        spread[k : k + BATCH] = np.maximum(energy, 0)
    return total.reshape(*grid.shape[:2], side, side), spread.reshape(*grid.shape[:2], side, side)


def _cut(array: NDArray[np.complex64], corner: NDArray[np.int64], side: int) -> NDArray[np.complex64]:
    y, x = int(corner[0]), int(corner[1])
    return array[y : y + side, x : x + side]


def _correlate(
    near: NDArray[np.generic], far: NDArray[np.generic], size: int, side: int
) -> NDArray[np.float32]:
    from scipy import fft

    spectrum = np.conj(fft.fft2(near, (size, size), workers=1)) * fft.fft2(far, (size, size), workers=1)
    return np.asarray(fft.ifft2(spectrum, workers=1).real[:, :side, :side], np.float32)


def _pooled(surfaces: NDArray[np.float32], offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """Add half of each neighbour's surface, at the same absolute shift."""
    out = surfaces.copy()
    side = surfaces.shape[-1]
    rows, columns = surfaces.shape[:2]
    for r in range(rows):
        for c in range(columns):
            for dr, dc in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                y, x = r + dr, c + dc
                if not (0 <= y < rows and 0 <= x < columns):
                    continue
                ty, tx = offsets[r, c] - offsets[y, x]
                if max(abs(ty), abs(tx)) >= side:
                    continue
                here = out[r, c, max(0, -ty) : side - max(0, ty), max(0, -tx) : side - max(0, tx)]
                there = surfaces[y, x, max(0, ty) : side + min(0, ty), max(0, tx) : side + min(0, tx)]
                here += 0.5 * there
    return out


def _deviation(z: NDArray[np.floating[Any]]) -> float:
    """Return the root mean square of chance: neighbouring pixels are alike, so it is above 1."""
    return float(max(np.sqrt(np.mean(z.astype(np.float64) ** 2)), 1e-6))


def _peaks(z: NDArray[np.floating[Any]], reach: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the place of each block's highest point to a fraction, its height and its lead."""
    rows, columns, side, _ = z.shape
    flat = z.reshape(-1, side, side)
    best = flat.reshape(len(flat), -1).argmax(1)
    y, x = np.divmod(best, side)
    index = np.arange(len(flat))
    scores = flat[index, y, x].astype(float)
    place = np.stack([y, x], -1).astype(float)
    for axis in range(2):
        at = (y, x)[axis]
        inside = (at > 0) & (at < side - 1)
        step = (1, 0) if axis == 0 else (0, 1)
        low = flat[index, np.clip(y - step[0], 0, side - 1), np.clip(x - step[1], 0, side - 1)]
        high = flat[index, np.clip(y + step[0], 0, side - 1), np.clip(x + step[1], 0, side - 1)]
        bend = low - 2 * flat[index, y, x] + high
        sure = inside & (bend < 0)
        place[:, axis] += np.where(sure, 0.5 * (low - high) / np.where(sure, bend, 1), 0)
    # What lies within a few pixels of the peak is the peak.
    yy, xx = np.mgrid[:side, :side]
    apart = np.hypot(yy - y[:, None, None], xx - x[:, None, None]) > max(3.0, 0.25 * reach)
    others = np.where(apart, flat, -np.inf).reshape(len(flat), -1).max(1)
    margins = np.where(np.isfinite(others), scores - others, np.nan)
    shape = (rows, columns)
    return (place - reach).reshape(*shape, 2), scores.reshape(shape), margins.astype(float).reshape(shape)
