"""Orientation and density together, each as strong as it proved to be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.affine_refinement import orientation_planes
from napari_histreg.matching.block_correlation import Plane
from napari_histreg.matching.density import DensityPair, choose_density_pair, density_planes
from napari_histreg.matching.picture import Picture, overlap_frame
from napari_histreg.matching.pose_score import score_planes

__all__ = ["JointDescription", "learn_description"]


@dataclass(frozen=True)
class JointDescription:
    """Planes of orientation and of the density pair that this pair of pictures supports.

    Parameters
    ----------
    density : DensityPair or None
        None where only orientation is used.
    ratio : float
        Weight of density, relative to orientation's 1.
    """

    density: DensityPair | None = None
    ratio: float = 0.0

    def __call__(self, fixed: Picture, moving: Picture) -> tuple[Sequence[Plane], Sequence[Plane]]:
        """Describe two pictures on one frame by planes that are correlated in pairs."""
        f, m = orientation_planes(fixed, moving)
        if self.density is None or self.ratio <= 0:
            return f, m
        mask = (fixed.mask & moving.mask).astype(np.float32)
        weight = np.float32(np.sqrt(self.ratio))
        a = density_planes(fixed, [self.density.fixed], mask)[0] * weight
        b = density_planes(moving, [self.density.moving], mask)[0] * (weight * self.density.sign)
        return [*f, a], [*m, b]


def learn_description(
    fixed: Picture, moving: Picture, fixed_to_moving: FloatArray, *, side: int = 224
) -> JointDescription:
    """Choose the density pair at a pose and weigh it against orientation.

    Each representation gets the weight signal over variance, which joins independent measurements best.

    Parameters
    ----------
    fixed, moving : Picture
        The two pictures.
    fixed_to_moving : (3, 3) ndarray
        A pose that is nearly right, affine in world units.
    side : int
        Working size in pixels.

    Returns
    -------
    JointDescription
    """
    frame = overlap_frame(fixed, moving, fixed_to_moving, side)
    if frame is None or min(frame.shape) < 16:
        return JointDescription()
    a, b = fixed.sampled(frame, np.eye(3)), moving.sampled(frame, fixed_to_moving)
    orientation = score_planes(*orientation_planes(a, b))
    pair = choose_density_pair(a, b)
    if orientation.weight <= 0:
        return JointDescription()
    return JointDescription(pair, abs(pair.score.weight) / orientation.weight)
