"""Local correlation maps: how well each block of one picture fits the other at every small shift."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, grid_points

__all__ = ["BlockMaps", "Plane", "Shifts", "block_centres", "correlate_blocks", "correlate_patch"]

Plane = NDArray[np.float32]

LEAST_ENERGY = 0.05  # of the median block: emptier blocks are left out


@dataclass(frozen=True, eq=False)
class Shifts:
    """The best shift of each block, and how sharply it is known.

    Parameters
    ----------
    centres : (N, 2) ndarray
        Middle of each block (y, x) in pixels of the frame.
    offsets : (N, 2) ndarray
        Shift (y, x) in pixels at the peak, below a pixel by a parabola.
    z : (N,) ndarray
        Height of the peak in standard deviations of unrelated blocks.
    information : (N, 2, 2) ndarray
        Curvature of the peak, positive semi-definite: large across an edge, small along it.
    """

    centres: FloatArray
    offsets: FloatArray
    z: FloatArray
    information: FloatArray


@dataclass(frozen=True, eq=False)
class BlockMaps:
    """Correlation S and its chance variance V of every block at every shift.

    Parameters
    ----------
    centres : (R, C, 2) ndarray
        Middle of each block (y, x) in pixels.
    s, v : (R, C, D, D) ndarray of float32
        Correlation and variance for shifts of -reach to reach.
    used : (R, C) ndarray of bool
        Whether the block holds enough of both pictures.
    around : (R, C, 2) ndarray of int, optional
        The whole-pixel shifts that are the middle of each block's map; none means 0.
    """

    centres: FloatArray
    s: NDArray[np.float32]
    v: NDArray[np.float32]
    used: NDArray[np.bool_]
    around: NDArray[np.intp] | None = None

    @property
    def reach(self) -> int:
        """Largest shift in pixels."""
        return int(self.s.shape[-1] - 1) // 2

    def pooled(self, share: float) -> "BlockMaps":
        """Add each block's neighbours, weighted by `share`, to it, at the same shifts."""
        s, v = self.s * self.used[..., None, None], self.v * self.used[..., None, None]
        for axis in (0, 1):
            s, v = _spread(s, share, axis, self.around), _spread(v, share**2, axis, self.around)
        return replace(self, s=s, v=v)

    def __add__(self, other: "BlockMaps") -> "BlockMaps":
        """Join two representations of the same blocks."""
        return replace(self, s=self.s + other.s, v=self.v + other.v, used=self.used | other.used)

    def scaled(self, factor: float) -> "BlockMaps":
        """Weigh a representation by `factor`."""
        return replace(self, s=self.s * factor, v=self.v * factor**2)

    def z(self) -> NDArray[np.float32]:
        """Return S / sqrt(V) of the used blocks, (N, D, D)."""
        v = np.maximum(self.v[self.used], np.float32(1e-12))
        return np.asarray(self.s[self.used] / np.sqrt(v))

    def shifts(self, margin: int = 0) -> Shifts:
        """Find each used block's best shift, `margin` pixels short of the reach."""
        z = self.z()
        if margin:
            z = z[:, margin:-margin, margin:-margin]
        n, d, _ = z.shape
        if not n:
            return Shifts(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros((0, 2, 2)))
        flat = z.reshape(n, -1).argmax(1)
        y, x = np.unravel_index(flat, (d, d))
        y, x = np.clip(y, 1, d - 2), np.clip(x, 1, d - 2)
        rows = np.arange(n)
        cell = np.stack([[z[rows, y + i, x + j] for j in (-1, 0, 1)] for i in (-1, 0, 1)]).astype(float)
        offset, information = _parabola(cell)
        centre = np.stack([y, x], 1) - (d - 1) / 2
        if self.around is not None:
            centre = centre + self.around[self.used]
        return Shifts(self.centres[self.used], centre + offset, cell[1, 1], information)

    def leads(self, apart: float) -> FloatArray:
        """Return how far each used block's peak stands above every place `apart` pixels off, (N,)."""
        z = self.z()
        flat = z.reshape(len(z), -1)
        y, x = np.divmod(flat.argmax(1), z.shape[-1])
        rows, columns = np.ogrid[: z.shape[1], : z.shape[2]]
        off = np.hypot(rows - y[:, None, None], columns - x[:, None, None]) > apart
        others = np.where(off, z, -np.inf).reshape(len(z), -1).max(1)
        return np.where(np.isfinite(others), flat.max(1) - others, np.nan)


def correlate_blocks(
    fixed: Sequence[Plane],
    moving: Sequence[Plane],
    *,
    block: int,
    reach: int,
    step: int | None = None,
    around: NDArray[np.intp] | None = None,
) -> BlockMaps:
    """Correlate Gaussian-windowed blocks of two sets of planes that lie on one frame.

    Parameters
    ----------
    fixed, moving : sequence of (Y, X) ndarray of float32
        Planes that belong together in pairs, such as real and imaginary parts; 0 where masked.
    block : int
        Side of a block in pixels; the Gaussian's standard deviation is a quarter of it.
    reach : int
        Largest shift in pixels, in y and in x.
    step : int, optional
        Distance of blocks; half a block by default.
    around : (R, C, 2) ndarray of int, optional
        Whole-pixel shifts about which each block is looked for, on the grid of `block_centres`.

    Returns
    -------
    BlockMaps

    Examples
    --------
    >>> plane = np.random.default_rng(0).normal(size=(80, 80)).astype(np.float32)
    >>> maps = correlate_blocks([plane], [np.roll(plane, 2, axis=1)], block=32, reach=4)
    >>> np.median(maps.shifts().offsets, axis=0).round().tolist()
    [0.0, 2.0]
    """
    h, w = fixed[0].shape
    block = max(8, min(block, h, w))
    step = step or max(block // 2, 1)
    rows, columns = _starts(h, block, step), _starts(w, block, step)
    n = int(cv2.getOptimalDFTSize(block + 2 * reach))
    window = _window(block)
    fixed = [np.ascontiguousarray(p) for p in fixed]
    margin = reach + (0 if around is None else int(np.abs(around).max(initial=0)))
    padded = [cv2.copyMakeBorder(p, *(margin,) * 4, cv2.BORDER_CONSTANT, value=0) for p in moving]
    fixed_energy, moving_energy = _energy(fixed), _energy(padded)
    d = 2 * reach + 1
    s = np.zeros((len(rows), len(columns), d, d), np.float32)
    v = np.zeros_like(s)
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            here = slice(y, y + block), slice(x, x + block)
            dy, dx = (0, 0) if around is None else around[i, j]
            top, left = y + dy + margin - reach, x + dx + margin - reach
            there = slice(top, top + block + 2 * reach), slice(left, left + block + 2 * reach)
            pairs = [(a[here] * window, b[there]) for a, b in zip(fixed, padded, strict=True)]
            s[i, j] = _correlation(pairs, n, d)
            v[i, j] = _correlation([(fixed_energy[here] * window**2, moving_energy[there])], n, d)
    middle = v[:, :, reach, reach]
    typical = float(np.median(middle[middle > 0])) if (middle > 0).any() else 1.0
    v = np.maximum(v, np.float32(LEAST_ENERGY**2 * typical))
    centres = grid_points(rows, columns) + (block - 1) / 2
    return BlockMaps(centres, s, v, middle > LEAST_ENERGY * typical, around)


def block_centres(shape: tuple[int, int], block: int, step: int | None = None) -> FloatArray:
    """Return the middles (R, C, 2) of the blocks that `correlate_blocks` lays over a plane, in pixels."""
    block = max(8, min(block, *shape))
    rows, columns = (_starts(length, block, step or max(block // 2, 1)) for length in shape)
    return grid_points(rows, columns) + (block - 1) / 2


def correlate_patch(patch: Sequence[Plane], area: Sequence[Plane]) -> FloatArray:
    """Correlate one Gaussian-windowed patch with every place in an area.

    Parameters
    ----------
    patch : sequence of (S, S) ndarray of float32
        Planes such as real and imaginary parts; 0 where masked.
    area : sequence of (S + 2 * R, S + 2 * R) ndarray of float32
        The same planes of where the patch is looked for.

    Returns
    -------
    (2 * R + 1, 2 * R + 1) ndarray of float64
        Correlation, -1 to 1; the middle is no shift. All 0 where the patch is.

    Examples
    --------
    >>> area = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    >>> found = correlate_patch([area[5:35, 8:38]], [area])
    >>> np.unravel_index(found.argmax(), found.shape), round(float(found.max()), 3)
    ((np.int64(5), np.int64(8)), 1.0)
    """
    side, places = patch[0].shape[0], area[0].shape[0] - patch[0].shape[0] + 1
    n = int(cv2.getOptimalDFTSize(area[0].shape[0]))
    window = _window(side)
    product = _correlation([(a * window, b) for a, b in zip(patch, area, strict=True)], n, places)
    length = sum((b * b for b in area), np.zeros_like(area[0]))
    power = _correlation([(window, length)], n, places).astype(float)
    energy = float(sum((a * a * window).sum() for a in patch))
    # Where the area holds next to nothing, a chance likeness must not count as a match.
    least = 0.2 * max(float(power.mean()), 1e-12)
    return np.asarray(product / np.sqrt(max(energy, 1e-12) * np.maximum(power, least)))


def _starts(length: int, block: int, step: int) -> NDArray[np.intp]:
    """Spread blocks evenly over a side, first and last flush with its ends; a single one in the middle."""
    count = max(1, round((length - block) / step) + 1)
    if count == 1:
        return np.array([(length - block) // 2], np.intp)
    return np.round(np.linspace(0, length - block, count)).astype(np.intp)


def _window(block: int) -> Plane:
    x = (np.arange(block) - (block - 1) / 2) / (block / 4)
    g = np.exp(-(x**2) / 2).astype(np.float32)
    return np.asarray(g[:, None] * g[None, :])


def _energy(planes: Sequence[Plane]) -> Plane:
    # Half: of a vector of unrelated direction, one component carries half the squared length.
    total = sum((p * p for p in planes), np.zeros_like(planes[0]))
    return np.asarray(total / np.float32(np.sqrt(len(planes))))


def _correlation(pairs: Sequence[tuple[Plane, Plane]], n: int, d: int) -> Plane:
    """Correlate pairs of a block and its surroundings, summed, for the first `d` shifts in y and x."""
    total: Plane | None = None
    for a, b in pairs:
        first, second = np.zeros((n, n), np.float32), np.zeros((n, n), np.float32)
        first[: a.shape[0], : a.shape[1]] = a
        second[: b.shape[0], : b.shape[1]] = b
        product = cv2.mulSpectrums(cv2.dft(second), cv2.dft(first, nonzeroRows=a.shape[0]), 0, conjB=True)
        total = product if total is None else total + product
    return np.asarray(cv2.dft(total, flags=cv2.DFT_INVERSE | cv2.DFT_REAL_OUTPUT | cv2.DFT_SCALE)[:d, :d])


def _spread(
    a: NDArray[np.float32], share: float, axis: int, around: NDArray[np.intp] | None
) -> NDArray[np.float32]:
    """Add neighbours along an axis, weighted, at the same shifts."""
    out = a.copy()
    low, high = [slice(None)] * 2, [slice(None)] * 2
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    first, second = tuple(low), tuple(high)
    if around is None:
        out[first] += np.float32(share) * a[second]
        out[second] += np.float32(share) * a[first]
    else:
        turn = np.float32(share)
        out[first] += turn * _moved(a[second], around[first] - around[second])
        out[second] += turn * _moved(a[first], around[second] - around[first])
    return out


def _moved(maps: NDArray[np.float32], by: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return maps (R, C, D, D) with their middles moved by whole pixels (R, C, 2); 0 where nothing is."""
    side = maps.shape[-1]
    place = np.arange(side)
    y, x = place + by[..., :1], place + by[..., 1:]
    inside = ((y >= 0) & (y < side))[..., :, None] & ((x >= 0) & (x < side))[..., None, :]
    rows, columns = np.ogrid[: maps.shape[0], : maps.shape[1]]
    found = maps[
        rows[..., None, None],
        columns[..., None, None],
        np.clip(y, 0, side - 1)[..., :, None],
        np.clip(x, 0, side - 1)[..., None, :],
    ]
    return np.where(inside, found, np.float32(0))


def _parabola(cell: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fit a parabola to (3, 3, N) values: offset of the top, (N, 2), and curvature, (N, 2, 2)."""
    gy, gx = (cell[2, 1] - cell[0, 1]) / 2, (cell[1, 2] - cell[1, 0]) / 2
    hyy = 2 * cell[1, 1] - cell[0, 1] - cell[2, 1]
    hxx = 2 * cell[1, 1] - cell[1, 0] - cell[1, 2]
    hxy = -(cell[2, 2] - cell[2, 0] - cell[0, 2] + cell[0, 0]) / 4
    h = np.stack([np.stack([hyy, hxy], -1), np.stack([hxy, hxx], -1)], -2)
    values, vectors = np.linalg.eigh(h)
    values = np.maximum(values, 1e-3)
    h = np.einsum("nij,nj,nkj->nik", vectors, values, vectors)
    offset = np.linalg.solve(h, np.stack([gy, gx], -1)[..., None])[..., 0]
    return np.clip(offset, -1.0, 1.0), h
