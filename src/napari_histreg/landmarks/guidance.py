"""What a fit says about points that are not placed yet: where they should be, and how surely."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.landmark_fit import LandmarkFit
from napari_histreg.transforms import ThinPlate, as_points
from napari_histreg.transforms.thin_plate_fit import ThinPlateSmoother

__all__ = ["Prediction", "localisation_error", "predict", "uncertainty", "where_next"]


@dataclass(frozen=True)
class Prediction:
    """A point that a fit predicts.

    Parameters
    ----------
    point : (float, float)
        (y, x) in world units.
    uncertainty : float
        Root mean square distance at which it may lie, in world units of the fixed slide; NaN where the
        pairs determine the model exactly and so tell no error.
    """

    point: tuple[float, float]
    uncertainty: float


def localisation_error(fit: LandmarkFit) -> float:
    """Estimate how exactly landmarks are placed, from the residuals of the fit.

    Parameters
    ----------
    fit : LandmarkFit

    Returns
    -------
    float
        Standard deviation per coordinate in world units of the fixed slide; NaN where no pair is spare.

    Examples
    --------
    >>> from napari_histreg.landmarks import Landmarks, fit_landmarks
    >>> pairs = Landmarks.of([[0, 0], [0, 2]], [[0, 0], [0, 4]])
    >>> localisation_error(fit_landmarks(pairs, "translation"))
    1.0
    """
    vectors = fit.residual_vectors[fit.used]
    smoother = _smoother(fit)
    if smoother is None:
        fitted = float(_basis(fit.model, np.zeros((1, 2))).shape[2])
    else:
        fitted = 2 * float(np.trace(smoother.influence(smoother.fixed)))
    spare = vectors.size - fitted
    # A thousandth of a number to spare is rounding, no evidence.
    return float(np.sqrt((vectors**2).sum() / spare)) if spare > 1e-3 else float("nan")


def uncertainty(fit: LandmarkFit, points: ArrayLike) -> FloatArray:
    """Predict the target error (TRE) that the fit makes at points.

    First-order propagation of the localisation error through the least-squares fit, as for rigid fits
    in [1]_ and [2]_, here for every model. It knows nothing of tissue that is deformed otherwise than the
    model can.

    Parameters
    ----------
    fit : LandmarkFit
    points : (M, 2) array_like
        In the fixed slide, (y, x) in world units.

    Returns
    -------
    (M,) ndarray of float64
        Root mean square error in world units of the fixed slide; NaN where no pair is spare.

    References
    ----------
    .. [1] J. M. Fitzpatrick, J. B. West, IEEE TMI 20(9), 2001. doi:10.1109/42.952729
    .. [2] A. Danilchenko, J. M. Fitzpatrick, IEEE TMI 30(3), 2011. doi:10.1109/TMI.2010.2091513

    Examples
    --------
    >>> from napari_histreg.landmarks import Landmarks, fit_landmarks
    >>> pairs = Landmarks.of([[0, 0], [0, 10], [10, 0]], [[0, 0], [0, 11], [10, 0]])
    >>> near, far = uncertainty(fit_landmarks(pairs, "rigid"), [[3, 3], [100, 100]])
    >>> bool(far > 5 * near)
    True
    """
    return localisation_error(fit) * _leverage(fit, as_points(points))


def predict(fit: LandmarkFit, point: ArrayLike, *, given: str = "fixed") -> Prediction:
    """Predict where the partner of a point lies.

    Parameters
    ----------
    fit : LandmarkFit
    point : (2,) array_like
        (y, x) in world units of the slide it lies in.
    given : {"fixed", "moving"}
        The slide that the point lies in; its partner lies in the other.

    Returns
    -------
    Prediction
        Its uncertainty adds the error of the fit and that of placing the two points.

    Examples
    --------
    >>> from napari_histreg.landmarks import Landmarks, fit_landmarks
    >>> fit = fit_landmarks(Landmarks.of([[0, 0], [0, 2]], [[5, 0], [5, 2]]), "translation")
    >>> predict(fit, [1, 1])
    Prediction(point=(6.0, 1.0), uncertainty=0.0)
    """
    if given not in ("fixed", "moving"):
        raise ValueError(f'A point lies in the "fixed" or the "moving" slide, not in {given!r}.')
    at = np.asarray(point, float).reshape(1, 2)
    partner = fit.fixed_to_moving(at) if given == "fixed" else fit.moving_to_fixed(at)
    in_fixed = at if given == "fixed" else partner
    # The estimate from residuals is of both points' placement together.
    sigma = localisation_error(fit)
    error = float(np.hypot(uncertainty(fit, in_fixed)[0], np.sqrt(2) * sigma))
    return Prediction((float(partner[0, 0]), float(partner[0, 1])), error)


def where_next(fit: LandmarkFit, candidates: ArrayLike) -> Prediction:
    """Choose where one more pair would teach most: where the fit is least certain.

    Parameters
    ----------
    fit : LandmarkFit
    candidates : (M, 2) array_like
        Points of the fixed slide to choose from, such as a grid over its tissue; M >= 1.

    Returns
    -------
    Prediction
        The chosen point of the fixed slide, and the predicted error there. Where the fit is equally
        certain everywhere (a translation), the point farthest from all pairs.

    Examples
    --------
    >>> from napari_histreg.landmarks import Landmarks, fit_landmarks
    >>> fit = fit_landmarks(Landmarks.of([[0, 0], [0, 2]], [[5, 0], [5, 3]]), "translation")
    >>> where_next(fit, [[0, 1], [9, 9]]).point
    (9.0, 9.0)
    """
    points = as_points(candidates)
    if not len(points):
        raise ValueError("There is no candidate to choose from; pass points over the tissue.")
    leverage = _leverage(fit, points)
    pairs = fit.landmarks.fixed[fit.used]
    nearest = np.full(len(points), np.inf)
    for pair in pairs:
        nearest = np.minimum(nearest, np.linalg.norm(points - pair, axis=1))
    best = leverage >= leverage.max() * (1 - 1e-9)
    k = int(np.where(best, nearest, -1).argmax())
    return Prediction(
        (float(points[k, 0]), float(points[k, 1])), float(uncertainty(fit, points[k : k + 1])[0])
    )


def _leverage(fit: LandmarkFit, points: FloatArray) -> FloatArray:
    """Return the root mean square error at points for a localisation error of 1."""
    smoother = _smoother(fit)
    if smoother is not None:
        return np.asarray(np.sqrt(2 * (smoother.influence(points) ** 2).sum(1)))
    pairs = fit.landmarks.fixed[fit.used]
    centre = pairs.mean(0)
    size = max(float(np.abs(pairs - centre).max()), 1e-300)
    design = _basis(fit.model, (pairs - centre) / size)
    covariance = np.linalg.pinv(np.einsum("nik,nil->kl", design, design), rcond=1e-12, hermitian=True)
    wanted = _basis(fit.model, (points - centre) / size)
    return np.asarray(np.sqrt(np.maximum(np.einsum("nik,kl,nil->n", wanted, covariance, wanted), 0)))


def _smoother(fit: LandmarkFit) -> ThinPlateSmoother | None:
    """Return how a thin-plate spline depends on its points; None for the other models."""
    spline = fit.fixed_to_moving
    return ThinPlateSmoother(spline.centres, spline.smoothing) if isinstance(spline, ThinPlate) else None


def _basis(model: str, points: FloatArray) -> FloatArray:
    """Return the small motions (N, 2, K) of points (y, x) that a model can make.

    Each model is a group, so a small change of any member is a small motion of the fixed frame before it:
    the same K motions serve every fit.
    """
    y, x = points.T
    one, zero = np.ones(len(points)), np.zeros(len(points))
    motions = [(one, zero), (zero, one)]
    if model in ("rigid", "similarity"):
        motions.append((-x, y))
    if model == "similarity":
        motions.append((y, x))
    if model in ("affine", "projective"):
        motions += [(y, zero), (x, zero), (zero, y), (zero, x)]
    if model == "projective":
        motions += [(y * y, y * x), (y * x, x * x)]
    return np.stack([np.stack(motion, -1) for motion in motions], -1)
