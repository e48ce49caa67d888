"""What a transform does to the tissue: local areas, folds, bending, largest displacement."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_histreg.geometry import FloatArray, grid_points
from napari_histreg.transforms import Transform, approximate_affine

__all__ = ["Deformation", "jacobian_map", "measure_deformation"]


@dataclass(frozen=True, eq=False)
class Deformation:
    """What a transform does over a frame; lengths in the fixed slide's world units.

    Parameters
    ----------
    jacobian : (R, C) ndarray of float64
        Local change of area of the moving against the fixed slide, relative to the transform's affine
        part: 1 where nothing bends, at most 0 where it folds.
    spacing : (float, float)
        Distance of the grid's points (y, x).
    folded : int
        How many grid points fold.
    bending_energy : float
        Mean of the squared second derivatives of the displacement, times the squared diagonal, so that
        it has no unit [1]_; 0 for an affine transform.
    largest_displacement : float
        Largest distance from the transform's affine part.
    scale, angle_deg, mirrored
        Of the affine part: square root of the change of area, turn, and whether it turns over.

    References
    ----------
    .. [1] D. Rueckert et al., IEEE TMI 18(8), 712-721, 1999. doi:10.1109/42.796284
    """

    jacobian: FloatArray
    spacing: tuple[float, float]
    folded: int
    bending_energy: float
    largest_displacement: float
    scale: float
    angle_deg: float
    mirrored: bool

    @property
    def folded_share(self) -> float:
        """Share of the grid points that fold, 0 to 1."""
        return self.folded / self.jacobian.size

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, without the map, as JSON values."""
        finite = self.jacobian[np.isfinite(self.jacobian)]
        return {
            "folded": self.folded,
            "folded_share": self.folded_share,
            "jacobian_min": float(finite.min()) if finite.size else None,
            "jacobian_max": float(finite.max()) if finite.size else None,
            "bending_energy": self.bending_energy,
            "largest_displacement": self.largest_displacement,
            "scale": self.scale,
            "angle_deg": self.angle_deg,
            "mirrored": self.mirrored,
        }


def jacobian_map(fixed_to_moving: Transform, points: FloatArray) -> FloatArray:
    """Return the signed local change of area at points (N, 2), as (N,); negative where turned over."""
    return np.asarray(np.linalg.det(fixed_to_moving.jacobian(points)))


def measure_deformation(
    fixed_to_moving: Transform, size: tuple[float, float], *, across: int = 64
) -> Deformation:
    """Measure what a transform does over the fixed slide.

    Parameters
    ----------
    fixed_to_moving : Transform
        In world units.
    size : (float, float)
        Height and width of the fixed slide in world units.
    across : int
        Grid points along the longer side.

    Returns
    -------
    Deformation

    Examples
    --------
    >>> from napari_histreg.transforms import Similarity
    >>> found = measure_deformation(Similarity.of(scale=2, mirrored=True), (100, 80))
    >>> found.folded, found.mirrored, round(found.bending_energy, 6), round(found.scale, 6)
    (0, True, 0.0, 2.0)
    """
    step = max(size) / across
    y, x = (np.arange(max(3, round(length / step))) * step + step / 2 for length in size)
    points = grid_points(y, x)
    flat = points.reshape(-1, 2)
    affine = approximate_affine(fixed_to_moving, flat)
    whole = float(np.linalg.det(affine.linear))
    area = jacobian_map(fixed_to_moving, flat).reshape(points.shape[:2]) / whole
    # In the fixed frame, so that scale and turn of the moving slide do not count as bending.
    away = (affine.inverse()(fixed_to_moving(flat)) - flat).reshape(points.shape)
    bent = [np.gradient(np.gradient(away, step, axis=i), step, axis=j) for i, j in ((0, 0), (1, 1), (0, 1))]
    inner = (slice(2, -2), slice(2, -2)) if min(area.shape) > 6 else (slice(None), slice(None))
    energy = sum(
        k * float((part[inner] ** 2).sum(-1).mean()) for k, part in zip((1, 1, 2), bent, strict=True)
    )
    diagonal = float(np.hypot(*size))
    return Deformation(
        jacobian=area,
        spacing=(step, step),
        folded=int((area <= 0).sum()),
        bending_energy=energy * diagonal**2,
        largest_displacement=float(np.linalg.norm(away, axis=-1).max()),
        scale=affine.scale,
        angle_deg=affine.angle_deg,
        mirrored=affine.mirrored,
    )
