"""DisplacementField: a displacement sampled on a regular grid."""

import base64
import zlib
from math import prod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.transforms.cubic_grid import CubicGrid
from napari_histreg.transforms.deformation import Deformation, checked_base, checked_placement
from napari_histreg.transforms.matrix import MatrixTransform
from napari_histreg.transforms.transform import as_points

__all__ = ["DisplacementField"]

MOST_NUMBERS = 1 << 25
# Samples added beyond each edge, along which the slope halves from one to the next until it is gone.
FADE = 6
# Coefficients mirrored beyond those, so that the splines of every cell are on the grid.
MARGIN = FADE + 2


class DisplacementField(Deformation):
    """A displacement sampled on a regular grid of the fixed frame, then a matrix.

    ``field(p)`` is ``base(p + u(p))``. Between the samples u is the cubic spline through them. Beyond the
    grid its slope dies away within six samples, halving at each; from there on it stays as it is.

    Parameters
    ----------
    values : (Y, X, 2) array_like
        Displacements (y, x) in world units of the frame that the points come from; at least 2 x 2
        samples. Kept as float32, seven digits.
    origin : (float, float)
        World coordinates (y, x) of sample (0, 0).
    spacing : (float, float)
        Distance of neighbouring samples (y, x) in world units.
    base : MatrixTransform, optional
        What follows the displacement, such as the affine that was found first; nothing by default.

    Raises
    ------
    ValueError
        The values are no such grid or not finite, or the spacing is not positive.

    Examples
    --------
    >>> values = np.zeros((3, 4, 2))
    >>> values[..., 1] = 2.5
    >>> field = DisplacementField(values, spacing=(10, 10))
    >>> field([[12.0, 7.0]]).tolist()
    [[12.0, 9.5]]
    >>> field.folding().is_folded
    False
    """

    kind: ClassVar[str] = "displacement"

    def __init__(
        self,
        values: ArrayLike,
        *,
        origin: tuple[float, float] = (0.0, 0.0),
        spacing: tuple[float, float] = (1.0, 1.0),
        base: MatrixTransform | None = None,
    ) -> None:
        from scipy.ndimage import spline_filter1d

        array = np.array(values, np.float32)
        if array.ndim != 3 or array.shape[2] != 2 or min(array.shape[:2]) < 2:
            raise ValueError(
                f"A displacement field is (Y, X, 2) with at least 2 x 2 samples, not {array.shape}."
            )
        if not np.isfinite(array).all():
            raise ValueError("A displacement field must be finite: it holds NaN or infinite values.")
        self.origin, self.spacing = checked_placement(origin, spacing)
        array.flags.writeable = False
        self.values: NDArray[np.float32] = array
        self.base: MatrixTransform | None = base
        fitted = _faded(_faded(array.astype(float), 0), 1)
        for axis in range(2):
            # A spline that mirrors at its ends has no slope there: u can stay what it is without a kink.
            fitted = spline_filter1d(fitted, axis=axis, mode="mirror")
        edge = MARGIN - FADE
        self.grid = CubicGrid(np.pad(fitted, ((edge, edge), (edge, edge), (0, 0)), mode="reflect"))

    def displacement(self, points: ArrayLike) -> FloatArray:
        """Return the displacement at (N, 2) points: world units (y, x), (N, 2) float64."""
        return self.grid.value(self._index(self._clipped(as_points(points))))

    def to_dict(self) -> dict[str, Any]:
        """Return the field as plain JSON values; the samples as base64 of zlib of little-endian float32."""
        packed = zlib.compress(self.values.astype("<f4").tobytes(), level=6)
        return {
            "kind": self.kind,
            "shape": list(self.values.shape),
            "origin": list(self.origin),
            "spacing": list(self.spacing),
            "values_zlib_base64_float32": base64.b64encode(packed).decode("ascii"),
            "base": None if self.base is None else self.base.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild the field from what `to_dict` gave.

        Raises
        ------
        ValueError
            The samples are damaged or are not as many as the shape says.
        """
        shape = [int(n) for n in values["shape"]]
        if len(shape) != 3 or min(shape) < 1 or prod(shape) > MOST_NUMBERS:
            raise ValueError(f"A displacement field of shape {shape} cannot be read.")
        try:
            packed = base64.b64decode(values["values_zlib_base64_float32"], validate=True)
            # One byte more than there should be is enough to know that there are too many.
            raw = zlib.decompressobj().decompress(packed, 4 * prod(shape) + 1)
            samples = np.frombuffer(raw, "<f4").reshape(shape)
        except (ValueError, zlib.error) as error:
            raise ValueError(
                f"The samples of a displacement field of shape {shape} are damaged: {error}"
            ) from error
        (y, x), (dy, dx) = values["origin"], values["spacing"]
        return cls(samples, origin=(y, x), spacing=(dy, dx), base=checked_base(values.get("base")))

    def _index(self, points: FloatArray) -> FloatArray:
        return np.asarray((points - self.origin) / self.spacing + MARGIN)

    def _extent(self) -> tuple[FloatArray, FloatArray]:
        first = np.full(2, float(MARGIN - FADE))
        return first, first + np.array(self.values.shape[:2]) - 1.0 + 2 * FADE

    def _clipped(self, points: FloatArray) -> FloatArray:
        first, last = (
            np.array(self.origin) + (end - MARGIN) * np.array(self.spacing) for end in self._extent()
        )
        return np.clip(points, first, last)

    def _local(self, points: FloatArray) -> FloatArray:
        return self._deformation(points)[1]


def _faded(values: FloatArray, axis: int) -> FloatArray:
    """Add `FADE` samples at both ends of an axis, along which the slope at that end dies away."""
    along = np.moveaxis(values, axis, 0)
    reach = np.cumsum(0.5 ** np.arange(1, FADE + 1)).reshape(-1, *[1] * (along.ndim - 1))
    before = along[0] + (along[0] - along[1]) * reach[::-1]
    after = along[-1] + (along[-1] - along[-2]) * reach
    return np.moveaxis(np.concatenate([before, along, after]), 0, axis)
