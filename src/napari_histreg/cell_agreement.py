"""Cells of an image that took no part in learning how two modalities go together, asked where they fit.

For planes and volumes alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["CellAgreement", "agreement_of_cells", "chessboard", "gain_of_cells"]

LEAST_INSIDE = 0.35
"""Share of a cell that must show the body or specimen."""


@dataclass(frozen=True)
class CellAgreement:
    """How many cells lie where the pose puts them.

    Parameters
    ----------
    agreeing, tested : int
        Cells.
    chance : float
        Share that would agree by chance.
    """

    agreeing: int
    tested: int
    chance: float

    @property
    def share(self) -> float:
        """Share of the tested cells that agree."""
        return self.agreeing / self.tested if self.tested else 0.0


def chessboard(shape: tuple[int, ...], side: float) -> NDArray[np.intp]:
    """Return the number of each pixel's cell on a grid: black cells even, white ones odd.

    Parameters
    ----------
    shape : tuple of int
        Of the image.
    side : float
        Of a cell, in pixels.

    Examples
    --------
    >>> (chessboard((2, 4), 2) % 2).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """
    axes = [(np.arange(n) // side).astype(int) for n in shape]
    grids = np.meshgrid(*axes, indexing="ij")
    number = np.ravel_multi_index(tuple(grids), tuple(int(axis.max()) + 1 for axis in axes))
    return np.asarray(2 * number + sum(grids) % 2, np.intp)


def agreement_of_cells(
    first: NDArray[np.int8],
    second: NDArray[np.int8],
    look: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    cells: NDArray[np.intp],
    *,
    bins: int,
    reach: int,
    near: float,
) -> CellAgreement:
    """Ask every cell where it fits best, by what the cells of the other colour teach.

    The black cells tell which values go with which at the pose; by that table each white cell is laid at all
    shifts within a short reach, and agrees where it fits best near to no shift. Then colours are exchanged.

    Parameters
    ----------
    first : ndarray of int8
        The fixed image in bins.
    second : ndarray of int8
        The moving image as the pose shows it, in bins, `reach` pixels larger at each side; -1 where it shows
        nothing.
    look : ndarray of bool
        Which pixels of the fixed image count.
    inside : ndarray of bool
        Its body or specimen; cells with little of it are not asked.
    cells : ndarray of int
        See `chessboard`.
    bins : int
        Of both images.
    reach : int
        Shifts are tried so many pixels to each side.
    near : float
        A cell agrees that fits best at most so many pixels off.

    Returns
    -------
    CellAgreement
    """
    inner = second[(slice(reach, -reach),) * first.ndim]
    shifts = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * first.ndim, indexing="ij"), -1)
    shifts = shifts.reshape(-1, first.ndim)
    is_near = np.linalg.norm(shifts, axis=1) <= near
    agreeing = tested = 0
    for colour in (0, 1):
        taught = look & (cells % 2 == colour) & (inner >= 0)
        table = _log_ratio(first[taught], inner[taught], bins)
        where = np.nonzero(look & (cells % 2 != colour))
        usable = _usable(where, inner, inside, cells)
        best = np.argmax(_scores(first[where], second, where, shifts, table, cells[where], reach), axis=0)
        agreeing += int((is_near[best] & usable[: len(best)]).sum())
        tested += int(usable.sum())
    return CellAgreement(agreeing, tested, float(is_near.mean()))


def gain_of_cells(
    first: NDArray[np.int8],
    straight: NDArray[np.int8],
    bent: tuple[NDArray[np.int8], NDArray[np.int8]],
    look: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    cells: NDArray[np.intp],
    *,
    bins: int,
) -> tuple[FloatArray, FloatArray]:
    """Say how well cells go together by what the cells of the other colour teach, without and with a bend.

    Parameters
    ----------
    first : ndarray of int8
        The fixed image in bins.
    straight : ndarray of int8
        The moving image as the pose shows it, in bins; -1 where it shows nothing.
    bent : pair of ndarray of int8
        The same through a bend found by the even cells alone, and through one found by the odd ones.
    look, inside, cells, bins
        As of `agreement_of_cells`.

    Returns
    -------
    before, after : (N,) ndarray
        Mean logarithm of how much more often than chance the values meet, of each cell that can be asked.
    """
    before: list[FloatArray] = []
    after: list[FloatArray] = []
    for colour in (0, 1):
        taught, asked = look & (cells % 2 == colour), look & (cells % 2 != colour)
        where = np.nonzero(asked)
        usable = _usable(where, straight, inside, cells)
        for out, second in ((before, straight), (after, bent[colour])):
            use = taught & (second >= 0)
            table = _log_ratio(first[use], second[use], bins)
            sums = np.bincount(cells[where], table[first[where], second[where]], int(cells.max()) + 1)
            sizes = np.bincount(cells[where], minlength=int(cells.max()) + 1)
            out.append(sums[usable] / sizes[usable])
    return np.concatenate(before), np.concatenate(after)


def _log_ratio(first: NDArray[np.int8], second: NDArray[np.int8], bins: int) -> FloatArray:
    """Return by how much more often than chance values meet, as logarithms; the last column says nothing."""
    counts = np.bincount(first.astype(int) * bins + second, minlength=bins * bins).reshape(bins, bins) + 0.5
    share = counts / counts.sum()
    table = np.log(share / (share.sum(1, keepdims=True) * share.sum(0, keepdims=True)))
    return np.concatenate([table, np.zeros((bins, 1))], axis=1)


def _usable(
    where: tuple[NDArray[np.intp], ...],
    inner: NDArray[np.int8],
    inside: NDArray[np.bool_],
    cells: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Tell which cells show enough of the body, and are shown by the moving image."""
    number, count = cells[where], int(cells.max()) + 1
    typical = np.bincount(cells.ravel(), minlength=count).max()
    size = np.bincount(number, minlength=count)
    body = np.bincount(number, inside[where].astype(float), count)
    known = np.bincount(number, (inner[where] >= 0).astype(float), count)
    return np.asarray((body >= LEAST_INSIDE * typical) & (known >= 0.9 * size))


def _scores(
    values: NDArray[np.int8],
    second: NDArray[np.int8],
    where: tuple[NDArray[np.intp], ...],
    shifts: NDArray[np.intp],
    table: FloatArray,
    number: NDArray[np.intp],
    reach: int,
) -> FloatArray:
    """Return how well each cell fits at each shift, (shifts, cells)."""
    count = int(number.max()) + 1 if number.size else 1
    out = np.zeros((len(shifts), count))
    for k, shift in enumerate(shifts):
        met = second[tuple(axis + reach + s for axis, s in zip(where, shift, strict=True))]
        out[k] = np.bincount(number, table[values, met], count)
    return out
