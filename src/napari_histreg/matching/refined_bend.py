"""A bend refined by every pixel, where blocks that took no part say that it became better."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.block_correlation import Plane
from napari_histreg.matching.pixel_fit import PixelFit
from napari_histreg.matching.soft_shifts import agreement_at

__all__ = ["INDEPENDENT", "LeftOutBlocks", "Refined", "refine_bend"]

STIFFNESSES = tuple(float(s) for s in np.logspace(-3, -5, 5))
"""Likeness, of all that there is, that a bending energy of 1 costs."""

INDEPENDENT = 1.5  # overlapping blocks for each independent one
APART = 4  # blocks along both sides from one to the next left out together: between them others remain


@dataclass(frozen=True, eq=False)
class LeftOutBlocks:
    """Blocks by which a displacement is judged in places that it was not fitted to.

    Parameters
    ----------
    z : (N, D, D) ndarray
        Score of each block at every shift round `expected`, in standard deviations of chance.
    centres : (N, 2) ndarray
        Middle of each block, in units of the basis.
    expected : (N, 2) ndarray
        The displacement about which each map was measured.
    pixel : float
        A pixel of the maps in units of the basis.
    side : float
        Of a block, in units of the basis.
    """

    z: FloatArray
    centres: FloatArray
    expected: FloatArray
    pixel: float
    side: float

    def agreeing(self, which: NDArray[np.bool_], displaced: FloatArray) -> FloatArray:
        """Read the maps of some blocks at the displacements (M, 2) of their middles."""
        return agreement_at(self.z[which], (displaced - self.expected[which]) / self.pixel)

    def folds(self) -> list[NDArray[np.bool_]]:
        """Split some blocks into sets of which no two overlap, each set all over the tissue."""
        along = [np.unique(self.centres[:, k].round(6), return_inverse=True)[1] % APART for k in range(2)]
        # A chessboard of them: half of all blocks say as much as all, since each overlaps its neighbours.
        sets = [
            (along[0] == row) & (along[1] == (row + shift) % APART)
            for row in range(APART)
            for shift in range(0, APART, 2)
        ]
        return [which for which in sets if which.any()]


@dataclass(frozen=True, eq=False)
class Refined:
    """A refined displacement.

    Parameters
    ----------
    weights : (K, 2) ndarray
        Of the basis.
    stiffness : float
        Chosen by the left-out blocks.
    gain : float
        By which share they agree better than with the fit through blocks.
    """

    weights: FloatArray
    stiffness: float
    gain: float


def refine_bend(
    fit: PixelFit,
    blocks: LeftOutBlocks,
    start_without: Callable[[NDArray[np.bool_]], FloatArray],
) -> Refined | None:
    """Climb to where the pictures are most alike, as stiffly as blocks that were left out ask for.

    Parameters
    ----------
    fit : PixelFit
        The pictures.
    blocks : LeftOutBlocks
        By which the result is judged.
    start_without : callable
        Gives weights of the fit through blocks without those that overlap some of them.

    Returns
    -------
    Refined or None
        None where the left-out blocks do not agree better than with the fit through blocks.

    Notes
    -----
    Some blocks at a time are left out, and the mean of all these fits is the result: where little is to be
    seen each of them falls for something else that looks alike by chance [1]_.

    References
    ----------
    .. [1] L. Breiman, Bagging predictors, Machine Learning 24, 1996. doi:10.1007/BF00058655
    """
    folds = blocks.folds()
    agreement: list[FloatArray] = []
    total = np.zeros((1 + len(STIFFNESSES), len(fit.basis.bending), 2))
    for which in folds:
        here = fit.basis.at(blocks.centres[which])
        start = start_without(which)
        tries = [start, *_softer_and_softer(fit.without(_holes(fit, blocks, which)), start)]
        agreement.append(np.array([blocks.agreeing(which, here @ weights) for weights in tries]))
        total += tries
    if not folds:
        return None
    together = np.concatenate(agreement, axis=1)
    chosen = 1 + _stiffest_good(together[1:])
    lost = _lost(together[0], together[chosen])[0]
    if lost >= 0:
        return None
    return Refined(
        total[chosen] / len(folds), STIFFNESSES[chosen - 1], -lost / max(float(together[0].mean()), 1e-9)
    )


def _stiffest_good(agreement: FloatArray) -> int:
    """Choose of (S, N) rows the first that is within a standard error of the best [1]_.

    References
    ----------
    .. [1] L. Breiman, J. Friedman, R. Olshen and C. Stone, Classification and Regression Trees, 1984, 3.4.3.
    """
    best = agreement[agreement.sum(1).argmax()]
    return next(k for k, row in enumerate(agreement) if np.less_equal(*_lost(best, row)))


def _lost(first: FloatArray, second: FloatArray) -> tuple[float, float]:
    """Return how much less blocks agree with a second fit, on average, and the standard error of that."""
    less = first - second
    return float(less.mean()), float(less.std() / np.sqrt(max(len(less) / INDEPENDENT, 1.0)))


def _softer_and_softer(fit: PixelFit, start: FloatArray) -> list[FloatArray]:
    """Climb at each stiffness from where the last, stiffer one ended.

    A stiff fit does not fall for what looks alike by chance, and a softer one then starts beside the truth.
    """
    out = [start]
    for stiffness in STIFFNESSES:
        out.append(fit.weights(stiffness, out[-1]))
    return out[1:]


def _holes(fit: PixelFit, blocks: LeftOutBlocks, which: NDArray[np.bool_]) -> Plane:
    """Return 0 for the pixels of some blocks and 1 for all others."""
    keep = np.ones((len(fit.rows), len(fit.columns)), np.float32)
    for y, x in blocks.centres[which]:
        rows = np.abs(fit.rows - y) <= blocks.side / 2
        columns = np.abs(fit.columns - x) <= blocks.side / 2
        keep[np.ix_(rows, columns)] = 0
    return keep
