"""How well landmarks agree: the fit, its leave-one-out errors, the choice of the model."""

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DegenerateFit, NotInvertible
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.landmark_fit import LandmarkFit
from napari_histreg.landmarks.landmarks import Landmarks
from napari_histreg.landmarks.outliers import Outlier, find_outliers, looks_mirrored
from napari_histreg.transforms import (
    MINIMUM_PAIRS,
    MODELS,
    Rigid,
    Transform,
    fit_thin_plate,
    fit_transform,
)
from napari_histreg.transforms.thin_plate_fit import ThinPlateSmoother

__all__ = ["AUTO", "LANDMARK_MODELS", "fit_landmarks"]

AUTO = "auto"
THIN_PLATE = "thin_plate"
LANDMARK_MODELS = (*MODELS, THIN_PLATE)
"""Names that `fit_landmarks` takes besides "auto", from the stiffest to the most flexible."""
MAX_FOLDS = 60
# What takes part beyond this many adds nothing to a fit but time, which grows with their cube.
MOST_PAIRS = 2000


def fit_landmarks(landmarks: Landmarks, model: str = AUTO, *, mirrored: bool | None = None) -> LandmarkFit:
    """Fit a transform to the enabled pairs and measure how well they agree.

    Parameters
    ----------
    landmarks : Landmarks
        In world units; at least one usable pair.
    model : str
        One of `LANDMARK_MODELS`, or "auto": of the models with a matrix that the pairs can check, the
        stiffest whose leave-one-out error is no more than 1 + 1/sqrt(N) times the least.
    mirrored : bool, optional
        Whether a rigid transform or a similarity turns the tissue over; by default it does where that
        fits clearly better.

    Returns
    -------
    LandmarkFit

    Raises
    ------
    DegenerateFit
        The pairs do not determine the model.
    NotInvertible
        A thin-plate spline through the pairs folds over; swapped pairs do that.
    ValueError
        There is no such model.

    Notes
    -----
    Of more than 2000 pairs, 2000 are taken evenly. With more than 60, the leave-one-out errors leave out a
    60th of the pairs at a time. Those of a thin-plate spline keep its smoothing.

    Examples
    --------
    >>> fixed = [[0, 0], [0, 900], [700, 0], [800, 900], [400, 300]]
    >>> landmarks = Landmarks.of(fixed, [[x, y] for y, x in fixed])
    >>> fit = fit_landmarks(landmarks)
    >>> fit.model, fit.mirrored, round(fit.median_leave_one_out, 6)
    ('rigid', True, 0.0)
    """
    known = (AUTO, *LANDMARK_MODELS)
    if model not in known:
        raise ValueError(f"There is no model {model!r}. Those known are: {', '.join(known)}.")
    used = _evenly(landmarks.usable, MOST_PAIRS)
    if not used.any():
        raise DegenerateFit(
            "There is no pair to fit: place a point in the fixed slide and its partner in the moving slide."
        )
    fixed, moving = landmarks.fixed[used], landmarks.moving[used]
    flip = looks_mirrored(fixed, moving) if mirrored is None else mirrored
    places = np.flatnonzero(used)
    outliers = _at_places(
        find_outliers(fixed, moving, tuple(landmarks.names[k] for k in places), mirrored=flip),
        places,
    )
    typical: dict[str, float] = {}
    if model == AUTO:
        trusted = np.setdiff1d(places, [outlier.index for outlier in outliers])
        model, typical = _choose(landmarks.fixed[trusted], landmarks.moving[trusted], flip)
        model = _that_fits(model, fixed, moving, flip)
    fixed_to_moving = _fit(model, fixed, moving, flip)
    moving_to_fixed = fixed_to_moving.inverse()
    residuals = moving_to_fixed(landmarks.moving) - landmarks.fixed
    # A pair that is switched off took no part in the fit: its residual is what leaving it out shows.
    left_out = residuals.copy()
    left_out[used] = _leave_one_out(model, fixed, moving, flip)
    return LandmarkFit(
        landmarks,
        model,
        fixed_to_moving,
        moving_to_fixed,
        residuals,
        left_out,
        used,
        outliers,
        _remarks(model, flip, mirrored, len(fixed)) + _taken(int(landmarks.usable.sum()), len(fixed)),
        typical,
    )


def _evenly(usable: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Return which pairs to fit: all, or as many as can be fitted in a while, evenly taken."""
    places = np.flatnonzero(usable)
    if len(places) <= most:
        return usable
    used = np.zeros_like(usable)
    used[places[np.linspace(0, len(places) - 1, most).astype(int)]] = True
    return used


def _taken(usable: int, used: int) -> tuple[str, ...]:
    return () if used == usable else (f"Of the {usable} pairs {used}, evenly taken, were fitted.",)


def _fit(model: str, fixed: FloatArray, moving: FloatArray, flip: bool) -> Transform:
    """Fit with the mirror fixed beforehand, so that leaving a pair out cannot change it."""
    if model in ("rigid", "similarity") and flip:
        mirror = Rigid.of(mirrored=True)
        return mirror.then(fit_transform(model, mirror(fixed), moving))
    if model == THIN_PLATE:
        return fit_thin_plate(fixed, moving)
    return fit_transform(model, fixed, moving)


def _that_fits(model: str, fixed: FloatArray, moving: FloatArray, flip: bool) -> str:
    """Return the model, or the next stiffer one that all pairs together determine, wrong ones included."""
    for stiffer in MODELS[MODELS.index(model) : 0 : -1]:
        try:
            _fit(stiffer, fixed, moving, flip).inverse()
        except (DegenerateFit, NotInvertible):
            continue
        return stiffer
    return MODELS[0]


def _leave_one_out(model: str, fixed: FloatArray, moving: FloatArray, flip: bool) -> FloatArray:
    """Return error vectors (N, 2) in the fixed frame; NaN where the other pairs determine nothing."""
    count = len(fixed)
    vectors = np.full((count, 2), np.nan)
    if model == THIN_PLATE:
        return _thin_plate_left_out(fixed, moving) if count > _minimum(model) else vectors
    folds = min(count, MAX_FOLDS)
    for fold in range(folds):
        out = np.arange(count) % folds == fold
        if count - out.sum() < _minimum(model):
            continue
        try:
            back = _fit(model, fixed[~out], moving[~out], flip).inverse()
        except (DegenerateFit, NotInvertible):
            continue
        vectors[out] = back(moving[out]) - fixed[out]
    return vectors


def _thin_plate_left_out(fixed: FloatArray, moving: FloatArray) -> FloatArray:
    """Return the same for a thin-plate spline, all at once.

    With its smoothing kept, leaving a pair out divides its residual by one minus the pair's own influence
    (Wahba 1990, theorem 4.2.1); the local matrix takes that to the fixed frame.
    """
    spline = fit_thin_plate(fixed, moving)
    own = np.diagonal(ThinPlateSmoother(fixed, spline.smoothing).influence(fixed))
    missed = (moving - spline(fixed)) / np.maximum(1 - own, 1e-12)[:, None]
    return np.asarray(np.linalg.solve(spline.jacobian(fixed), missed[..., None])[..., 0])


def _minimum(model: str) -> int:
    """Return how many pairs determine a model; a thin-plate spline through three is affine."""
    return MINIMUM_PAIRS.get(model, MINIMUM_PAIRS["affine"])


def _choose(fixed: FloatArray, moving: FloatArray, flip: bool) -> tuple[str, dict[str, float]]:
    """Return the model for automatic choice, and the typical leave-one-out error of each that was tried."""
    count = len(fixed)
    if count == 1:
        return "translation", {}
    if count == 2:
        lengths = np.linalg.norm(fixed[1] - fixed[0]), np.linalg.norm(moving[1] - moving[0])
        # Two pairs check nothing but the length between them: pixel sizes are good to a few per cent.
        return ("rigid" if abs(lengths[1] - lengths[0]) <= 0.03 * lengths[0] else "similarity"), {}
    typical: dict[str, float] = {}
    for model in MODELS:
        if count <= _minimum(model):
            continue
        errors = np.linalg.norm(_leave_one_out(model, fixed, moving, flip), axis=1)
        if np.isfinite(errors).all():
            typical[model] = _typical(errors)
    if not typical:
        return "translation", {}
    # Differences of a millionth of the extent are rounding, not evidence.
    rounding = 1e-6 * float(np.ptp(fixed, axis=0).max())
    # An error estimated from n pairs is itself uncertain by about this much (the one-standard-error rule).
    limit = (1 + 1 / np.sqrt(count)) * min(typical.values()) + rounding
    return next(model for model in MODELS if typical.get(model, np.inf) <= limit), typical


def _typical(errors: FloatArray) -> float:
    """Return the root mean square with single large errors held to three times the median."""
    return float(np.sqrt(np.mean(np.minimum(errors, 3 * np.median(errors)) ** 2)))


def _at_places(outliers: tuple[Outlier, ...], places: NDArray[np.intp]) -> tuple[Outlier, ...]:
    """Give outliers their places among all pairs instead of among those in use."""
    return tuple(
        Outlier(
            int(places[o.index]),
            o.name,
            o.factor,
            o.reason,
            None if o.swapped_with is None else int(places[o.swapped_with]),
        )
        for o in outliers
    )


def _remarks(model: str, flip: bool, mirrored: bool | None, count: int) -> tuple[str, ...]:
    remarks = []
    if flip and mirrored is None:
        if model == "translation":
            remarks.append(
                "The pairs fit far better mirrored, which a translation cannot do: choose another model."
            )
        else:
            remarks.append("The fit is mirrored: one of the slides lies with its other side up.")
    if count <= _minimum(model):
        pairs = "One pair determines" if count == 1 else f"{count} pairs determine"
        remarks.append(f"{pairs} the {model} model exactly, so nothing tells how wrong it is: add a pair.")
    return tuple(remarks)
