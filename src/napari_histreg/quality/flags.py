"""Regions of an alignment that are off: moved, without a match, or missing."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["Flag", "flag_blocks"]

FlagKind = Literal["moved", "no match", "missing"]

WORDS: dict[FlagKind, str] = {
    "moved": "lies elsewhere than the alignment says (torn, folded or bent tissue)",
    "no match": "shows nothing that agrees, though its surroundings do",
    "missing": "shows no tissue in the moving slide (lost, or not stained there)",
}

LEAST_BLOCKS = 3
"""A region of fewer blocks is left to chance: blocks overlap by half, so this is one block and its rim."""

SMALLEST_SHARE = 0.004
"""Shifts below this share of the diagonal are never called moved: that is what landmarks scatter by."""

MOSTLY = 0.7
"""Share of a block that is tissue, and share of blocks that agree, from which silence means something."""

SHOWN = 0.85
"""Share of the other tissue that the moving slide must show for a gap to count as missing tissue."""


@dataclass(frozen=True)
class Flag:
    """A region that is off; lengths in the fixed slide's world units.

    Parameters
    ----------
    kind : {"moved", "no match", "missing"}
        What is wrong.
    low, high : (float, float)
        Corners (y, x) of the rectangle around the region.
    blocks : int
        How many blocks it has.
    shift : (float, float) or None
        Median shift (y, x) of a moved region.
    """

    kind: FlagKind
    low: tuple[float, float]
    high: tuple[float, float]
    blocks: int
    shift: tuple[float, float] | None = None

    @property
    def words(self) -> str:
        """The finding in plain words."""
        return WORDS[self.kind]

    def to_dict(self) -> dict[str, Any]:
        """Return the region as JSON values."""
        return {
            "kind": self.kind,
            "words": self.words,
            "low": list(self.low),
            "high": list(self.high),
            "blocks": self.blocks,
            "shift": None if self.shift is None else list(self.shift),
        }


def flag_blocks(
    centres: FloatArray,
    shifts: FloatArray,
    judged: NDArray[np.bool_],
    tissue: FloatArray,
    other_tissue: FloatArray,
    *,
    block: float,
    diagonal: float,
) -> tuple[Flag, ...]:
    """Find the regions that stand out from an alignment that is right elsewhere.

    Parameters
    ----------
    centres, shifts : (R, C, 2) ndarray
        Of the blocks, in world units.
    judged : (R, C) ndarray of bool
        Whose shift counts.
    tissue, other_tissue : (R, C) ndarray
        Share of the block that is tissue in the fixed, in the aligned moving slide, 0 to 1.
    block : float
        Side of a block.
    diagonal : float
        Of the fixed slide.

    Returns
    -------
    tuple of Flag
        The largest first; empty where so little is judged that nothing stands out.
    """
    if judged.sum() < LEAST_BLOCKS:
        return ()
    distance = np.linalg.norm(shifts, axis=-1)
    usual = float(np.median(distance[judged]))
    moved = judged & (distance > max(3 * usual, SMALLEST_SHARE * diagonal))
    found = _regions("moved", moved, centres, shifts, block)
    # Blocks half of which is glass say nothing about missing tissue or missing agreement.
    full, other_full = tissue > MOSTLY, other_tissue > MOSTLY
    both = full & other_full
    # What was matched is there, however faintly the stain shows it.
    gaps = full & (other_tissue < 1 - MOSTLY) & ~judged
    for flag in _regions("missing", gaps, centres, None, block):
        # Only a stain that shows the rest of the tissue can show that some is missing.
        rest = max(int(full.sum()) - flag.blocks, 1)
        if int(gaps.sum()) - flag.blocks < (1 - SHOWN) * rest:
            found.append(flag)
    if (judged & both).sum() > MOSTLY * max(int(both.sum()), 1):
        found += _regions("no match", both & ~judged, centres, None, block)
    return tuple(sorted(found, key=lambda flag: -flag.blocks))


def _regions(
    kind: FlagKind, where: NDArray[np.bool_], centres: FloatArray, shifts: FloatArray | None, block: float
) -> list[Flag]:
    from scipy.ndimage import label

    labels, count = label(where, structure=np.ones((3, 3)))
    found = []
    for k in range(1, count + 1):
        inside = labels == k
        if inside.sum() < LEAST_BLOCKS:
            continue
        low, high = centres[inside].min(0) - block / 2, centres[inside].max(0) + block / 2
        shift = None if shifts is None else np.median(shifts[inside], axis=0)
        found.append(
            Flag(
                kind,
                (float(low[0]), float(low[1])),
                (float(high[0]), float(high[1])),
                int(inside.sum()),
                None if shift is None else (float(shift[0]), float(shift[1])),
            )
        )
    return found
