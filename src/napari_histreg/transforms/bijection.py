"""A map that carries its own inverse."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.transform import Transform

__all__ = ["Bijection"]


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
    >>> from napari_histreg.transforms import Translation
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
        both = values["forward"], values["backward"]
        if not all(isinstance(side, Transform) for side in both):
            raise ValueError("both of its sides must be transforms with their kinds.")
        return cls(*both)
