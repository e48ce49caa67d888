"""ThinPlate: the smoothest map through, or near, point pairs."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import NotInvertible
from napari_histreg.geometry import FloatArray, grid_points
from napari_histreg.transforms.inversion import solve_inverse
from napari_histreg.transforms.matrix import Affine
from napari_histreg.transforms.transform import Transform, as_points

__all__ = ["InverseThinPlate", "ThinPlate"]

# Kernel values held at once: 8 MB.
BLOCK = 1_000_000
# Places per side at which a spline is tested for folds, at least; more for many centres.
FOLD_TEST = 33


@dataclass(frozen=True, eq=False)
class ThinPlate(Transform):
    """A thin-plate spline [1]_: an affine map plus a bend with the least curvature.

    ``p`` maps to ``affine(p) + sum of w[i] U(|p - c[i]| / scale)``, with ``U(r) = r**2 log(r)``. Make one
    with `fit_thin_plate`.

    Parameters
    ----------
    centres : (N, 2) array_like
        The c, (y, x) in world units of the input.
    weights : (N, 2) array_like
        The w, (y, x) in world units of the output.
    affine : Affine
        The part that does not bend.
    scale : float
        Length that counts as 1, in world units of the input.
    smoothing : float
        The weight of the bending that it was fitted with, for the record.

    References
    ----------
    .. [1] F. L. Bookstein, IEEE TPAMI 11(6), 1989. doi:10.1109/34.24792

    Examples
    --------
    >>> from napari_histreg.transforms.thin_plate_fit import fit_thin_plate
    >>> corners = [[0, 0], [0, 100], [100, 0], [100, 100], [50, 50]]
    >>> pulled = [[0, 0], [0, 100], [100, 0], [100, 100], [60, 50]]
    >>> spline = fit_thin_plate(corners, pulled, smoothing=0)
    >>> spline([[50, 50]]).round(6).tolist(), spline.inverse()([[60, 50]]).round(6).tolist()
    ([[60.0, 50.0]], [[50.0, 50.0]])
    """

    kind: ClassVar[str] = "thin_plate"

    centres: FloatArray
    weights: FloatArray
    affine: Affine
    scale: float
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        centres, weights = np.array(as_points(self.centres)), np.array(as_points(self.weights))
        if centres.shape != weights.shape:
            raise ValueError(
                f"There are {len(centres)} centres and {len(weights)} weights; they come in pairs."
            )
        if not (np.isfinite(centres).all() and np.isfinite(weights).all() and 0 < self.scale < np.inf):
            raise ValueError("A thin-plate spline needs finite numbers and a scale above 0.")
        for array in (centres, weights):
            array.setflags(write=False)
        object.__setattr__(self, "centres", centres)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "scale", float(self.scale))

    def __call__(self, points: ArrayLike) -> FloatArray:
        """Map (N, 2) points (y, x); returns (N, 2) float64. NaN stays NaN."""
        points = as_points(points)
        out = self.affine(points)
        for block in self._blocks(len(points)):
            bend = kernel(points[block] / self.scale, self.centres / self.scale)
            # Summed row by row, not as a matrix product: so that a point's image does not depend to the
            # last bit on the points that are mapped along with it.
            out[block, 0] += (bend * self.weights[:, 0]).sum(1)
            out[block, 1] += (bend * self.weights[:, 1]).sum(1)
        return out

    def jacobian(self, points: ArrayLike) -> FloatArray:
        """Return the local matrices d(output)/d(input) at (N, 2) points, as (N, 2, 2), exact."""
        points = as_points(points)
        out = self.affine.jacobian(points)
        for block in self._blocks(len(points)):
            step = (points[block, None] - self.centres) / self.scale
            slope = np.log(np.maximum((step**2).sum(-1), np.finfo(float).tiny)) + 1
            out[block] += np.einsum("nki,kj->nji", step * slope[..., None] / self.scale, self.weights)
        return out

    def inverse(self) -> "InverseThinPlate":
        """Return the opposite map, solved by Newton's method at each call.

        Raises
        ------
        NotInvertible
            The spline folds over between its centres, or its affine part is singular.
        """
        return InverseThinPlate(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the spline as plain JSON values."""
        return {
            "kind": self.kind,
            "centres": self.centres.tolist(),
            "weights": self.weights.tolist(),
            "affine": self.affine.matrix.tolist(),
            "scale": self.scale,
            "smoothing": self.smoothing,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ThinPlate":
        """Rebuild the spline from what `to_dict` gave."""
        return cls(
            np.reshape(np.array(values["centres"], float), (-1, 2)),
            np.reshape(np.array(values["weights"], float), (-1, 2)),
            Affine(np.array(values["affine"], float)),
            float(values["scale"]),
            float(values.get("smoothing", 0.0)),
        )

    def _blocks(self, count: int) -> list[slice]:
        size = max(BLOCK // max(len(self.centres), 1), 1)
        return [slice(start, start + size) for start in range(0, count, size)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ThinPlate) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.kind, self.affine, self.centres.tobytes()))

    def __repr__(self) -> str:
        return f"ThinPlate({len(self.centres)} centres, {self.affine!r})"


@dataclass(frozen=True)
class InverseThinPlate(Transform):
    """The opposite of a thin-plate spline, solved numerically at each call.

    The answer for q is a p whose image is q to `TOLERANCE` of the spline's scale; what that means for p
    is the same length divided by how little the spline stretches there.

    Parameters
    ----------
    forward : ThinPlate
        What is inverted; `inverse` returns it.

    Raises
    ------
    NotInvertible
        The spline folds over between its centres, or its affine part is singular.
    """

    kind: ClassVar[str] = "inverse_thin_plate"

    TOLERANCE: ClassVar[float] = 1e-10

    forward: ThinPlate

    def __post_init__(self) -> None:
        self.forward.affine.inverse()
        centres = self.forward.centres
        if not len(centres):
            return
        low, high = centres.min(0), centres.max(0)
        side = max(FOLD_TEST, int(4 * np.sqrt(len(centres))))
        rows, columns = (np.linspace(low[k], high[k], side) for k in range(2))
        places = grid_points(rows, columns).reshape(-1, 2)
        areas = np.linalg.det(self.forward.jacobian(np.vstack([places, centres])))
        if areas.min() <= 0 <= areas.max():
            share = min((areas <= 0).mean(), (areas >= 0).mean())
            raise NotInvertible(
                f"The thin-plate spline folds over in {100 * share:.2g} % of the area of its points and has "
                "no inverse. Look for swapped pairs, or raise the smoothing."
            )

    def __call__(self, points: ArrayLike) -> FloatArray:
        """Map (N, 2) points (y, x); NaN stays NaN.

        Raises
        ------
        NotInvertible
            The spline maps nothing to one of the points, as far outside its centres as it lies.
        """
        points = as_points(points)
        start = self.forward.affine.inverse()(points)
        tolerance = self.TOLERANCE * self.forward.scale * self.forward.affine.scale
        return solve_inverse(self._evaluate, points, start, tolerance, "the thin-plate spline")

    def _evaluate(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.forward(points), self.forward.jacobian(points)

    def jacobian(self, points: ArrayLike) -> FloatArray:
        """Return the local matrices at (N, 2) points, as (N, 2, 2): the inverse of the forward ones."""
        return np.asarray(np.linalg.inv(self.forward.jacobian(self(points))))

    def error_bound(self, points: ArrayLike) -> FloatArray:
        """Return how far from exact the answers for (N, 2) points can be, (N,) world units of the result.

        To first order: what is left of the equation, divided by the least stretch there.
        """
        points = as_points(points)
        found = self(points)
        missed = np.linalg.norm(self.forward(found) - points, axis=1)
        stretch = np.linalg.svd(self.forward.jacobian(found), compute_uv=False)[:, 1]
        return np.asarray(missed / stretch)

    def inverse(self) -> ThinPlate:
        """Return the spline itself."""
        return self.forward

    def to_dict(self) -> dict[str, Any]:
        """Return the forward spline as plain JSON values."""
        return {"kind": self.kind, "forward": self.forward.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "InverseThinPlate":
        """Rebuild the inverse from what `to_dict` gave."""
        forward = values["forward"]
        if not isinstance(forward, ThinPlate):
            raise ValueError("what is inverted is no thin-plate spline.")
        return cls(forward)


def kernel(points: FloatArray, centres: FloatArray) -> FloatArray:
    """Return U(|p - c|) = r**2 log(r) of (N, 2) points and (M, 2) centres, (N, M)."""
    y = points[:, None, 0] - centres[:, 0]
    x = points[:, None, 1] - centres[:, 1]
    square = y * y + x * x
    return np.asarray(0.5 * square * np.log(np.maximum(square, np.finfo(float).tiny)))
