"""Agreement of blocks that took no part in the fit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray, Frame
from napari_histreg.matching.affine_refinement import Describe, RefineLevel, orientation_planes, refine_affine
from napari_histreg.matching.block_correlation import Plane, correlate_blocks
from napari_histreg.matching.picture import Picture, overlap_frame

__all__ = ["Agreement", "left_out_agreement"]

CELLS = 7
SIDE = 224
REACH = 7
NEAR_PX = 2.0
LEVELS = (RefineLevel(160, 48, 8, 2),)


@dataclass(frozen=True)
class Agreement:
    """How many blocks lie where a fit through the others puts them.

    Parameters
    ----------
    agreeing, tested : int
        Blocks that agree, of those that hold structure.
    chance : float
        Share that would agree by chance.
    places : int
        Among how many places this one was chosen; the best of many agrees better by chance.
    """

    agreeing: int
    tested: int
    chance: float
    places: int = 1

    @property
    def share(self) -> float:
        """Share of the tested blocks that agree."""
        return self.agreeing / self.tested if self.tested else 0.0

    @property
    def above_chance(self) -> float:
        """Standard deviations above chance, from the likelihood ratio; 0 if nothing was tested.

        A share alone would mislead: of few blocks, a third may agree by chance.

        Examples
        --------
        >>> round(Agreement(6, 20, 0.056).above_chance, 1), round(Agreement(40, 48, 0.056).above_chance, 1)
        (3.4, 13.7)
        """
        if not self.tested:
            return 0.0
        share = min(max(self.share, 1e-9), 1 - 1e-9)
        odds = share * np.log(share / self.chance) + (1 - share) * np.log((1 - share) / (1 - self.chance))
        surprise = self.tested * odds - np.log(max(self.places, 1))
        return float(np.sign(share - self.chance) * np.sqrt(2 * max(surprise, 0.0)))


def left_out_agreement(
    fixed: Picture,
    moving: Picture,
    fixed_to_moving: FloatArray,
    *,
    describe: Describe = orientation_planes,
    refit: bool = True,
) -> Agreement:
    """Fit through half of the blocks, test on the other half, and the other way round.

    The overlap is cut into a chessboard. The black fields alone refine the pose, then each white field
    is asked where it fits best; fields that point to within two pixels of the refined pose agree.

    Parameters
    ----------
    fixed, moving : Picture
        The two pictures.
    fixed_to_moving : (3, 3) ndarray
        The pose, affine in world units.
    describe : callable
        Turns the two pictures, on one frame, into planes that are correlated in pairs.
    refit : bool
        Whether half of the blocks refine the pose before the others test it; otherwise all blocks test
        the pose as it is, which is right where other means than blocks found it.

    Returns
    -------
    Agreement
    """
    base = overlap_frame(fixed, moving, fixed_to_moving, SIDE)
    if base is None or min(base.shape) < 32:
        return Agreement(0, 0, 0.5)
    agreeing = tested = 0
    for colour in (0, 1):
        board = _Board(base, colour)
        matrix = fixed_to_moving
        if refit:
            matrix = refine_affine(fixed, moving, matrix, LEVELS, describe=board.masking(describe))
        frame = overlap_frame(fixed, moving, matrix, SIDE)
        if frame is None or min(frame.shape) < 32:
            continue
        planes = _Board(base, 1 - colour).masking(describe)(
            fixed.sampled(frame, np.eye(3)), moving.sampled(frame, matrix)
        )
        block = max(16, round(max(frame.shape) / CELLS))
        maps = correlate_blocks(*planes, block=block, reach=REACH, step=block)
        shifts = maps.shifts()
        near = np.linalg.norm(shifts.offsets, axis=1) <= NEAR_PX
        agreeing += int(near.sum())
        tested += len(near)
    return Agreement(agreeing, tested, float(np.pi * NEAR_PX**2 / (2 * REACH + 1) ** 2))


class _Board:
    """A chessboard laid over the fixed picture's overlap, by which planes are masked."""

    def __init__(self, frame: Frame, colour: int) -> None:
        self.cell = max(frame.size) / CELLS
        self.origin = np.array(frame.origin)
        self.colour = colour

    def masking(self, describe: Describe) -> Describe:
        def masked(fixed: Picture, moving: Picture) -> tuple[Sequence[Plane], Sequence[Plane]]:
            f, m = describe(fixed, moving)
            grid = fixed.frame
            y = np.floor(
                (grid.origin[0] + grid.spacing[0] * np.arange(grid.shape[0]) - self.origin[0]) / self.cell
            )
            x = np.floor(
                (grid.origin[1] + grid.spacing[1] * np.arange(grid.shape[1]) - self.origin[1]) / self.cell
            )
            keep = ((y[:, None] + x[None, :]) % 2 == self.colour).astype(np.float32)
            return [p * keep for p in f], m

        return masked
