"""VolumePose: where one volume lies in another, as a matrix in mm."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray
from napari_histreg.volumes.itk_images import to_itk_matrix

__all__ = ["VolumePose", "mean_distance_mm"]


@dataclass(frozen=True, eq=False)
class VolumePose:
    """A rigid or affine map from the fixed patient frame to the moving one.

    It stands beside the transforms of planes, not among them: those map (N, 2) points.

    Parameters
    ----------
    matrix : (4, 4) ndarray
        Acts on (z, y, x, 1) in mm.

    Examples
    --------
    >>> pose = VolumePose.of(angles_deg=(90, 0, 0), shift_mm=(0, 0, 5))
    >>> pose([[1.0, 2.0, 3.0]]).round(6).tolist()
    [[1.0, 3.0, 3.0]]
    """

    matrix: FloatArray

    def __post_init__(self) -> None:
        matrix = np.asarray(self.matrix, float)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise ValueError(f"A pose of a volume is a finite (4, 4) matrix, not {matrix.tolist()}.")
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def identity(cls) -> "VolumePose":
        """Return the pose that moves nothing."""
        return cls(np.eye(4))

    @classmethod
    def of(
        cls,
        *,
        angles_deg: ArrayLike = (0, 0, 0),
        shift_mm: ArrayLike = (0, 0, 0),
        centre_mm: ArrayLike = (0, 0, 0),
    ) -> "VolumePose":
        """Make a rigid pose: turn about `centre_mm` by angles about the axes z, then y, then x, and shift.

        Parameters
        ----------
        angles_deg, shift_mm, centre_mm : (3,) array_like
            For (z, y, x).
        """
        z, y, x = (float(angle) for angle in np.radians(np.asarray(angles_deg, float)))
        turn = _about(0, z) @ _about(1, y) @ _about(2, x)
        centre = np.asarray(centre_mm, float)
        matrix = np.eye(4)
        matrix[:3, :3] = turn
        matrix[:3, 3] = centre + np.asarray(shift_mm, float) - turn @ centre
        return cls(matrix)

    def __call__(self, points_mm: ArrayLike) -> FloatArray:
        """Map (N, 3) points (z, y, x) in mm."""
        return np.asarray(np.asarray(points_mm, float) @ self.matrix[:3, :3].T + self.matrix[:3, 3])

    def inverse(self) -> "VolumePose":
        """Return the opposite map."""
        return VolumePose(np.asarray(np.linalg.inv(self.matrix), np.float64))

    def then(self, other: "VolumePose") -> "VolumePose":
        """Return this map followed by another."""
        return VolumePose(other.matrix @ self.matrix)

    @property
    def angle_deg(self) -> float:
        """The angle by which it turns, about whatever axis; of an affine map that of its nearest rotation."""
        u, _, vt = np.linalg.svd(self.matrix[:3, :3])
        return float(np.degrees(np.arccos(np.clip((np.trace(u @ vt) - 1) / 2, -1, 1))))

    @property
    def scales(self) -> tuple[float, float, float]:
        """How much it stretches along its main directions, greatest first."""
        a, b, c = np.linalg.svd(self.matrix[:3, :3], compute_uv=False)
        return float(a), float(b), float(c)

    @property
    def matrix_lps(self) -> FloatArray:
        """The (4, 4) matrix for (x, y, z, 1), DICOM's and ITK's order: left, back, head, in mm."""
        return to_itk_matrix(self.matrix)


def mean_distance_mm(first: VolumePose, second: VolumePose, points_mm: FloatArray) -> float:
    """Return how far apart two poses put points, on the average."""
    return float(np.linalg.norm(first(points_mm) - second(points_mm), axis=1).mean())


def _about(axis: int, angle: float) -> FloatArray:
    """Return the rotation about one axis of (z, y, x), counter-clockwise in the order of the other two."""
    a, b = [k for k in range(3) if k != axis]
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b], matrix[b, a] = np.sin(angle), -np.sin(angle)
    return matrix
