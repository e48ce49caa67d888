"""Transform: a map of points from one slide's frame to another's."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray

__all__ = ["Transform", "as_points"]


def as_points(points: ArrayLike) -> FloatArray:
    """Check that points are an (N, 2) table of numbers and return them as float64.

    Raises
    ------
    ValueError
        The shape is another.
    """
    array = np.asarray(points, float)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"Points must be an (N, 2) array of (y, x), not of shape {array.shape}.")
    return array


class Transform(ABC):
    """A map of points, (y, x) in world units to (y, x) in world units.

    Transforms are immutable. The direction stands in the name of the variable that holds one:
    ``fixed_to_moving`` maps points of the fixed slide to where the same tissue lies in the moving slide.
    """

    kind: ClassVar[str]
    """Tag of the class in JSON, such as "affine"."""

    @abstractmethod
    def __call__(self, points: ArrayLike) -> FloatArray:
        """Map (N, 2) points (y, x); returns (N, 2) float64. NaN stays NaN."""

    @abstractmethod
    def inverse(self) -> "Transform":
        """Return the opposite map.

        Raises
        ------
        NotInvertible
            There is none.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the transform as plain JSON values, its `kind` among them."""

    @classmethod
    @abstractmethod
    def from_dict(cls, values: dict[str, Any]) -> "Transform":
        """Rebuild the transform from what `to_dict` gave."""

    def then(self, other: "Transform") -> "Transform":
        """Return the transform that applies this one first and `other` after it."""
        from napari_histreg.transforms.sequence import Sequence

        return Sequence.of(self, other)

    def jacobian(self, points: ArrayLike) -> FloatArray:
        """Return the local matrices d(output)/d(input) at (N, 2) points, as (N, 2, 2).

        Taken by central differences, where a subclass knows no exact ones.
        """
        points = as_points(points)
        step = 1e-4 * max(1.0, float(np.abs(points).max(initial=0.0)))
        columns = []
        for axis in range(2):
            offset = np.zeros(2)
            offset[axis] = step
            columns.append((self(points + offset) - self(points - offset)) / (2 * step))
        return np.stack(columns, axis=-1)
