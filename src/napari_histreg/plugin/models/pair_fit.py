"""Where the moving slide lies, given the pairs and the placement, and how far each pair is off."""

from dataclasses import dataclass, replace

import numpy as np

from napari_histreg.errors import TransformError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks import LANDMARK_MODELS, LandmarkFit, Landmarks, fit_landmarks
from napari_histreg.landmarks.agreement import AUTO
from napari_histreg.registration.corrected_bend import correct_bend
from napari_histreg.transforms import MINIMUM_PAIRS, Transform
from napari_histreg.transforms.displacement import DisplacementField

__all__ = ["PairFit", "allowed_models", "follow_pairs"]

# As in the choice of `fit_landmarks`: how much better a mirror must fit to be believed.
MIRROR_FACTOR = 3.0
# A thin-plate spline through three pairs is affine.
PAIRS_TO_BEND = 4


@dataclass(frozen=True, eq=False)
class PairFit:
    """What comes of the pairs and the placement.

    Parameters
    ----------
    fixed_to_moving : Transform
        Where the moving slide lies, in world units.
    residual_vectors : (N, 2) ndarray of float64
        Where each moving point comes to lie minus its fixed point, (y, x) in the fixed slide's world
        units; NaN where a point is missing.
    leave_one_out_vectors : (N, 2) ndarray of float64
        The same if the pair did not count itself; NaN where that cannot be told.
    fit : LandmarkFit or None
        The fit, where the pairs decided.
    problem : str or None
        Why the pairs could not be followed as wished.
    """

    fixed_to_moving: Transform
    residual_vectors: FloatArray
    leave_one_out_vectors: FloatArray
    fit: LandmarkFit | None = None
    problem: str | None = None

    @classmethod
    def without_pairs(cls, placement: Transform) -> "PairFit":
        """Return what comes of a placement alone."""
        return cls(placement, np.empty((0, 2)), np.empty((0, 2)))

    def renamed(self, names: tuple[str, ...]) -> "PairFit":
        """Return the same of pairs that are called otherwise; nothing is fitted anew."""
        return self if self.fit is None else replace(self, fit=self.fit.renamed(names))


def follow_pairs(landmarks: Landmarks, model: str, placement: Transform, *, follow: bool) -> PairFit:
    """Fit the pairs, starting from the placement.

    With the model "auto", pairs correct a placement that bends near themselves, and it stays as it is
    elsewhere. A single pair shifts any other placement, which keeps its turn, mirror and scale. Two pairs
    cannot tell a mirror either, so that a mirrored placement stays mirrored.

    Parameters
    ----------
    landmarks : Landmarks
        The pairs, in world units.
    model : str
        "auto" or the model wanted; where the pairs do not determine it, the next stiffer one is taken.
    placement : Transform
        Fixed to moving without any pair.
    follow : bool
        Whether the pairs decide; if not they are only measured.

    Returns
    -------
    PairFit
    """
    count = int(landmarks.usable.sum())
    if not follow or count == 0:
        return _measured(landmarks, placement)
    if model == AUTO and isinstance(placement, DisplacementField):
        return _corrected(landmarks, placement)
    allowed = allowed_models(count)
    wanted = model if model in (AUTO, *allowed) else allowed[-1]
    order = LANDMARK_MODELS.index
    stiffer = [m for m in allowed if wanted == AUTO or order(m) < order(wanted)]
    problem = None
    for candidate in (wanted, *reversed(stiffer)):
        try:
            fit = _fit(landmarks, candidate, placement)
        except TransformError as error:
            problem = problem or str(error)
            continue
        return PairFit(fit.fixed_to_moving, fit.residual_vectors, fit.leave_one_out_vectors, fit, problem)
    return replace(_measured(landmarks, placement), problem=problem)


def allowed_models(count: int) -> tuple[str, ...]:
    """Name the models that so many pairs determine, from the stiffest to the most flexible."""
    return tuple(m for m in LANDMARK_MODELS if MINIMUM_PAIRS.get(m, PAIRS_TO_BEND) <= count)


def _corrected(landmarks: Landmarks, placement: DisplacementField) -> PairFit:
    """Correct a bent placement near the pairs."""
    try:
        fit = correct_bend(placement, landmarks)
    except TransformError as error:
        return replace(_measured(landmarks, placement), problem=str(error))
    return PairFit(fit.fixed_to_moving, fit.residual_vectors, fit.leave_one_out_vectors, fit)


def _measured(landmarks: Landmarks, placement: Transform) -> PairFit:
    """Measure the pairs against a transform that they did not make."""
    blank = np.full((len(landmarks), 2), np.nan)
    try:
        vectors = placement.inverse()(landmarks.moving) - landmarks.fixed
    except TransformError as error:
        return PairFit(placement, blank, blank, None, str(error))
    # The pairs took no part, so each is as good as left out.
    return PairFit(placement, vectors, vectors)


def _fit(landmarks: Landmarks, model: str, placement: Transform) -> LandmarkFit:
    if model == "translation" or landmarks.usable.sum() == 1:
        return _shifted(landmarks, placement)
    middle = landmarks.fixed[landmarks.usable].mean(axis=0, keepdims=True)
    if np.linalg.det(placement.jacobian(middle)[0]) > 0:
        return fit_landmarks(landmarks, model)
    turned_over = fit_landmarks(landmarks, model, mirrored=True)
    plain = fit_landmarks(landmarks, model)
    clearly = turned_over.median_residual > MIRROR_FACTOR * plain.median_residual + _rounding(landmarks)
    return plain if clearly else turned_over


def _rounding(landmarks: Landmarks) -> float:
    return 1e-6 * float(np.ptp(landmarks.fixed[landmarks.usable], axis=0).max())


def _shifted(landmarks: Landmarks, placement: Transform) -> LandmarkFit:
    """Shift the placement until the pairs agree best."""
    placed = placement(landmarks.fixed)
    shift = fit_landmarks(replace(landmarks, fixed=placed), "translation")
    found, back = placement.then(shift.fixed_to_moving), placement.inverse()
    return replace(
        shift,
        landmarks=landmarks,
        fixed_to_moving=found,
        moving_to_fixed=found.inverse(),
        residual_vectors=back(placed + shift.residual_vectors) - landmarks.fixed,
        leave_one_out_vectors=back(placed + shift.leave_one_out_vectors) - landmarks.fixed,
    )
