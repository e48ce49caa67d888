"""Where the moving slide lies, given the pairs and the placement, and how far each pair is off."""

from dataclasses import dataclass, replace

import numpy as np

from napari_histreg.errors import TransformError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks import LandmarkFit, Landmarks, fit_landmarks
from napari_histreg.transforms import MINIMUM_PAIRS, MODELS, Affine, Transform

__all__ = ["Following", "allowed_models", "follow_pairs"]


@dataclass(frozen=True, eq=False)
class Following:
    """What comes of the pairs and the placement.

    Parameters
    ----------
    fixed_to_moving : Transform
        Where the moving slide lies, in world units.
    by_pairs : bool
        Whether the pairs decided it.
    residuals : (N,) ndarray of float64
        How far each pair is off, in the fixed slide's world units; NaN where a point is missing.
    leave_one_out : (N,) ndarray of float64
        How far off each pair would be if it did not count itself; NaN where that cannot be told.
    fit : LandmarkFit or None
        The fit, where the pairs decided.
    problem : str or None
        Why the pairs could not be followed.
    """

    fixed_to_moving: Transform
    by_pairs: bool
    residuals: FloatArray
    leave_one_out: FloatArray
    fit: LandmarkFit | None = None
    problem: str | None = None


def follow_pairs(landmarks: Landmarks, model: str, placement: Transform, *, follow: bool) -> Following:
    """Fit the pairs, starting from the placement.

    A single pair shifts the placement, which keeps its turn, mirror and scale. Two pairs cannot tell a
    mirror either, so that a mirrored placement stays mirrored.

    Parameters
    ----------
    landmarks : Landmarks
        The pairs, in world units.
    model : str
        "auto" or the model wanted; fewer pairs than it needs get the widest model they allow.
    placement : Transform
        Fixed to moving without any pair.
    follow : bool
        Whether the pairs decide; if not they are only measured.

    Returns
    -------
    Following
    """
    blank = np.full(len(landmarks), np.nan)
    usable = landmarks.usable
    if not follow or not usable.any():
        residuals, problem = _residuals(placement, landmarks)
        return Following(placement, False, residuals, blank, None, problem)
    allowed = allowed_models(int(usable.sum()))
    wanted = model if model == "auto" or model in allowed else allowed[-1]
    is_shift = wanted == "translation" or len(allowed) == 1
    start = _start(placement, landmarks, is_shift=is_shift)
    try:
        fit = fit_landmarks(replace(landmarks, fixed=_through(start, landmarks.fixed)), wanted)
        found = fit.fixed_to_moving if start is None else start.then(fit.fixed_to_moving)
        found.inverse()
    except TransformError as error:
        residuals, _ = _residuals(placement, landmarks)
        return Following(placement, False, residuals, blank, None, str(error))
    residuals, problem = _residuals(found, landmarks)
    left_out = residuals.copy()
    left_out[usable] = np.asarray(fit.leave_one_out) / (_scale(placement, landmarks) if is_shift else 1.0)
    return Following(found, True, residuals, left_out, replace(fit, fixed_to_moving=found), problem)


def allowed_models(count: int) -> tuple[str, ...]:
    """Name the models that so many pairs determine, from the stiffest to the most flexible."""
    return tuple(model for model in MODELS if MINIMUM_PAIRS[model] <= count)


def _start(placement: Transform, landmarks: Landmarks, *, is_shift: bool) -> Transform | None:
    """Return what fixed points go through before the fit: what a fit of so few pairs cannot find itself."""
    if is_shift:
        return placement
    middle = np.nanmean(landmarks.fixed[landmarks.usable], axis=0, keepdims=True)
    mirrored = np.linalg.det(placement.jacobian(middle)[0]) < 0
    return Affine(np.diag([1.0, -1.0, 1.0])) if mirrored else None


def _scale(transform: Transform, landmarks: Landmarks) -> float:
    """Return the factor on lengths near the pairs."""
    middle = np.nanmean(landmarks.fixed[landmarks.usable], axis=0, keepdims=True)
    return float(np.sqrt(abs(np.linalg.det(transform.jacobian(middle)[0]))))


def _through(start: Transform | None, points: FloatArray) -> FloatArray:
    return points if start is None else start(points)


def _residuals(fixed_to_moving: Transform, landmarks: Landmarks) -> tuple[FloatArray, str | None]:
    """Measure every pair that has both points, switched off or not; the words say why it cannot be done."""
    residuals = np.full(len(landmarks), np.nan)
    try:
        back = fixed_to_moving.inverse()(landmarks.moving)
    except TransformError as error:
        return residuals, str(error)
    residuals[:] = np.hypot(*(back - landmarks.fixed).T)
    return residuals, None
