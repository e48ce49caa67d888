"""The bent part of an alignment: as much as blocks that took no part in the fit confirm, and no more."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Frame, grid_points
from napari_histreg.matching.affine_refinement import Describe
from napari_histreg.matching.block_correlation import correlate_blocks
from napari_histreg.matching.description import learn_description
from napari_histreg.matching.local_fit import LocalFit
from napari_histreg.matching.picture import Picture, overlap_frame
from napari_histreg.matching.pixel_fit import PixelFit
from napari_histreg.matching.refined_bend import INDEPENDENT, LeftOutBlocks, Refined, refine_bend
from napari_histreg.matching.smooth_basis import SmoothBasis
from napari_histreg.matching.soft_shifts import agreement_at, soft_shifts
from napari_histreg.matching.stiffness import StiffnessPath, overlapping
from napari_histreg.progress import Progress, silent
from napari_histreg.transforms import Affine
from napari_histreg.transforms.displacement import DisplacementField

__all__ = ["BendLevel", "LocalFit", "fit_local_field"]


@dataclass(frozen=True)
class BendLevel:
    """One level of the fit.

    Parameters
    ----------
    side : int
        Longest side of the overlap in pixels.
    block : int
        Side of a block in pixels.
    reach : int
        Largest shift looked at, in pixels.
    """

    side: int
    block: int
    reach: int


LEVELS = (BendLevel(256, 48, 12), BendLevel(384, 56, 6), BendLevel(512, 56, 5))

UNIT = 1 / 512  # of the overlap's longest side: in which displacements are measured here
MODES = 10  # along each side: bends down to a tenth of the overlap

STIFFNESSES = tuple(float(s) for s in np.logspace(4, -1, 11))
"""From an affine map to one that bends wherever a block asks for it."""

FIRST_STIFFNESS = 10.0
SPREADS = 4  # steps from a wide to a narrow expectation
NARROWEST_PX = 1.0

LEAST_BLOCKS = 12
LEAST_GAIN = 0.04
"""By which share bending must raise the agreement of left-out blocks above that of the best affine.

Pairs that are rigid but for what staining does to a section stay below 0.025, bent ones reach 0.07 to 0.7.
"""

LEAST_CERTAINTY = 1.5
"""By how many standard errors, so that the gain is not that of a few blocks."""

SMOOTHING_PX = 1.0  # of what every pixel shows: finer detail lies apart by more after the fit to blocks
LEAST_JACOBIAN = 0.2
SAMPLES = 48  # of the displacement field along the longest side


def fit_local_field(
    fixed: Picture,
    moving: Picture,
    fixed_to_moving: FloatArray,
    *,
    describe: Describe | None = None,
    levels: Sequence[BendLevel] = LEVELS,
    progress: Progress = silent,
) -> LocalFit:
    """Bend an affine alignment where left-out blocks confirm it.

    On each level, coarse to fine, the moving picture is warped by what is known, blocks are correlated,
    and a smooth displacement is fitted through the shifts of this and the coarser levels. How stiff it is
    decide the blocks themselves: each is predicted from those that do not overlap it, and the stiffness
    whose predictions agree best with the pictures wins. In the end the field must beat the affine start
    in the same test; otherwise the start stays as it is. Where it does, every pixel takes part in a last
    climb from there, if left-out blocks agree better after it.

    Parameters
    ----------
    fixed, moving : Picture
        The two pictures.
    fixed_to_moving : (3, 3) ndarray
        Affine start in world units, (y, x, 1), right to a few pixels of a 256 px overview.
    describe : callable, optional
        Turns two pictures on one frame into planes that are correlated in pairs; by default orientation
        and the best pair of densities, learnt at the start.
    levels : sequence of BendLevel
        From coarse to fine.
    progress : Progress, optional
        Told at each step; may raise `Cancelled`.

    Returns
    -------
    LocalFit

    Examples
    --------
    >>> pixels = np.random.default_rng(0).random((1, 20, 20), dtype=np.float32)
    >>> picture = Picture(pixels, Frame((20, 20), (1.0, 1.0), (0.0, 0.0)))
    >>> fit_local_field(picture, picture, np.eye(3)).notes
    ('The overlap is too small to tell where it bends: the affine alignment stays.',)
    """
    matrix = np.asarray(fixed_to_moving, float)
    whole = overlap_frame(fixed, moving, matrix, max(level.side for level in levels))
    if whole is None or min(whole.shape) < 2 * min(level.block for level in levels) / 3:
        return _unbent(matrix, "The overlap is too small to tell where it bends")
    progress(0.0, "learning what the stains have in common")
    state = _State(fixed, moving, matrix, whole, describe or learn_description(fixed, moving, matrix))
    for k, level in enumerate(levels):
        progress((0.5 + k) / (0.5 + len(levels)), f"bending at {level.side} px")
        if not state.advance(level):
            return _unbent(matrix, "Too few blocks hold structure to tell where it bends")
    progress(0.85, "bending by every pixel")
    fit = state.result()
    progress(1.0, "bent" if fit.field is not None else "nothing to bend")
    return fit


def _unbent(
    matrix: FloatArray, why: str, *, gain: float = 0.0, certainty: float = 0.0, blocks: int = 0
) -> LocalFit:
    note = f"{why}: the affine alignment stays."
    return LocalFit(matrix, gain=gain, certainty=certainty, blocks=blocks, notes=(note,))


@dataclass(eq=False)
class _Measured:
    """Blocks of one level: where they are, what they say, how large they are."""

    frame: Frame
    centres: FloatArray
    shifts: FloatArray
    information: FloatArray
    side: float


@dataclass(eq=False)
class _State:
    """The fit so far: everything in units of the overlap's longest side times `UNIT`, from its corner."""

    fixed: Picture
    moving: Picture
    matrix: FloatArray
    whole: Frame
    describe: Describe
    measured: list[_Measured] = field(default_factory=list)
    gains: FloatArray = field(default_factory=lambda: np.zeros(0))
    stiffest: FloatArray = field(default_factory=lambda: np.zeros(0))
    chosen: int = -1
    left_out: LeftOutBlocks = field(init=False)

    def __post_init__(self) -> None:
        extent = (np.array(self.whole.shape) - 1) * np.array(self.whole.spacing)
        self.unit = float(self.whole.size.max()) * UNIT
        self.basis = SmoothBasis((float(extent[0] / self.unit), float(extent[1] / self.unit)), MODES)
        self.weights = np.zeros((len(self.basis.bending), 2))

    def advance(self, level: BendLevel) -> bool:
        """Measure blocks at a level and fit again; False where there are too few."""
        frame = overlap_frame(self.fixed, self.moving, self.matrix, level.side)
        if frame is None:
            return False
        sides = self._described(frame)
        maps = correlate_blocks(sides.fixed, sides.moving, block=level.block, reach=level.reach)
        if int(maps.used.sum()) < LEAST_BLOCKS:
            return False
        pixel = frame.spacing[0] / self.unit
        centres = np.array([sides.rows[0], sides.columns[0]]) + pixel * maps.centres[maps.used]
        # The same pixels measured again replace what they said before they were warped.
        self.measured = [m for m in self.measured if m.frame != frame]
        self._fit(maps.z().astype(float), centres, frame, level)
        return True

    def _described(self, frame: Frame) -> PixelFit:
        """Look at both pictures on a frame, at the moving one through what is known."""
        rows, columns = (self._inner(frame, axis) for axis in range(2))
        points = grid_points(rows, columns) * self.unit + self.whole.origin
        points += self.basis.lattice(self.weights, rows, columns) * self.unit
        seen = self.moving.seen_at(frame, points @ self.matrix[:2, :2].T + self.matrix[:2, 2])
        planes = self.describe(self.fixed.sampled(frame, np.eye(3)), seen)
        return PixelFit(*planes, rows, columns, self.basis, self.weights)

    def _inner(self, frame: Frame, axis: int) -> FloatArray:
        world = frame.origin[axis] + frame.spacing[axis] * np.arange(frame.shape[axis])
        return np.asarray((world - self.whole.origin[axis]) / self.unit)

    def _fit(self, z: FloatArray, centres: FloatArray, frame: Frame, level: BendLevel) -> None:
        """Narrow the expectation step by step, then choose the stiffness by leaving blocks out."""
        pixel = frame.spacing[0] / self.unit
        here = self.basis.at(centres)
        before = here @ self.weights
        expected = before
        stiffness = STIFFNESSES[self.chosen] if self.chosen >= 0 else FIRST_STIFFNESS
        earlier = self.measured
        for spread in np.geomspace(max(level.reach / 2, NARROWEST_PX), NARROWEST_PX, SPREADS):
            shifts, information = soft_shifts(z, (expected - before) / pixel, spread)
            # A block at c is found at c + shift in the warped picture, hence displaced there already.
            found = shifts * pixel + self.basis.at(centres + shifts * pixel) @ self.weights
            block = _Measured(frame, centres, found, information / pixel**2, level.block * pixel)
            path = self._path([*earlier, block])
            expected = here @ path.weights(stiffness)
        self.measured = [*earlier, block]
        everywhere = np.concatenate([m.centres for m in self.measured])
        sides = np.concatenate([np.full(len(m.centres), m.side) for m in self.measured])
        groups = overlapping(everywhere, sides, len(everywhere) - len(centres))
        agreements = [agreement_at(z, (path.left_out(s, groups) - before) / pixel) for s in STIFFNESSES]
        self.chosen = int(np.argmax([a.mean() for a in agreements]))
        # The stiffest fit is an affine one, and the blocks are left out of it too: a fair comparison.
        self.stiffest = agreements[0]
        self.gains = agreements[self.chosen] - agreements[0]
        self.weights = path.weights(STIFFNESSES[self.chosen])
        self.left_out = LeftOutBlocks(z, centres, before, pixel, level.block * pixel)

    def _path(self, measured: Sequence[_Measured], which: NDArray[np.bool_] | None = None) -> StiffnessPath:
        every = slice(None) if which is None else which
        return StiffnessPath(
            self.basis.at(np.concatenate([m.centres for m in measured])[every]),
            np.concatenate([m.shifts for m in measured])[every],
            np.concatenate([m.information for m in measured])[every],
            self.basis.bending,
        )

    def result(self) -> LocalFit:
        """Weigh the field against the affine start and look for folds."""
        count = len(self.gains)
        gain = float(self.gains.mean() / max(float(self.stiffest.mean()), 1e-9))
        error = float(self.gains.std() / np.sqrt(count / INDEPENDENT))
        certainty = float(self.gains.mean() / max(error, 1e-9))
        if gain < LEAST_GAIN or certainty < LEAST_CERTAINTY:
            why = f"Bending would raise the agreement of left-out blocks by {100 * max(gain, 0):.1f} % only"
            return _unbent(self.matrix, why, gain=gain, certainty=certainty, blocks=count)
        note = f"Bending raised the agreement of left-out blocks by {100 * gain:.0f} %."
        path, refined = self._path(self.measured), self._refined()
        tries = [(refined.stiffness, refined.gain, refined.weights)] if refined is not None else []
        tries += [(s, 0.0, path.weights(s)) for s in STIFFNESSES[self.chosen :: -1]]
        for stiffness, further, weights in tries:
            bent = self._field(weights)
            smallest = bent.folding().minimum
            if smallest > LEAST_JACOBIAN:
                return LocalFit(
                    self.matrix, bent, stiffness, gain, certainty, count, smallest, (note,), further
                )
        return _unbent(self.matrix, "Every bend would fold the tissue", gain=gain, blocks=count)

    def _refined(self) -> Refined | None:
        """Go on from the blocks by every pixel, where blocks that are left out say that it is better."""
        everywhere = np.concatenate([m.centres for m in self.measured])
        sides = np.concatenate([np.full(len(m.centres), m.side) for m in self.measured])

        def without(which: NDArray[np.bool_]) -> FloatArray:
            first = len(everywhere) - len(which)
            groups = overlapping(everywhere, sides, first)[which]
            taken = np.zeros(len(everywhere), bool)
            taken[groups[groups >= 0]] = True
            if taken.all():
                return np.zeros_like(self.weights)
            return self._path(self.measured, ~taken).weights(STIFFNESSES[self.chosen])

        pixels = self._described(self.measured[-1].frame).smoothed(SMOOTHING_PX)
        return refine_bend(pixels, self.left_out, without)

    def _field(self, weights: FloatArray) -> DisplacementField:
        """Sample the displacement on a regular grid over the overlap."""
        extent = (np.array(self.whole.shape) - 1) * np.array(self.whole.spacing)
        counts = np.maximum(np.ceil(SAMPLES * extent / extent.max()).astype(int), 4)
        rows, columns = (np.linspace(0, extent[k] / self.unit, counts[k]) for k in range(2))
        values = self.basis.lattice(weights, rows, columns) * self.unit
        spacing = extent / (counts - 1)
        return DisplacementField(
            values,
            origin=self.whole.origin,
            spacing=(float(spacing[0]), float(spacing[1])),
            base=Affine(self.matrix),
        )
