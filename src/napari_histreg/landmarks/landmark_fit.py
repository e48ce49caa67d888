"""A transform fitted to landmarks, with what tells how far it can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.landmarks import Landmarks
from napari_histreg.landmarks.outliers import Outlier
from napari_histreg.transforms import Transform

__all__ = ["LandmarkFit"]


@dataclass(frozen=True, eq=False)
class LandmarkFit:
    """A transform fitted to landmarks, and how far it can be trusted.

    Parameters
    ----------
    landmarks : Landmarks
        All pairs, those not in use among them.
    model : str
        Name of the model that was fitted.
    fixed_to_moving, moving_to_fixed : Transform
        In world units.
    residual_vectors : (N, 2) ndarray of float64
        Where each moving point comes to lie minus its fixed point, in the fixed frame (y, x), world
        units; NaN for pairs that are not placed. Pairs that are switched off have theirs too.
    leave_one_out_vectors : (N, 2) ndarray of float64
        The same with a transform fitted to the other pairs; NaN where these do not determine it.
    used : (N,) ndarray of bool
        Which pairs the fit is made of.
    outliers : tuple of Outlier
        Pairs that contradict the others, the worst first.
    remarks : tuple of str
        What the user should know of the fit as a whole, in words.
    typical_errors : mapping of str to float
        Model → typical leave-one-out error, for the models that were tried.
    """

    landmarks: Landmarks
    model: str
    fixed_to_moving: Transform
    moving_to_fixed: Transform
    residual_vectors: FloatArray
    leave_one_out_vectors: FloatArray
    used: NDArray[np.bool_]
    outliers: tuple[Outlier, ...] = ()
    remarks: tuple[str, ...] = ()
    typical_errors: Mapping[str, float] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know, in words: the remarks, and which pairs to look at."""
        return self.remarks + tuple(
            f'Look at "{outlier.name}": {outlier.reason[0].lower()}{outlier.reason[1:]}'
            for outlier in self.outliers
        )

    def renamed(self, names: tuple[str, ...]) -> "LandmarkFit":
        """Return the same fit of pairs that are called otherwise."""
        return replace(
            self,
            landmarks=replace(self.landmarks, names=names),
            outliers=tuple(outlier.renamed(names) for outlier in self.outliers),
        )

    @property
    def residuals(self) -> FloatArray:
        """Distances (N,) in the fixed frame, world units; NaN for pairs that are not placed."""
        return np.asarray(np.linalg.norm(self.residual_vectors, axis=1))

    @property
    def leave_one_out(self) -> FloatArray:
        """Distances (N,) from where the other pairs predict each point, in the fixed frame, world units."""
        return np.asarray(np.linalg.norm(self.leave_one_out_vectors, axis=1))

    @property
    def mirrored(self) -> bool:
        """Whether the fit turns the tissue over."""
        centre = self.landmarks.fixed[self.used].mean(0, keepdims=True)
        return bool(np.linalg.det(self.fixed_to_moving.jacobian(centre)[0]) < 0)

    @property
    def median_residual(self) -> float:
        """Median residual of the pairs in use, world units."""
        return float(np.median(self.residuals[self.used]))

    @property
    def median_leave_one_out(self) -> float:
        """Median leave-one-out error of the pairs in use, world units; NaN where there are too few."""
        errors = self.leave_one_out[self.used]
        errors = errors[np.isfinite(errors)]
        return float(np.median(errors)) if len(errors) else float("nan")

    def residuals_px(self, fixed_pixel_size: ArrayLike) -> FloatArray:
        """Return the residuals (N,) in level-0 pixels of the fixed slide."""
        return np.asarray(np.linalg.norm(self.residual_vectors / np.asarray(fixed_pixel_size, float), axis=1))

    def leave_one_out_px(self, fixed_pixel_size: ArrayLike) -> FloatArray:
        """Return the leave-one-out errors (N,) in level-0 pixels of the fixed slide."""
        vectors = self.leave_one_out_vectors / np.asarray(fixed_pixel_size, float)
        return np.asarray(np.linalg.norm(vectors, axis=1))
