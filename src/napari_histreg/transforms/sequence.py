"""Transforms made of transforms: one after the other, or with their own inverse."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.kinds import transform_from_dict
from napari_histreg.transforms.matrix import MatrixTransform
from napari_histreg.transforms.similarity import Translation
from napari_histreg.transforms.transform import Transform, as_points

__all__ = ["Bijection", "Sequence"]


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
    >>> Sequence.of(Translation.of((1, 0)), Translation.of((0, 1)))
    Translation(shift=(1, 1))
    """

    kind = "sequence"

    steps: tuple[Transform, ...]

    @classmethod
    def of(cls, *transforms: Transform) -> Transform:
        """Chain transforms, the first applied first.

        Sequences within are opened and neighbouring matrices become one, so what comes back is a
        `Sequence` only where more than one step remains; of nothing at all it is the identity.
        """
        steps: list[Transform] = []
        for transform in transforms:
            for step in transform.steps if isinstance(transform, Sequence) else (transform,):
                if steps and isinstance(step, MatrixTransform) and isinstance(steps[-1], MatrixTransform):
                    steps[-1] = steps[-1].then(step)
                else:
                    steps.append(step)
        if not steps:
            return Translation.identity()
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
        return cls(tuple(transform_from_dict(step) for step in values["steps"]))


@dataclass(frozen=True)
class Bijection(Transform):
    """A map that carries its own inverse, where both were made together.

    Parameters
    ----------
    forward : Transform
        The map itself.
    backward : Transform
        Its inverse; taken as given.

    Examples
    --------
    >>> shift = Translation.of((1, 2))
    >>> Bijection(shift, shift.inverse()).inverse()([[1, 2]]).tolist()
    [[0.0, 0.0]]
    """

    kind = "bijection"

    forward: Transform
    backward: Transform

    def __call__(self, points: ArrayLike) -> FloatArray:
        """Map (N, 2) points (y, x)."""
        return self.forward(points)

    def inverse(self) -> "Bijection":
        """Return the pair with its sides exchanged."""
        return Bijection(self.backward, self.forward)

    def jacobian(self, points: ArrayLike) -> FloatArray:
        """Return the local matrices d(output)/d(input) at (N, 2) points, as (N, 2, 2)."""
        return self.forward.jacobian(points)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"kind": "bijection", "forward": …, "backward": …}``."""
        return {
            "kind": self.kind,
            "forward": self.forward.to_dict(),
            "backward": self.backward.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Bijection":
        """Rebuild the transform from what `to_dict` gave."""
        return cls(transform_from_dict(values["forward"]), transform_from_dict(values["backward"]))
