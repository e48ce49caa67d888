"""The opposite of a deformation, as a transform of its own."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import NotInvertible
from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.deformation import TOLERANCE, Deformation
from napari_histreg.transforms.kinds import transform_from_dict
from napari_histreg.transforms.transform import Transform, as_points

__all__ = ["InverseDeformation"]


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

    def inverse(self) -> Transform:
        """Return the deformation itself."""
        return self.forward

    def to_dict(self) -> dict[str, Any]:
        """Return the forward deformation as plain JSON values."""
        return {"kind": self.kind, "forward": self.forward.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild the inverse from what `to_dict` gave."""
        forward = transform_from_dict(values["forward"])
        if not isinstance(forward, Deformation):
            raise ValueError(f'"{forward.kind}" is no deformation and is not inverted this way.')
        return cls(forward)
