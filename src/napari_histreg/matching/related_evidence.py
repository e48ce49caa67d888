"""How far a pose of two pictures whose values are related can be trusted: cells that took no part say."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.cell_agreement import CellAgreement, agreement_of_cells, chessboard
from napari_histreg.geometry import FloatArray, Frame
from napari_histreg.matching.picture import Picture
from napari_histreg.matching.related_values import background_level, ranked

__all__ = ["ACCEPT", "DOUBT", "RelatedEvidence", "cells_agreeing", "weigh_related"]

SIDE_PX = 128
BINS = 10
CELLS, CELLS_INSIDE = 7.0, 9.0
"""So many cells go along the longest side of the specimen; inside, where less is to be seen, finer ones."""
REACH = 5
NEAR = 2.0
RIM = 4
"""Pixels of background around the specimen that count too."""
DEPTH = 0.1
"""How deep the outline goes, as a share of the longest side: scalp and skull of a head."""


AGREEMENT, INSIDE, MARGIN = 0.33, 0.18, 1.08
"""Values at which a pose is about as likely wrong as right, going by that measure alone.

CT and MR slices of five heads, turned at will, gave 0.42 to 0.58, 0.24 to 0.45 and 1.13 to 2 where the pose
was right; slices of other heads 0.03 to 0.23, 0.03 to 0.12 and 1.03 to 1.16. So few images were at hand that
the confidence ranks, but is no frequency.
"""
WEIGHTS = 20.0, 20.0, 8.0
MOST_MARGIN = 1.3
"""More counts no more: an outline that fits one way only has a wide margin, whatever is inside."""
LEAST_AGREEMENT, LEAST_MARGIN = 0.25, 1.02
LEAST_CELLS = 8
ACCEPT, DOUBT = 0.5, 0.25
"""Least confidence to accept a pose, and to show it as doubtful."""


@dataclass(frozen=True)
class RelatedEvidence:
    """What speaks for a pose.

    Parameters
    ----------
    agreement : CellAgreement
        Of all cells of the specimen.
    inside : CellAgreement
        Of those away from its outline.
    margin : float
        Score over that of the best clearly different pose.
    """

    agreement: CellAgreement
    inside: CellAgreement
    margin: float

    @property
    def confidence(self) -> float:
        """From 0 to 1; 0.5 is where right and wrong part."""
        differences = (
            self.agreement.share - AGREEMENT,
            self.inside.share - INSIDE,
            min(self.margin, MOST_MARGIN) - MARGIN,
        )
        logit = float(np.clip(np.dot(WEIGHTS, differences), -30, 30))
        confidence = float(1 / (1 + np.exp(-logit)))
        tested = min(self.agreement.tested, self.inside.tested)
        # Each has a say of its own: another body of the same shape fits the outline too.
        failed = self.agreement.share < LEAST_AGREEMENT or self.inside.share < INSIDE
        if failed or self.margin < LEAST_MARGIN or tested < LEAST_CELLS:
            confidence = min(confidence, 0.2)
        return round(confidence, 4)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What was measured, and what was asked for, in plain words."""
        all_of, inside = self.agreement, self.inside
        return (
            f"{all_of.agreeing} of {all_of.tested} cells that took no part in learning which values go "
            f"together fit best where it puts them; chance would give {all_of.chance * all_of.tested:.0f} "
            f"(about {AGREEMENT * all_of.tested:.0f} is where right and wrong part).",
            f"Of those inside, away from the outline, {inside.agreeing} of {inside.tested} do (about "
            f"{INSIDE * inside.tested:.0f} is where right and wrong part).",
            f"By mutual information and the run of edges it fits {self.margin:.2f} times as well as the best "
            f"clearly different pose (about {MARGIN:.2f} times is where right and wrong part).",
        )

    @property
    def figures(self) -> dict[str, float]:
        """The numbers behind it."""
        return {
            "cells_agreeing": float(self.agreement.agreeing),
            "cells_tested": float(self.agreement.tested),
            "agreement": self.agreement.share,
            "inside": self.inside.share,
            "margin": self.margin,
        }


def weigh_related(
    fixed: Picture, moving: Picture, fixed_to_moving: FloatArray, margin: float
) -> RelatedEvidence:
    """Ask the cells of the fixed picture whether a pose is right.

    Parameters
    ----------
    fixed, moving : Picture
        Bright on dark, with room around; see `with_background`.
    fixed_to_moving : (3, 3) ndarray
        The pose in world units.
    margin : float
        Score over that of the best clearly different pose.

    Returns
    -------
    RelatedEvidence
    """
    agreement, inside = (
        cells_agreeing(fixed, moving, fixed_to_moving, inside_only=only) for only in (False, True)
    )
    return RelatedEvidence(agreement, inside, margin)


def cells_agreeing(
    fixed: Picture, moving: Picture, fixed_to_moving: FloatArray, *, inside_only: bool = False
) -> CellAgreement:
    """Ask each cell of the fixed specimen where it fits, by what the others teach; see `agreement_of_cells`.

    Parameters
    ----------
    fixed, moving : Picture
        Bright on dark, with room around.
    fixed_to_moving : (3, 3) ndarray
        The pose in world units.
    inside_only : bool
        Leave out the outline and what lies near it: another specimen of the same shape fits there too.

    Returns
    -------
    CellAgreement
    """
    still = fixed.reduced(max(fixed.extent / SIDE_PX, fixed.spacing))
    (rows, columns), (sy, sx), (oy, ox) = still.frame.shape, still.frame.spacing, still.frame.origin
    wide = Frame((rows + 2 * REACH, columns + 2 * REACH), (sy, sx), (oy - REACH * sy, ox - REACH * sx))
    seen = moving.sampled(wide, fixed_to_moving)
    if not seen.mask.any() or not still.mask.any():
        return CellAgreement(0, 0, 1.0)
    second = np.where(seen.mask, _bins(seen.channels[0], seen.mask), -1).astype(np.int8)
    specimen = _specimen(still)
    if not specimen.any():
        return CellAgreement(0, 0, 1.0)
    extent = float(np.ptp(np.argwhere(specimen), axis=0).max())
    inside, look = specimen, _widened(specimen) & still.mask
    if inside_only:
        inside = look = _core(specimen, extent)
    if not inside.any():
        return CellAgreement(0, 0, 1.0)
    count = CELLS_INSIDE if inside_only else CELLS
    first = _bins(still.channels[0], inside if inside_only else still.mask)
    return agreement_of_cells(
        first, second, look, inside, chessboard(first.shape, max(extent / count, 4.0)),
        bins=BINS, reach=REACH, near=NEAR,
    )  # fmt: skip


def _bins(plane: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.minimum(np.floor(ranked(plane, mask, BINS + 1)), BINS - 1).astype(np.int8)


def _specimen(picture: Picture) -> NDArray[np.bool_]:
    """Return where the specimen is: what stands out from the background, its holes filled, no specks."""
    from scipy.ndimage import binary_closing, binary_fill_holes, binary_opening

    plane = picture.channels[0]
    bright = (plane > background_level(plane[picture.mask])) & picture.mask
    filled = binary_fill_holes(binary_closing(bright, iterations=2))
    return np.asarray(binary_opening(filled, iterations=2) & picture.mask)


def _widened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(mask, iterations=RIM))


def _core(mask: NDArray[np.bool_], extent: float) -> NDArray[np.bool_]:
    """Return what lies deeper than the outline; edges at which the specimen is cut off are no outline."""
    from scipy.ndimage import binary_erosion

    depth = max(round(DEPTH * extent), 2)
    wide = np.pad(mask, depth, mode="edge")
    return np.asarray(binary_erosion(wide, iterations=depth)[depth:-depth, depth:-depth])
