"""Where each output pixel comes from: exact for matrices, within a stated bound for maps that bend."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Region
from napari_histreg.slides import Slide
from napari_histreg.transforms import MatrixTransform, Transform

__all__ = ["Lookup"]

BOUND_PX = 0.05
_STEPS = (64, 32, 16, 8, 4, 2, 1)


@dataclass(frozen=True)
class Lookup:
    """Finds the source pixels behind the output pixels of one level.

    Parameters
    ----------
    moving : Slide
        The source.
    fixed_to_moving : Transform
        From output world units to the source's world units.
    spacing, origin : (float, float)
        Of the output level's pixel centres, in world units.
    """

    moving: Slide
    fixed_to_moving: Transform
    spacing: tuple[float, float]
    origin: tuple[float, float]

    def matrix(self, level: int) -> FloatArray | None:
        """Return the (3, 3) matrix from output to source pixels (y, x, 1); None for a map that bends."""
        if not isinstance(self.fixed_to_moving, MatrixTransform):
            return None
        to_world = np.diag([*self.spacing, 1.0])
        to_world[:2, 2] = self.origin
        to_pixel = np.diag([*(1 / np.array(self.moving.spacing(level))), 1.0])
        to_pixel[:2, 2] = -np.array(self.moving.origin(level)) / self.moving.spacing(level)
        return np.asarray(to_pixel @ self.fixed_to_moving.matrix @ to_world)

    def shrinkage(self, region: Region) -> float:
        """Return how many level-0 source pixels one output pixel spans, the least over the region."""
        rows = region.y + (region.height - 1) * np.array([0.0, 0.0, 1.0, 1.0, 0.5])
        columns = region.x + (region.width - 1) * np.array([0.0, 1.0, 0.0, 1.0, 0.5])
        points = np.stack([rows, columns], axis=1) * self.spacing + np.array(self.origin)
        local = self.fixed_to_moving.jacobian(points) * self.spacing
        local = local / np.array(self.moving.world_pixel_size)[:, None]
        values = np.linalg.svd(local[np.isfinite(local).all((1, 2))], compute_uv=False)
        return float(values.mean(axis=1).min()) if len(values) else 1.0

    def source_pixels(self, region: Region, level: int) -> NDArray[np.float32]:
        """Return (H, W, 2) source pixel coordinates (x, y) of a region's pixels on a source level.

        The map is evaluated on a coarse lattice, interpolated between, and checked in the middle of the
        cells against the map itself: the lattice is halved until the two agree within `BOUND_PX`.
        """
        for step in _STEPS:
            lattice, weights = self._lattice(region, level, step)
            if step == 1 or self._error(region, level, step, lattice) <= BOUND_PX:
                break
        x, y = (weights[0] @ lattice[..., axis] @ weights[1].T for axis in (1, 0))
        return np.stack([x, y], axis=-1).astype(np.float32)

    def _lattice(self, region: Region, level: int, step: int) -> tuple[FloatArray, list[FloatArray]]:
        """Evaluate on a lattice; the weights interpolate each axis linearly to single pixels."""
        counts = [max(-(-(n - 1) // step), 1) + 1 for n in region.shape]
        rows = region.y + step * np.arange(counts[0], dtype=np.float64)
        columns = region.x + step * np.arange(counts[1], dtype=np.float64)
        weights = []
        for size, count in zip(region.shape, counts, strict=True):
            position = np.arange(size) / step
            weights.append(np.maximum(0.0, 1.0 - np.abs(position[:, None] - np.arange(count))))
        return self._exact(rows, columns, level), weights

    def _exact(self, rows: FloatArray, columns: FloatArray, level: int) -> FloatArray:
        """Map the pixels at rows x columns to source pixels (y, x) of a level."""
        grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
        points = grid.reshape(-1, 2) * self.spacing + np.array(self.origin)
        found = self.moving.to_pixel(self.fixed_to_moving(points), level)
        return found.reshape(*grid.shape)

    def _error(self, region: Region, level: int, step: int, lattice: FloatArray) -> float:
        """Return the largest error of linear interpolation at the middles of the cells, in source pixels."""
        rows = region.y + step * (np.arange(lattice.shape[0] - 1) + 0.5)
        columns = region.x + step * (np.arange(lattice.shape[1] - 1) + 0.5)
        between = (lattice[1:, 1:] + lattice[:-1, 1:] + lattice[1:, :-1] + lattice[:-1, :-1]) / 4
        return float(np.nanmax(np.linalg.norm(between - self._exact(rows, columns, level), axis=-1)))
