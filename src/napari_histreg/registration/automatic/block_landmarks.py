"""The blocks that carry an automatic alignment, as landmarks that a person can look at and correct."""

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks import Landmarks
from napari_histreg.matching.block_correlation import correlate_blocks
from napari_histreg.matching.description import learn_description
from napari_histreg.matching.picture import Picture, overlap_frame
from napari_histreg.transforms import Affine

__all__ = ["block_landmarks"]

SIDE = 448
CELLS = 8
REACH = 6
FAR_PX = 3.0
"""A block that points further than this from the pose, at `SIDE`, did not carry it."""

LEAST_Z = 4.5
"""About what the best of all shifts of an unrelated block reaches, in standard deviations."""


def block_landmarks(fixed: Picture, moving: Picture, fixed_to_moving: FloatArray) -> Landmarks | None:
    """Find where blocks of the fixed picture lie in the moving one, near a pose that is right.

    Parameters
    ----------
    fixed, moving : Picture
        The two pictures.
    fixed_to_moving : (3, 3) ndarray
        The pose, affine in world units.

    Returns
    -------
    Landmarks or None
        Block centres in world units with a confidence from 0 to 1, strongest first; None where no block
        stands out.
    """
    frame = overlap_frame(fixed, moving, fixed_to_moving, SIDE)
    if frame is None or min(frame.shape) < 4 * REACH:
        return None
    describe = learn_description(fixed, moving, fixed_to_moving)
    planes = describe(fixed.sampled(frame, np.eye(3)), moving.sampled(frame, fixed_to_moving))
    block = max(16, round(max(frame.shape) / CELLS))
    shifts = correlate_blocks(*planes, block=block, reach=REACH, step=block).shifts()
    carries = (np.linalg.norm(shifts.offsets, axis=1) <= FAR_PX) & (shifts.z >= LEAST_Z)
    if not carries.any():
        return None
    order = np.flatnonzero(carries)[np.argsort(-shifts.z[carries], kind="stable")]
    centres = shifts.centres[order] * frame.spacing + frame.origin
    matched = (shifts.centres + shifts.offsets)[order] * frame.spacing + frame.origin
    z = shifts.z[order]
    return Landmarks.of(
        centres,
        Affine(fixed_to_moving)(matched),
        names=tuple(f"block {k + 1}" for k in range(len(order))),
        confidence=1 - (LEAST_Z / (z + LEAST_Z)),
    )
