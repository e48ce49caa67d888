"""What displacement fields and B-spline grids share: the map, its Jacobian, its folds, its solution."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import NotInvertible
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.cubic_grid import CubicGrid
from napari_histreg.transforms.kinds import transform_from_dict
from napari_histreg.transforms.matrix import MatrixTransform
from napari_histreg.transforms.transform import Transform, as_points

__all__ = ["TOLERANCE", "Deformation", "Folding", "base_from_dict", "checked_placement"]

# Lattice points of the folding test for each grid spacing: a cubic bends little within a quarter cell.
SAMPLES_PER_CELL = 4
# An inverse is exact to this share of the grid spacing, far below what any image can show.
TOLERANCE = 1e-6
ITERATIONS = 60


@dataclass(frozen=True)
class Folding:
    """What the dense test of a deformation for folds found.

    Parameters
    ----------
    minimum : float
        Smallest determinant of the local Jacobian; 1 keeps areas, 0 or less turns tissue over.
    share : float
        Part of the tested places where the determinant is not positive, 0 to 1.
    stretch : float
        Smallest singular value of the local Jacobian: how little a step can move.
    """

    minimum: float
    share: float
    stretch: float

    @property
    def is_folded(self) -> bool:
        """Whether the deformation turns tissue over anywhere."""
        return not self.minimum > 0


class Deformation(Transform):
    """A smooth displacement u on a grid of the input frame, then a matrix: ``p`` to ``base(p + u(p))``.

    The displacement is measured where the point comes from. So it keeps its meaning, and its folding
    test its answer, whatever rotation, mirror or scale follows. A subclass says what ``u`` is: on which
    grid, and what happens outside it.
    """

    grid: CubicGrid
    origin: tuple[float, float]
    spacing: tuple[float, float]
    base: MatrixTransform | None

    def __call__(self, points: ArrayLike) -> FloatArray:
        """Map (N, 2) points (y, x); returns (N, 2) float64. NaN stays NaN."""
        array = as_points(points)
        moved = array + self.displacement(array)
        return moved if self.base is None else self.base(moved)

    def jacobian(self, points: ArrayLike) -> FloatArray:
        """Return the local matrices at (N, 2) points, (N, 2, 2), exact: the derivative of the splines."""
        array = as_points(points)
        local = self._local(array)
        return local if self.base is None else self.base.jacobian(array + self.displacement(array)) @ local

    @abstractmethod
    def displacement(self, points: ArrayLike) -> FloatArray:
        """Return u at (N, 2) points: world units (y, x), (N, 2) float64."""

    @abstractmethod
    def _local(self, points: FloatArray) -> FloatArray:
        """Return the local matrices of p + u(p), (N, 2, 2)."""

    @abstractmethod
    def _clipped(self, points: FloatArray) -> FloatArray:
        """Return the nearest places at which the grid defines the displacement."""

    @abstractmethod
    def _index(self, points: FloatArray) -> FloatArray:
        """Return the grid indices of points."""

    @abstractmethod
    def _extent(self) -> tuple[FloatArray, FloatArray]:
        """Return the first and last grid index (y, x) at which the displacement is defined."""

    def _smooth(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return u and d(u)/d(point), carried on unchanged beyond the grid."""
        inside = self._clipped(points)
        index = self._index(inside)
        gradient = self.grid.gradient(index) / np.asarray(self.spacing)
        # Beyond an edge u stays what it is there, so nothing changes across that edge any more.
        gradient = np.where((inside != points)[:, None, :] & ~np.isnan(gradient), 0.0, gradient)
        return self.grid.value(index), gradient

    def _deformation(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return p + u(p) and its local matrices."""
        displacement, gradient = self._smooth(points)
        return points + displacement, np.eye(2) + gradient

    def folding(self) -> Folding:
        """Test densely for folds: at four places per grid spacing along both axes.

        Returns
        -------
        Folding
            The smallest Jacobian determinant and the share of places that are turned over. A mirror
            is no fold: only the deformation is tested, never a matrix that follows it.
        """
        first, last = self._extent()
        counts = np.maximum(np.ceil((last - first) * SAMPLES_PER_CELL).astype(int), 1) + 1
        rows, columns = (np.linspace(first[k], last[k], counts[k]) for k in range(2))
        minimum, stretch, folded = np.inf, np.inf, 0
        # A band at a time: the matrices of a fine grid would fill the memory.
        for band in np.array_split(rows, max(1, counts[0] * counts[1] // 500_000)):
            local = np.eye(2) + self.grid.lattice_gradient(band, columns) / np.asarray(self.spacing)
            determinant = np.linalg.det(local)
            minimum = min(minimum, float(determinant.min()))
            folded += int((determinant <= 0).sum())
            stretch = min(stretch, float(_smallest_singular_value(local, determinant).min()))
        return Folding(minimum, folded / float(counts[0] * counts[1]), stretch)

    def undeform(self, points: ArrayLike) -> FloatArray:
        """Solve ``p + u(p) = q`` for p by damped Newton steps with the exact Jacobian.

        The base plays no part in it.

        Parameters
        ----------
        points : (N, 2) array_like
            The q, (y, x) in world units.

        Returns
        -------
        (N, 2) ndarray of float64
            The p: ``p + u(p)`` is q to one millionth of the grid spacing. NaN stays NaN.

        Raises
        ------
        NotInvertible
            For some q no p was found: the deformation folds.
        """
        wanted = as_points(points)
        found = np.full(wanted.shape, np.nan)
        active = np.flatnonzero(np.isfinite(wanted).all(axis=1))
        target = wanted[active]
        guess = target - self._smooth(target)[0]
        value, local = self._deformation(guess)
        miss = np.linalg.norm(value - target, axis=1)
        damping = np.ones(len(active))
        tolerance = TOLERANCE * min(self.spacing)
        for _ in range(ITERATIONS):
            done = miss <= np.maximum(tolerance, 4 * np.spacing(np.abs(target).max(axis=1, initial=0)))
            found[active[done]] = guess[done]
            rest = ~done
            if not rest.any():
                return found
            active, target, guess, value = active[rest], target[rest], guess[rest], value[rest]
            local, miss, damping = local[rest], miss[rest], damping[rest]
            step = damping[:, None] * _solved(local, target - value)
            tried = guess + step
            tried_value, tried_local = self._deformation(tried)
            tried_miss = np.linalg.norm(tried_value - target, axis=1)
            better = tried_miss < miss
            guess, value = (
                np.where(better[:, None], tried, guess),
                np.where(better[:, None], tried_value, value),
            )
            local = np.where(better[:, None, None], tried_local, local)
            miss = np.where(better, tried_miss, miss)
            damping = np.where(better, np.minimum(1.0, damping * 2), damping / 2)
        raise NotInvertible(
            f"The displacement folds: for {len(active)} of {len(wanted)} points nothing was found that it "
            f"moves there (first: {np.round(target[0], 3).tolist()}). Use a stiffer deformation."
        )

    def inverse(self) -> Transform:
        """Return the opposite map, solved numerically at each call.

        Raises
        ------
        NotInvertible
            The deformation folds.
        """
        from napari_histreg.transforms.inverse_deformation import InverseDeformation

        return InverseDeformation(self)


def base_from_dict(values: dict[str, Any] | None) -> MatrixTransform | None:
    """Rebuild what follows a displacement from its plain values.

    Raises
    ------
    ValueError
        It is no matrix.
    """
    base = None if values is None else transform_from_dict(values)
    if base is not None and not isinstance(base, MatrixTransform):
        raise ValueError(f'Only a matrix can follow a displacement, not a "{base.kind}".')
    return base


def checked_placement(
    origin: tuple[float, float], spacing: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the origin and spacing of a grid as plain floats.

    Raises
    ------
    ValueError
        They are not finite, or the spacing is not positive.
    """
    (y, x), (dy, dx) = origin, spacing
    placement = (float(y), float(x)), (float(dy), float(dx))
    if not np.isfinite(placement).all() or min(placement[1]) <= 0:
        raise ValueError(f"The origin {placement[0]} must be finite and the spacing {placement[1]} positive.")
    return placement


def _solved(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Solve (N, 2, 2) systems; a singular one moves along its vector, as plain iteration would."""
    determinant = matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0]
    safe = np.where(np.abs(determinant) > 1e-3, determinant, 1.0)
    first = matrices[:, 1, 1] * vectors[:, 0] - matrices[:, 0, 1] * vectors[:, 1]
    second = matrices[:, 0, 0] * vectors[:, 1] - matrices[:, 1, 0] * vectors[:, 0]
    solved = np.stack([first, second], axis=1) / safe[:, None]
    return np.where(np.abs(determinant)[:, None] > 1e-3, solved, vectors)


def _smallest_singular_value(matrices: FloatArray, determinant: FloatArray) -> FloatArray:
    """Return the smallest singular value of 2 x 2 matrices from their norm and determinant."""
    square = (matrices**2).sum(axis=(-2, -1))
    root = np.sqrt(np.maximum(square**2 - 4 * determinant**2, 0.0))
    # (a - b) written as 4 det^2 / (a + b): no digits are lost for nearly flat matrices.
    return np.asarray(np.sqrt(2 * determinant**2 / np.maximum(square + root, np.finfo(float).tiny)))
