"""Does a pose stand out from wrong ones? A check that no stain and no contrast reversal can fool."""

from dataclasses import dataclass

import numpy as np

from napari_histreg.errors import NotConverged
from napari_histreg.geometry import FloatArray, Frame
from napari_histreg.matching.picture import Picture, corners, overlap_frame
from napari_histreg.matching.pose_search import Grid, search_poses
from napari_histreg.transforms import Transform, affine_over

__all__ = ["Evidence", "as_affine", "require_plausible", "weigh_pose"]

LEAST_OVERLAP = 0.1
MOST_SCALE = 4.0
MOST_ANISOTROPY = 2.0
CONVINCING = 1.5


@dataclass(frozen=True)
class Evidence:
    """How a pose compares with wrong poses of the same two pictures.

    Parameters
    ----------
    margin : float
        Score of the pose over that of the best distinct wrong pose; chance stays below about 1.4.
    off_px : float
        How far the best shift near the pose lies from it, in pixels of the comparison.
    overlap : float
        Share of the smaller picture's valid area that both show.
    """

    margin: float
    off_px: float
    overlap: float

    @property
    def is_convincing(self) -> bool:
        """Whether the pose beats every wrong pose by more than chance allows."""
        return self.margin > CONVINCING and self.overlap >= LEAST_OVERLAP


def weigh_pose(fixed: Picture, moving: Picture, fixed_to_moving: FloatArray, *, side: int = 128) -> Evidence:
    """Compare a pose with the best of many wrong rotations, mirrors and shifts.

    The moving picture is brought onto the fixed one by the pose. Then every rotation in steps of ten
    degrees, each also mirrored, is tried at every shift: a true pose is the best of all, while the best
    of an optimiser's local optima between unrelated pictures is one among thousands.

    Parameters
    ----------
    fixed, moving : Picture
        The two pictures.
    fixed_to_moving : (3, 3) ndarray
        The pose in world units, (y, x, 1), affine.
    side : int
        Working size in pixels of the longest side.

    Returns
    -------
    Evidence
        Margin 0 where nothing overlaps.
    """
    frame = overlap_frame(fixed, moving, fixed_to_moving, side)
    if frame is None or min(frame.shape) < 8:
        return Evidence(0.0, float(side), 0.0)
    overlap = _overlap(fixed, moving, fixed_to_moving, frame)
    spacing = frame.spacing[0]
    still = fixed.reduced(spacing)
    wide = _frame_of(moving, np.asarray(np.linalg.inv(fixed_to_moving)), spacing)
    seen = moving.sampled(wide, fixed_to_moving)
    poses = search_poses(still, seen, [1.0], grid=Grid(side=side, step_deg=10.0, moving_side=2.0))
    low, high = still.box.min(0), still.box.max(0)
    inner = low + (high - low) * np.array([[0.3, 0.3], [0.3, 0.7], [0.7, 0.3], [0.7, 0.7]])
    off = np.linalg.norm(
        inner @ poses.matrices[:, :2, :2].transpose(0, 2, 1) + poses.matrices[:, None, :2, 2] - inner, axis=2
    ).mean(1)
    reach = max(0.04 * side, 3.0) * spacing
    near = off <= reach
    # Poses close to the one in question share its score and say nothing about chance.
    wrong = off > 0.15 * side * spacing
    if not near.any() or not wrong.any():
        return Evidence(0.0, float(off.min() / spacing), overlap)
    best = int(np.argmax(np.where(near, poses.z, -np.inf)))
    margin = float(poses.z[best] / max(float(poses.z[wrong].max()), 1e-9))
    return Evidence(margin, float(off[best] / spacing), overlap)


def _overlap(fixed: Picture, moving: Picture, fixed_to_moving: FloatArray, frame: Frame) -> float:
    """Give the shared area as a share of the smaller picture's valid area."""
    both = fixed.sampled(frame, np.eye(3)).mask & moving.sampled(frame, fixed_to_moving).mask
    shared = float(both.sum()) * frame.spacing[0] * frame.spacing[1]
    area_fixed = float(fixed.mask.sum()) * float(np.prod(fixed.frame.spacing))
    area_moving = float(moving.mask.sum()) * float(np.prod(moving.frame.spacing))
    area_moving /= max(abs(float(np.linalg.det(fixed_to_moving[:2, :2]))), 1e-12)
    return shared / max(min(area_fixed, area_moving), 1e-12)


def _frame_of(moving: Picture, moving_to_fixed: FloatArray, spacing: float) -> Frame:
    """Lay a grid in the fixed frame over all that the moving picture shows."""
    seen = corners(moving.box, moving_to_fixed)
    low, high = seen.min(0), seen.max(0)
    rows, columns = np.maximum(np.ceil((high - low) / spacing), 1).astype(int)
    origin = low + spacing / 2
    return Frame.square((rows, columns), spacing, origin)


def require_plausible(matrix: FloatArray, evidence: Evidence, what: str) -> None:
    """Refuse a linear map that cannot be the answer.

    Parameters
    ----------
    matrix : (3, 3) ndarray
        Change that the method made to its start, in the fixed frame, (y, x, 1).
    evidence : Evidence
        Of the whole pose.
    what : str
        Name of the method for the sentence.

    Raises
    ------
    NotConverged
        The scale changed more than four times, one direction is stretched more than twice as much as the
        other, less than a tenth overlaps, or wrong poses fit as well.
    """
    values = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    scale, anisotropy = float(np.sqrt(values[0] * values[1])), float(values[0] / max(values[1], 1e-12))
    hint = "Give a start (initial) closer to the truth or use a method that searches all poses."
    if not 1 / MOST_SCALE <= scale <= MOST_SCALE:
        raise NotConverged(f"{what} changed the scale {scale:.3g} times, which cannot be right. {hint}")
    if anisotropy > MOST_ANISOTROPY:
        raise NotConverged(
            f"{what} stretched one direction {anisotropy:.3g} times as much as the other. {hint}"
        )
    if evidence.overlap < LEAST_OVERLAP:
        raise NotConverged(
            f"After {what} only {100 * evidence.overlap:.0f} % of the smaller image overlaps the other "
            f"(at least {100 * LEAST_OVERLAP:.0f} % are needed). {hint}"
        )
    if not evidence.is_convincing:
        how_well = (
            f"its edges agree {evidence.margin:.2f} times as well as those of the best wrong pose "
            f"(convincing is above {CONVINCING})"
            if evidence.margin > 0
            else "turned the same way, the images agree better at another place"
        )
        raise NotConverged(
            f"{what} found a pose that does not stand out: {how_well}. The images may be unrelated. {hint}"
        )


def as_affine(transform: Transform, fixed: Picture) -> FloatArray:
    """Give the (3, 3) matrix, (y, x, 1), of the affine map closest to a transform over the fixed picture."""
    return affine_over(transform, fixed.box.min(0), fixed.box.max(0)).matrix
