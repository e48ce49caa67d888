"""Transforms that a 3 x 3 matrix holds: what they share, and the widest kinds, affine and projective."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self, overload

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import NotInvertible
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.transform import Transform, as_points

__all__ = ["KIND_TOLERANCE", "MIRROR", "Affine", "MatrixTransform", "Projective"]

# How far a matrix may stray from its kind, relative to its scale: room for matrices that were rounded
# to seven digits in a file, far below anything visible on a slide (1e-6 of 100 000 px is 0.1 px).
KIND_TOLERANCE = 1e-6
# Smallest ratio of singular values that float64 still inverts to about four digits.
SINGULAR = 1e-12

MIRROR = np.diag([1.0, -1.0])
"""Left and right exchanged: (y, x) becomes (y, -x)."""


@dataclass(frozen=True, eq=False, repr=False)
class MatrixTransform(Transform):
    """What the transforms with a matrix share.

    Parameters
    ----------
    matrix : (3, 3) array_like of float64
        Acts on (y, x, 1) from the left, in world units; kept as a read-only copy.

    Raises
    ------
    ValueError
        The matrix is not 3 x 3, not finite, or not of this kind.
    """

    matrix: FloatArray

    rank: ClassVar[int]
    """Place from the narrowest kind (translation, 0) to the widest (projective, 4)."""

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, float)
        name = type(self).__name__
        if matrix.shape != (3, 3):
            raise ValueError(f"{name} needs a 3 x 3 matrix on (y, x, 1), not one of shape {matrix.shape}.")
        if not np.isfinite(matrix).all():
            raise ValueError(f"{name} needs finite numbers, and the matrix holds NaN or infinity.")
        matrix = self._checked(matrix)
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    @abstractmethod
    def _checked(self, matrix: FloatArray) -> FloatArray:
        """Return the matrix in its normal form, or raise ValueError when it is of another kind."""

    @classmethod
    def identity(cls) -> Self:
        """Return the transform that leaves every point where it is."""
        return cls(np.eye(3))

    @abstractmethod
    def inverse(self) -> "MatrixTransform":
        """Return the opposite map, of the same kind.

        Raises
        ------
        NotInvertible
            The map squeezes the plane onto a line or a point.
        """

    def joined(self, other: Transform) -> "MatrixTransform | None":
        """Return one matrix for two, of the wider of the two kinds; None where `other` is no matrix."""
        if not isinstance(other, MatrixTransform):
            return None
        kind = type(self) if self.rank >= other.rank else type(other)
        return kind(other.matrix @ self.matrix)

    @overload
    def then(self, other: "MatrixTransform") -> "MatrixTransform": ...

    @overload
    def then(self, other: Transform) -> Transform: ...

    def then(self, other: Transform) -> Transform:
        """Return the transform that applies this one first and `other` after it; two matrices become one."""
        return self.joined(other) or super().then(other)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"kind": …, "matrix": …}``, the matrix as three rows on (y, x, 1)."""
        return {"kind": self.kind, "matrix": self.matrix.tolist()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild the transform from what `to_dict` gave."""
        return cls(np.array(values["matrix"], float))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MatrixTransform):
            return NotImplemented
        return type(self) is type(other) and np.array_equal(self.matrix, other.matrix)

    def __hash__(self) -> int:
        # Adding 0.0 turns -0.0 into 0.0: the two are equal, so their hashes must be.
        return hash((self.kind, (self.matrix + 0.0).tobytes()))


class Affine(MatrixTransform):
    """Any map that keeps lines straight and parallel.

    Its parts can be told apart as: mirror (if `mirrored`, left and right are exchanged first), stretch,
    turn by `angle_deg`, move by `shift`.

    Parameters
    ----------
    matrix : (3, 3) array_like of float64
        Acts on (y, x, 1); last row 0, 0, 1.

    Examples
    --------
    >>> affine = Affine([[2, 0, 1], [0, 2, 0], [0, 0, 1]])
    >>> affine([[1, 1]]).tolist(), affine.scale
    ([[3.0, 2.0]], 2.0)
    >>> affine.then(affine.inverse())([[5, 7]]).tolist()
    [[5.0, 7.0]]
    """

    kind = "affine"
    rank = 3

    told: ClassVar[tuple[str, ...]] = ("scale", "angle_deg")
    """Parts besides the shift that its words name."""

    def _checked(self, matrix: FloatArray) -> FloatArray:
        if not np.allclose(matrix[2], [0, 0, 1], rtol=0, atol=1e-12):
            raise ValueError(
                f"{type(self).__name__} needs 0, 0, 1 as the last row of its matrix, "
                f"not {matrix[2].tolist()}; use Projective for perspective."
            )
        matrix[2] = 0, 0, 1
        return matrix

    @property
    def linear(self) -> FloatArray:
        """The (2, 2) part that acts on differences of points (y, x)."""
        return self.matrix[:2, :2]

    @property
    def shift(self) -> tuple[float, float]:
        """Where the point (0, 0) goes: (y, x) in world units."""
        return float(self.matrix[0, 2]), float(self.matrix[1, 2])

    @property
    def mirrored(self) -> bool:
        """Whether the map turns the tissue over."""
        return bool(np.linalg.det(self.linear) < 0)

    @property
    def scale(self) -> float:
        """Factor on lengths: the square root of the factor on areas."""
        return math.sqrt(abs(float(np.linalg.det(self.linear))))

    @property
    def angle_deg(self) -> float:
        """Turn in degrees, over -180 to 180.

        Positive is counter-clockwise as seen on screen, with y pointing down. It is the rotation of the
        polar decomposition; of a mirrored map, the turn after exchanging left and right.
        """
        linear = self.linear @ MIRROR if self.mirrored else self.linear
        # For a 2 x 2 matrix of positive determinant this is the rotation of its polar decomposition.
        return math.degrees(math.atan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))

    def __call__(self, points: ArrayLike) -> FloatArray:
        """Map (N, 2) points (y, x); returns (N, 2) float64."""
        y, x = as_points(points).T
        m = self.matrix
        # Written out, not as a matrix product, so that a point's image does not depend to the last bit
        # on the points that are mapped along with it.
        with np.errstate(invalid="ignore", over="ignore"):
            return np.stack([m[0, 0] * y + m[0, 1] * x + m[0, 2], m[1, 0] * y + m[1, 1] * x + m[1, 2]], 1)

    def inverse(self) -> Self:
        """Return the opposite map, of the same kind.

        Raises
        ------
        NotInvertible
            The map squeezes the plane onto a line or a point.
        """
        values = np.linalg.svd(self.linear, compute_uv=False)
        if not values[1] > SINGULAR * values[0]:
            raise NotInvertible(
                f"This {self.kind} transform squeezes the plane onto a line (its matrix is singular), "
                "so it has no inverse."
            )
        matrix = np.eye(3)
        matrix[:2, :2] = np.linalg.inv(self.linear)
        matrix[:2, 2] = -matrix[:2, :2] @ self.matrix[:2, 2]
        return type(self)(matrix)

    def jacobian(self, points: ArrayLike) -> FloatArray:
        """Return the local matrices d(output)/d(input) at (N, 2) points, as (N, 2, 2); the same at each."""
        return np.tile(self.linear, (len(as_points(points)), 1, 1))

    def __repr__(self) -> str:
        parts = [f"shift=({self.shift[0]:.6g}, {self.shift[1]:.6g})"]
        if "angle_deg" in self.told:
            parts.insert(0, f"angle_deg={self.angle_deg:.6g}")
            parts += ["mirrored=True"] if self.mirrored else []
        if "scale" in self.told:
            parts.insert(0, f"scale={self.scale:.6g}")
        return f"{type(self).__name__}({', '.join(parts)})"


class Projective(MatrixTransform):
    """A map that keeps lines straight, with perspective.

    Points on the horizon (where the third homogeneous coordinate is 0) have no image: they come out as
    infinity, or NaN where the direction is undetermined too.

    Parameters
    ----------
    matrix : (3, 3) array_like of float64
        Acts on (y, x, 1); its overall factor has no meaning and is normalised away.

    Examples
    --------
    >>> projective = Projective([[1, 0, 0], [0, 1, 0], [0, 0.5, 1]])
    >>> projective([[1, 2], [1, -2]]).tolist()
    [[0.5, 1.0], [inf, -inf]]
    """

    kind = "projective"
    rank = 4

    def _checked(self, matrix: FloatArray) -> FloatArray:
        size = float(np.abs(matrix).max())
        if size == 0:
            raise ValueError("Projective needs a matrix that is not all 0.")
        # The corner is the usual thing to normalise by, unless the origin lies on the horizon.
        corner = float(matrix[2, 2])
        return np.asarray(matrix / (corner if abs(corner) > 1e-12 * size else size))

    def __call__(self, points: ArrayLike) -> FloatArray:
        """Map (N, 2) points (y, x); returns (N, 2) float64."""
        y, x = as_points(points).T
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            v, u, w = (row[0] * y + row[1] * x + row[2] for row in self.matrix)
            return np.stack([v / w, u / w], 1)

    def inverse(self) -> "Projective":
        """Return the opposite map.

        Raises
        ------
        NotInvertible
            The map squeezes the plane onto a line or a point.
        """
        # Lengths are measured in units of the shift, so that large slides do not look singular.
        unit = max(1.0, float(np.abs(self.matrix[:2, 2]).max()))
        balance = np.array([1 / unit, 1 / unit, 1.0])
        balanced = self.matrix * balance[:, None] / balance[None, :]
        values = np.linalg.svd(balanced, compute_uv=False)
        if not values[2] > SINGULAR * values[0]:
            raise NotInvertible(
                "This projective transform squeezes the plane onto a line (its matrix is singular), "
                "so it has no inverse."
            )
        return Projective(np.linalg.inv(balanced) / balance[:, None] * balance[None, :])

    def jacobian(self, points: ArrayLike) -> FloatArray:
        """Return the local matrices d(output)/d(input) at (N, 2) points, as (N, 2, 2)."""
        points = as_points(points)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            w = points @ self.matrix[2, :2] + self.matrix[2, 2]
            bent = self(points)[:, :, None] * self.matrix[2, :2]
            return np.asarray((self.matrix[:2, :2] - bent) / w[:, None, None])

    def __repr__(self) -> str:
        rows = np.array2string(self.matrix, precision=6, separator=", ").replace("\n", "")
        return f"Projective({rows})"
