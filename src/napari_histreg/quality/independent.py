"""An alignment judged by something it was not made from: the shift that is left, block by block."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.progress import Progress, silent
from napari_histreg.quality.block_comparison import LEAST_TISSUE, Comparison, Look, Representation, Stage
from napari_histreg.quality.consensus import robust_affine
from napari_histreg.quality.flags import Flag, flag_blocks
from napari_histreg.slides.slide import Slide
from napari_histreg.transforms import Affine, Transform

__all__ = ["IndependentCheck", "check_alignment"]

COARSE_PX, FINE_PX = 256, 640
"""Longer side of the pictures compared: wide reach first, then precision."""

COARSE_BLOCK, FINE_BLOCK = 64, 80
FAR, NEAR, CLOSE = 28, 12, 8
"""Reach in pixels of the first look, of the look after the common part is taken away, of the last."""


@dataclass(frozen=True, eq=False)
class IndependentCheck:
    """What is left after an alignment, on a grid of blocks; lengths in the fixed slide's world units.

    Parameters
    ----------
    centres : (R, C, 2) ndarray of float64
        Centres (y, x) of the blocks in the fixed slide.
    shifts : (R, C, 2) ndarray of float64
        The error: where the alignment puts the block's tissue minus where it lies in the fixed slide.
    certainty : (R, C) ndarray of float64
        How sure each shift is, 0 to 1; 0 where nothing could be compared.
    judged : (R, C) ndarray of bool
        Whether the shift counts.
    tissue : (R, C) ndarray of float64
        Share of the block that is tissue in the fixed slide.
    block : float
        Side of a block.
    unit : {"um", "px"}
        Name of the world unit.
    representation : {"directions", "contrast"}
        What was compared.
    diagonal : float
        Diagonal of the fixed slide.
    flags : tuple of Flag
        Regions that are off.
    """

    centres: FloatArray
    shifts: FloatArray
    certainty: FloatArray
    judged: NDArray[np.bool_]
    tissue: FloatArray
    block: float
    unit: str
    representation: Representation
    diagonal: float
    flags: tuple[Flag, ...]

    @property
    def distances(self) -> FloatArray:
        """Lengths (R, C) of the shifts; NaN where not judged."""
        return np.where(self.judged, np.linalg.norm(self.shifts, axis=-1), np.nan)

    @property
    def median(self) -> float | None:
        """Median of the judged shifts; None where fewer than three blocks could be judged."""
        return self._percentile(50)

    @property
    def p90(self) -> float | None:
        """What nine of ten judged shifts stay below; None where fewer than three could be judged."""
        return self._percentile(90)

    @property
    def judged_share(self) -> float:
        """Share of the tissue that could be judged, 0 to 1."""
        total = float(self.tissue[self.tissue >= LEAST_TISSUE].sum())
        return float(self.tissue[self.judged].sum()) / total if total > 0 else 0.0

    def _percentile(self, percent: float) -> float | None:
        return float(np.percentile(self.distances[self.judged], percent)) if self.judged.sum() >= 3 else None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, the regions and the judged blocks as JSON values."""
        return {
            "unit": self.unit,
            "representation": self.representation,
            "median": self.median,
            "p90": self.p90,
            "median_of_diagonal": None if self.median is None else self.median / self.diagonal,
            "judged_share": self.judged_share,
            "judged_blocks": int(self.judged.sum()),
            "blocks": int((self.tissue >= LEAST_TISSUE).sum()),
            "block": self.block,
            "flags": [flag.to_dict() for flag in self.flags],
            "shifts": [
                {
                    "centre": [float(v) for v in self.centres[r, c]],
                    "shift": [float(v) for v in self.shifts[r, c]],
                    "certainty": float(self.certainty[r, c]),
                }
                for r, c in np.argwhere(self.judged)
            ],
        }


def check_alignment(
    fixed: Slide,
    moving: Slide,
    fixed_to_moving: Transform,
    *,
    representation: Representation = "directions",
    progress: Progress = silent,
) -> IndependentCheck:
    """Measure the shift that an alignment leaves in each block of the tissue.

    Blocks of the fixed slide are looked for in the aligned moving slide: over a wide reach first,
    then, with the common part taken away, closely and finer. A block counts where its correlation
    stands out from chance and from every other place.

    Parameters
    ----------
    fixed, moving : Slide
        The two slides.
    fixed_to_moving : Transform
        The alignment to judge, in world units.
    representation : {"directions", "contrast"}
        What to compare. Take the one that the alignment was *not* made from: "directions" of edges for
        methods that compare brightness, "contrast" for those that compare directions.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    IndependentCheck

    Examples
    --------
    >>> from napari_histreg.samples import phantom_pair
    >>> pair = phantom_pair(2048)
    >>> found = check_alignment(pair.fixed, pair.moving, pair.fixed_to_moving)
    >>> found.median < 1.0, found.judged_share > 0.5
    (True, True)
    """
    progress(0.0, "reading for the check")
    coarse = Stage.of(fixed, moving, fixed_to_moving, COARSE_PX)
    compare = Comparison(representation)
    progress(0.3, "comparing blocks")
    first = coarse.look(compare, Affine.identity(), COARSE_BLOCK, FAR)
    common = robust_affine(first.at, first.found, first.judged, coarse.frame.spacing[0])
    merged = first
    if common is not None:
        merged = coarse.look(compare, common, COARSE_BLOCK, NEAR).filled_by(first)
    progress(0.5, "reading finer levels")
    fine = Stage.of(fixed, moving, fixed_to_moving, FINE_PX)
    progress(0.7, "comparing blocks closely")
    last = fine.look(compare, common or Affine.identity(), FINE_BLOCK, CLOSE, merged)
    if last.share < 0.7 * merged.share:
        last = merged
    progress(1.0, "checked")
    return _summary(last, fixed, representation)


def _summary(look: Look, fixed: Slide, representation: Representation) -> IndependentCheck:
    diagonal = float(np.hypot(*fixed.size))
    shifts = look.found - look.at
    return IndependentCheck(
        centres=look.at,
        shifts=shifts,
        certainty=look.certainty,
        judged=look.judged,
        tissue=look.tissue,
        block=look.block,
        unit=fixed.unit,
        representation=representation,
        diagonal=diagonal,
        flags=flag_blocks(
            look.at,
            shifts,
            look.judged,
            look.tissue,
            look.other_tissue,
            block=look.block,
            diagonal=diagonal,
        ),
    )
