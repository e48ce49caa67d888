"""Transform: a map of points from one slide's frame to another's; and several, one after the other."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray

__all__ = ["Sequence", "Transform", "as_points"]


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
        """Rebuild the transform from what `to_dict` gave, transforms inside it being rebuilt already."""

    def joined(self, other: "Transform") -> "Transform | None":
        """Return this transform and `other` after it as one, where they can be; None elsewhere."""
        del other
        return None

    def then(self, other: "Transform") -> "Transform":
        """Return the transform that applies this one first and `other` after it."""
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


@dataclass(frozen=True)
class Sequence(Transform):
    """Transforms applied one after the other.

    Use `Sequence.of`, which merges what can be merged.

    Parameters
    ----------
    steps : tuple of Transform
        The first is applied first; none leaves points where they are.

    Examples
    --------
    >>> from napari_histreg.transforms import Translation
    >>> Sequence.of(Translation.of((1, 0)), Translation.of((0, 1)))
    Translation(shift=(1, 1))
    """

    kind = "sequence"

    steps: tuple[Transform, ...]

    @classmethod
    def of(cls, *transforms: Transform) -> Transform:
        """Chain transforms, the first applied first.

        Sequences within are opened and neighbours that can be one become one (`Transform.joined`), so
        what comes back is a `Sequence` only where not exactly one step remains.
        """
        steps: list[Transform] = []
        for transform in transforms:
            for step in transform.steps if isinstance(transform, Sequence) else (transform,):
                one = steps[-1].joined(step) if steps else None
                if one is None:
                    steps.append(step)
                else:
                    steps[-1] = one
        return steps[0] if len(steps) == 1 else cls(tuple(steps))

    def __call__(self, points: ArrayLike) -> FloatArray:
        """Map (N, 2) points (y, x) through all steps."""
        points = as_points(points)
        for step in self.steps:
            points = step(points)
        return points

    def inverse(self) -> Transform:
        """Return the inverses of the steps in the opposite order.

        Raises
        ------
        NotInvertible
            A step has none.
        """
        return Sequence.of(*(step.inverse() for step in reversed(self.steps)))

    def jacobian(self, points: ArrayLike) -> FloatArray:
        """Return the local matrices d(output)/d(input) at (N, 2) points, by the chain rule."""
        points = as_points(points)
        total = np.tile(np.eye(2), (len(points), 1, 1))
        for step in self.steps:
            total = step.jacobian(points) @ total
            points = step(points)
        return total

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"kind": "sequence", "steps": […]}``."""
        return {"kind": self.kind, "steps": [step.to_dict() for step in self.steps]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Sequence":
        """Rebuild the transform from what `to_dict` gave."""
        steps = tuple(values["steps"])
        if not all(isinstance(step, Transform) for step in steps):
            raise ValueError("each of its steps must be a transform with its kind.")
        return cls(steps)
