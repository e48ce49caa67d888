"""What displacement fields and B-spline grids share: the map, its Jacobian, its folds, its inverse."""

from abc import abstractmethod
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import NotInvertible
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.cubic_grid import CubicGrid
from napari_histreg.transforms.inversion import solve_inverse
from napari_histreg.transforms.matrix import MatrixTransform
from napari_histreg.transforms.transform import Transform, as_points

__all__ = ["TOLERANCE", "Deformation", "Folding", "InverseDeformation", "checked_base", "checked_placement"]

# Lattice points of the folding test for each grid spacing: a cubic bends little within a quarter cell.
SAMPLES_PER_CELL = 4
# An inverse is exact to this share of the grid spacing, far below what any image can show.
TOLERANCE = 1e-6


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

    def followed_by(self, base: MatrixTransform) -> Self:
        """Return the same displacement with a matrix, or one more, behind it."""
        made = copy(self)
        made.base = base if self.base is None else self.base.then(base)
        return made

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
        start = wanted - self._smooth(wanted)[0]
        tolerance = TOLERANCE * min(self.spacing)
        return solve_inverse(self._deformation, wanted, start, tolerance, "the displacement")

    def inverse(self) -> "InverseDeformation":
        """Return the opposite map, solved numerically at each call.

        Raises
        ------
        NotInvertible
            The deformation folds.
        """
        return InverseDeformation(self)


class InverseDeformation(Transform):
    """The opposite of a `Deformation`, solved numerically at each call.

    Parameters
    ----------
    forward : Deformation
        What is inverted.

    Attributes
    ----------
    forward : Deformation
        What is inverted; `inverse` returns it.
    error_bound : float
        No point is further than this from its exact place, in world units of the result: the
        tolerance of the solver, divided by how little a step can move the least at the tested places.

    Raises
    ------
    NotInvertible
        The deformation folds.

    Examples
    --------
    >>> from napari_histreg.transforms.displacement import DisplacementField
    >>> values = np.zeros((5, 5, 2))
    >>> values[2, 2] = 1.0
    >>> field = DisplacementField(values, spacing=(10, 10))
    >>> back = field.inverse()
    >>> bool(np.allclose(back(field([[13.0, 21.0]])), [[13.0, 21.0]])), back.error_bound < 1e-4
    (True, True)
    """

    kind: ClassVar[str] = "inverse_deformation"

    def __init__(self, forward: Deformation) -> None:
        folding = forward.folding()
        if folding.is_folded:
            raise NotInvertible(
                f"The displacement folds (smallest Jacobian determinant {folding.minimum:.3g}, "
                f"{100 * folding.share:.2g} % of its area) and has no inverse. Use a stiffer deformation."
            )
        self.forward = forward
        self._base = None if forward.base is None else forward.base.inverse()
        self.error_bound = float(TOLERANCE * min(forward.spacing) / folding.stretch)

    def __call__(self, points: ArrayLike) -> FloatArray:
        """Map (N, 2) points (y, x); see `Deformation.undeform`."""
        array = as_points(points)
        return self.forward.undeform(array if self._base is None else self._base(array))

    def jacobian(self, points: ArrayLike) -> FloatArray:
        """Return the local matrices at (N, 2) points, (N, 2, 2): the inverse of the forward ones."""
        return np.asarray(np.linalg.inv(self.forward.jacobian(self(points))))

    def inverse(self) -> Deformation:
        """Return the deformation itself."""
        return self.forward

    def to_dict(self) -> dict[str, Any]:
        """Return the forward deformation as plain JSON values."""
        return {"kind": self.kind, "forward": self.forward.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild the inverse from what `to_dict` gave."""
        forward = values["forward"]
        if not isinstance(forward, Deformation):
            raise ValueError("what is inverted must be a displacement field or a B-spline grid.")
        return cls(forward)


def checked_base(base: Transform | None) -> MatrixTransform | None:
    """Check what follows a displacement.

    Raises
    ------
    ValueError
        It is no matrix.
    """
    if base is not None and not isinstance(base, MatrixTransform):
        raise ValueError("Only a matrix can follow a displacement.")
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


def _smallest_singular_value(matrices: FloatArray, determinant: FloatArray) -> FloatArray:
    """Return the smallest singular value of 2 x 2 matrices from their norm and determinant."""
    square = (matrices**2).sum(axis=(-2, -1))
    root = np.sqrt(np.maximum(square**2 - 4 * determinant**2, 0.0))
    # (a - b) written as 4 det^2 / (a + b): no digits are lost for nearly flat matrices.
    return np.asarray(np.sqrt(2 * determinant**2 / np.maximum(square + root, np.finfo(float).tiny)))
