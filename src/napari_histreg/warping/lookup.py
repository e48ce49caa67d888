"""Where each output pixel comes from: exact for matrices, within a stated bound for maps that bend."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Region, grid_points
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
    _affine: dict[int, FloatArray | None] = field(default_factory=dict, init=False, repr=False)

    def affine(self, level: int) -> FloatArray | None:
        """Return the (3, 3) matrix from output to source pixels (y, x, 1); None where the map bends."""
        if level not in self._affine:
            self._affine[level] = self._affine_matrix(level)
        return self._affine[level]

    def _affine_matrix(self, level: int) -> FloatArray | None:
        if not isinstance(self.fixed_to_moving, MatrixTransform):
            return None
        if not np.allclose(self.fixed_to_moving.matrix[2], (0, 0, 1)):
            return None
        to_world = np.diag([*self.spacing, 1.0])
        to_world[:2, 2] = self.origin
        to_pixel = np.diag([*(1 / np.array(self.moving.spacing(level))), 1.0])
        to_pixel[:2, 2] = -np.array(self.moving.origin(level)) / self.moving.spacing(level)
        return np.asarray(to_pixel @ self.fixed_to_moving.matrix @ to_world)

    def shrinkage(self, region: Region) -> float:
        """Return how many level-0 source pixels one output pixel spans, the least over the region."""
        if self._affine_shrinkage is not None:
            return self._affine_shrinkage
        rows = region.y + (region.height - 1) * np.array([0.0, 0.0, 1.0, 1.0, 0.5])
        columns = region.x + (region.width - 1) * np.array([0.0, 1.0, 0.0, 1.0, 0.5])
        points = np.stack([rows, columns], axis=1) * self.spacing + np.array(self.origin)
        local = self.fixed_to_moving.jacobian(points) * self.spacing
        local = local / np.array(self.moving.world_pixel_size)[:, None]
        values = np.linalg.svd(local[np.isfinite(local).all((1, 2))], compute_uv=False)
        return float(values.mean(axis=1).min()) if len(values) else 1.0

    @cached_property
    def _affine_shrinkage(self) -> float | None:
        """The same for an affine map, which shrinks alike everywhere."""
        matrix = self.affine(0)
        return None if matrix is None else float(np.linalg.svd(matrix[:2, :2], compute_uv=False).mean())

    def source_pixels(self, region: Region, level: int, finer: int = 1) -> "Places":
        """Find the source pixels of a region's pixels on a source level.

        The map is evaluated on a coarse lattice, interpolated between, and checked in the middle of the
        cells against the map itself: the lattice is halved until the two agree within `BOUND_PX`.

        Parameters
        ----------
        region : Region
            In pixels of the output level.
        level : int
            Of the source.
        finer : int
            Samples for each output pixel along each side, evenly spread over it.

        Returns
        -------
        Places
        """
        shape = (region.height * finer, region.width * finer)
        first = np.array([region.y, region.x]) + 0.5 / finer - 0.5
        for step in _STEPS:
            counts = [max(-(-(n - 1) // step), 1) + 1 for n in shape]
            along = [first[k] + step / finer * np.arange(counts[k]) for k in range(2)]
            lattice = self._exact(along[0], along[1], level)
            if step == 1 or self._error(along, step / finer, lattice, level) <= BOUND_PX:
                break
        finite = np.isfinite(lattice).all(axis=2)
        if not finite.any():
            return Places(lattice[0, 0], lattice[0, 0], None, complete=False)
        low, high = lattice[finite].min(axis=0), lattice[finite].max(axis=0)
        # Relative to the corner, single precision holds a thousandth of a pixel on any slide.
        relative = (lattice - low)[..., ::-1].astype(np.float32)
        wide = _between(relative.swapaxes(0, 1), step, shape[1]).swapaxes(0, 1)
        return Places(low, high, _between(wide, step, shape[0]), complete=bool(finite.all()))

    def _exact(self, rows: FloatArray, columns: FloatArray, level: int) -> FloatArray:
        """Map the pixels at rows x columns to source pixels (y, x) of a level."""
        grid = grid_points(rows, columns)
        points = grid.reshape(-1, 2) * self.spacing + np.array(self.origin)
        found = self.moving.to_pixel(self.fixed_to_moving(points), level)
        return found.reshape(*grid.shape)

    def _error(self, along: list[FloatArray], step: float, lattice: FloatArray, level: int) -> float:
        """Return the largest error of linear interpolation at the middles of the cells, in source pixels."""
        rows, columns = (places[:-1] + step / 2 for places in along)
        between = (lattice[1:, 1:] + lattice[:-1, 1:] + lattice[1:, :-1] + lattice[:-1, :-1]) / 4
        return float(np.nanmax(np.linalg.norm(between - self._exact(rows, columns, level), axis=-1)))


@dataclass(frozen=True, eq=False)
class Places:
    """Where the pixels of a region come from.

    Parameters
    ----------
    low, high : (2,) ndarray
        Smallest and largest source pixel (y, x).
    offsets : (H, W, 2) ndarray of float32 or None
        Source pixels (x, y), as OpenCV wants them, relative to `low`; NaN where the map is not defined; None
        where it is defined nowhere.
    complete : bool
        Whether it is defined everywhere.
    """

    low: FloatArray
    high: FloatArray
    offsets: NDArray[np.float32] | None
    complete: bool


def _between(lattice: NDArray[np.float32], step: int, size: int) -> NDArray[np.float32]:
    """Interpolate linearly along the first axis: `step` values for each cell, `size` in all."""
    low, rise = lattice[:-1, None], np.diff(lattice, axis=0)[:, None]
    share = (np.arange(step, dtype=np.float32) / np.float32(step))[None, :, None, None]
    inner = (low + share * rise).reshape(-1, *lattice.shape[1:])
    # The last lattice point belongs to no cell's beginning.
    whole = inner if len(inner) >= size else np.concatenate([inner, lattice[-1:]])
    return np.asarray(whole[:size])
