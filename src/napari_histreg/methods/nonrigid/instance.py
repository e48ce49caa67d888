"""Instance optimisation: the losses of learned registration, minimised for one pair without any training."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.affine_refinement import orientation_planes
from napari_histreg.matching.block_correlation import Plane
from napari_histreg.matching.picture import Picture
from napari_histreg.methods import fields
from napari_histreg.methods.method import Finding, Method
from napari_histreg.methods.nonrigid.control_grid import ControlGrid, bending_energy, gradient_energy
from napari_histreg.methods.nonrigid.dense import (
    DenseField,
    DensePair,
    coarse_to_fine,
    conclude,
    lay_out,
    reduced,
    warped,
)
from napari_histreg.methods.nonrigid.discrete_start import discrete_start
from napari_histreg.methods.nonrigid.likeness import LIKENESS, descriptor
from napari_histreg.progress import Progress, portion
from napari_histreg.transforms import Transform

__all__ = ["InstanceOptimisation"]

TOLD = 5  # iterations between two reports
FIRST_MOMENT, SECOND_MOMENT = 0.9, 0.999
ENERGIES = {"bending": bending_energy, "gradient": gradient_energy}


class InstanceOptimisation(Method):
    """Minimise unlikeness plus bending over one displacement, by gradients.

    A discrete search over all shifts gives the start, Adam [1]_ moves a grid of control points from there,
    coarse to fine, as ConvexAdam does [2]_. With inverse consistency the opposite displacement is
    optimised too, and each is drawn to the other's inverse. It bends only: give the affine alignment as the
    start.

    Notes
    -----
    The derivatives are written out, so no framework of deep learning takes part.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, Adam: a method for stochastic optimization, ICLR 2015.
       doi:10.48550/arXiv.1412.6980
    .. [2] H. Siebert et al., ConvexAdam: self-configuring dual-optimisation-based 3D multitask medical image
       registration, IEEE TMI 44(2), 2025. doi:10.1109/TMI.2024.3462248
    """

    name = "instance"
    label = "The instance optimisation"

    similarity: Literal["edges", "lncc", "mind", "mi", "mse"] = Field(
        "edges",
        title="Similarity",
        description="The run of edges, local correlation, self-similar patches, mutual information, squared "
        "difference.",
    )
    window_px: float = Field(
        8.0, title="Window (px)", description="Of local correlation: standard deviation.", ge=1.0, le=100.0
    )
    grid_px: float = Field(
        24.0,
        title="Grid (px)",
        description="Distance of control points: larger bends less.",
        ge=4.0,
        le=500.0,
    )
    smoothness: Literal["bending", "gradient"] = Field(
        "bending", title="Smoothness", description="Whether bends or all changes of the displacement cost."
    )
    stiffness: float = Field(
        0.005, title="Stiffness", description="What smoothness weighs against likeness.", ge=0.0, le=100.0
    )
    inverse_consistency: float = Field(
        0.0,
        title="Inverse consistency",
        description="How strongly both directions are drawn together; above 0 takes twice the time.",
        ge=0.0,
        le=10.0,
    )
    reach_px: float = Field(
        16.0,
        title="Reach (px)",
        description="Largest shift the start looks at; 0 starts unbent.",
        ge=0.0,
        le=64.0,
    )
    rate_px: float = Field(0.5, title="Rate (px)", description="Largest step of Adam.", gt=0.0, le=10.0)
    iterations: int = fields.iterations(60)
    levels: int = fields.levels(3)
    max_side_px: int = fields.working_size(512)

    def search(
        self, fixed: Picture, moving: Picture, initial: Transform | None, progress: Progress
    ) -> Finding:
        """Bend level by level; see `Method.search`.

        Raises
        ------
        NotConverged
            The displacement folds, or the pose is not one that can be trusted.
        """
        progress(0.0, "laying the images onto one another")
        pair = lay_out(fixed, moving, initial, self.max_side_px)
        progress(0.05, "looking at all shifts")
        compared = self._compared(pair)
        sides = [compared] if self.inverse_consistency == 0 else [compared, compared[::-1]]
        found = [self._start(pair.fixed, pair.moving, pair.weight)]
        if self.inverse_consistency > 0:
            found.append(self._start(pair.moving, pair.fixed, pair.weight))
        sizes = coarse_to_fine(pair.fixed.shape, self.levels)
        for k, size in enumerate(sizes):
            part = portion(portion(progress, 0.1, 0.85), k / len(sizes), (k + 1) / len(sizes))
            level = [[[reduced(plane, size) for plane in planes] for planes in both] for both in sides]
            found = self._descend(level, reduced(pair.weight, size), found, part)
        return conclude(pair, found[0], self.label)

    def _start(self, fixed: Plane, moving: Plane, weight: Plane) -> DenseField:
        if self.reach_px == 0:
            return np.zeros((*fixed.shape, 2), np.float32)
        return discrete_start(*self._planes([fixed], [moving]), weight, self.reach_px)

    def _compared(self, pair: DensePair) -> tuple[list[Plane], list[Plane]]:
        """Return what is reduced to each level: of edges their run, which fades where they cancel."""
        if self.similarity != "edges":
            return [pair.fixed], [pair.moving]
        fixed, moving = orientation_planes(*pair.pictures)
        return list(fixed), list(moving)

    def _planes(self, fixed: list[Plane], moving: list[Plane]) -> tuple[list[Plane], list[Plane]]:
        """Return what is compared on a level."""
        if self.similarity == "mind":
            return descriptor(fixed[0], 1.5), descriptor(moving[0], 1.5)
        if self.similarity == "edges":
            return _of_length_1(fixed), _of_length_1(moving)
        return fixed, moving

    def _descend(
        self,
        sides: Sequence[Sequence[list[Plane]]],
        weight: Plane,
        found: list[DenseField],
        progress: Progress,
    ) -> list[DenseField]:
        """Improve the displacement of each direction on one level; they are in pixels of the whole."""
        shape = weight.shape
        whole = found[0].shape
        factor = whole[0] / shape[0]
        grid = ControlGrid((shape[0], shape[1]), max(self.grid_px / factor, 1.0))
        steps = [
            _Descent(grid.fitted(_resized(field, shape).astype(float)), self.rate_px, self.iterations)
            for field in found
        ]
        planes = [self._planes(*side) for side in sides]
        size = f"{shape[1]} x {shape[0]} px"
        for k in range(self.iterations):
            if k % TOLD == 0:
                progress(k / self.iterations, f"step {k} of {self.iterations} at {size}")
            dense = [grid.spread(step.points).astype(np.float32) for step in steps]
            for n, step in enumerate(steps):
                slope = self._slope(*planes[n], weight, dense[n] / factor, factor) / factor
                if self.inverse_consistency > 0:
                    slope += self.inverse_consistency * _pull(dense[n], dense[1 - n], factor, weight)
                energy = ENERGIES[self.smoothness](step.points)[1]
                step.take(grid.gathered(slope) + self.stiffness * energy)
        return [_resized(grid.spread(step.points).astype(np.float32), whole[:2]) for step in steps]

    def _slope(
        self, fixed: list[Plane], moving: list[Plane], weight: Plane, field: DenseField, factor: float
    ) -> FloatArray:
        """Return the derivative of the unlikeness by the displacement, (Y, X, 2), in pixels of the level."""
        out = np.zeros((*weight.shape, 2))
        window = max(self.window_px / factor, 2.0)
        for a, b in zip(fixed, moving, strict=True):
            by_pixel = LIKENESS[self.similarity](a, warped(b, field), weight, window)[1]
            for k in range(2):
                along = cv2.Sobel(
                    b, cv2.CV_32F, k, 1 - k, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REPLICATE
                )
                out[..., k] += by_pixel * warped(along, field)
        return out


class _Descent:
    """Adam over control points, its steps dying away like a cosine."""

    def __init__(self, points: FloatArray, rate: float, count: int) -> None:
        self.points = points
        self._rate, self._count, self._done = rate, count, 0
        self._first, self._second = np.zeros_like(points), np.zeros_like(points)

    def take(self, slope: FloatArray) -> None:
        """Go one step down a slope."""
        self._done += 1
        self._first = FIRST_MOMENT * self._first + (1 - FIRST_MOMENT) * slope
        self._second = SECOND_MOMENT * self._second + (1 - SECOND_MOMENT) * slope**2
        mean = self._first / (1 - FIRST_MOMENT**self._done)
        # Where next to nothing pulls, a step must not be as long as where much does.
        spread = np.sqrt(self._second / (1 - SECOND_MOMENT**self._done))
        floor = 0.05 * float(spread.mean()) + 1e-12
        rate = self._rate * (0.5 + 0.5 * np.cos(np.pi * self._done / self._count))
        self.points = self.points - rate * mean / (spread + floor)


def _of_length_1(planes: list[Plane]) -> list[Plane]:
    length = max(float(np.sqrt(sum(float((plane * plane).sum()) for plane in planes))), 1e-9)
    return [plane / np.float32(length) for plane in planes]


def _pull(field: DenseField, back: DenseField, factor: float, weight: Plane) -> FloatArray:
    """Return the slope by which a displacement is drawn to the inverse of the opposite one, held fixed."""
    level = np.asarray(field / factor, np.float32)
    off = field + np.stack([warped(np.ascontiguousarray(back[..., k]), level) for k in range(2)], -1)
    return np.asarray(2 * off / (factor**2 * max(float(weight.sum()), 1.0)))


def _resized(field: DenseField, shape: tuple[int, ...]) -> DenseField:
    """Bring a displacement to another number of pixels; its lengths stay those of the whole."""
    return np.asarray(cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR))
