"""Is a stretch between two images real, or does it only raise the measure that was climbed?"""

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import Picture
from napari_histreg.matching.related_evidence import cells_agreeing

__all__ = ["is_stretch_proven", "nearest_rigid"]

GAIN = 1.2
"""A stretch that is real raised the score by a third and more; one that was not there by a ninth at most."""


def is_stretch_proven(
    fixed: Picture, moving: Picture, stretched: FloatArray, rigid: FloatArray, gain: float
) -> bool:
    """Tell whether a stretched pose is worth more than the rigid one beside it.

    Six more or four numbers always fit a little better. What they gain must be much, or cells that took no
    part must confirm it by more than their number leaves to chance.

    Parameters
    ----------
    fixed, moving : Picture
        Bright on dark, with room around.
    stretched, rigid : (3, 3) ndarray
        The poses in world units.
    gain : float
        Score of the first over that of the second; see `RelatedValues`.
    """
    if gain > GAIN:
        return True
    first, second = (cells_agreeing(fixed, moving, pose) for pose in (stretched, rigid))
    error = float(np.sqrt(max(second.share * (1 - second.share), 0.05) / max(second.tested, 1)))
    return first.share - second.share > 2 * error


def nearest_rigid(matrix: FloatArray, centre: FloatArray) -> FloatArray:
    """Return the rigid map (3, 3) closest to an affine one that puts a point (y, x) at the same place."""
    u, _, vt = np.linalg.svd(matrix[:2, :2])
    out = np.eye(3)
    out[:2, :2] = u @ vt
    out[:2, 2] = matrix[:2, :2] @ centre + matrix[:2, 2] - out[:2, :2] @ centre
    return out
