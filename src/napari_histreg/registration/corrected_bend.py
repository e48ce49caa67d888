"""A bent alignment corrected by a person's pairs: they count as measurements, and are honoured locally."""

from collections.abc import Sequence

import numpy as np

from napari_histreg.errors import TransformError
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks import LandmarkFit, Landmarks
from napari_histreg.matching.correlated_values import inverted, matern
from napari_histreg.transforms.displacement import DisplacementField

__all__ = ["BEND", "correct_bend"]

BEND = "bend"
"""Name of the model in the fit."""

DEVIATION = 1.0
"""Standard deviation of a person's pair in world units: about a µm, what a hand on a screen is good for."""

LEAST_SAMPLES = 4.0
"""Reach of a correction in samples of the field, at least: a spline cannot carry anything shorter."""

ALONE_SHARE = 1 / 16
"""Reach of a single correction, as a share of the field's longest side, where no other pair bounds it."""

APART_SHARE = 0.5
"""And as a share of the usual distance to the next pair: one pair says nothing of where another lies."""

LEAST_JACOBIAN = 0.2
WIDER = 1.5
TRIES = 8


def correct_bend(field: DisplacementField, landmarks: Landmarks) -> LandmarkFit:
    """Correct a displacement field where pairs contradict it.

    What each pair says beyond the field is a measurement with a standard deviation of 1 world unit. A
    Gaussian process [1]_ through these differences is added to the field: at a pair it follows the pair, and
    within its reach it runs out to nothing, so that the field stays as it was elsewhere. Where that would
    fold the tissue the reach grows, and the pairs count for less.

    Parameters
    ----------
    field : DisplacementField
        Fixed to moving, in world units.
    landmarks : Landmarks
        The pairs; those that are switched off or wait for a point are measured only.

    Returns
    -------
    LandmarkFit
        Its `fixed_to_moving` is a `DisplacementField` on the same grid and base. An error "left out" is
        what a pair is off where the others alone correct the field.

    Raises
    ------
    TransformError
        No pair is usable, or the pairs would fold the tissue however far their corrections reach.

    References
    ----------
    .. [1] C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press, 2006.

    Examples
    --------
    >>> field = DisplacementField(np.zeros((41, 41, 2)), spacing=(100.0, 100.0))
    >>> pair = Landmarks.of([[2000.0, 2000.0]], [[2020.0, 2000.0]])
    >>> corrected = correct_bend(field, pair).fixed_to_moving
    >>> corrected([[2000.0, 2000.0], [200.0, 200.0]]).round(0).tolist()
    [[2020.0, 2000.0], [200.0, 200.0]]
    """
    used = landmarks.usable
    if not used.any():
        raise TransformError("No pair is complete and switched on: nothing corrects the bend.")
    wanted = landmarks.moving if field.base is None else field.base.inverse()(landmarks.moving)
    missed = (wanted - landmarks.fixed - field.displacement(landmarks.fixed))[used]
    places = landmarks.fixed[used]
    reach, deviation = _reach(field, places), DEVIATION
    for _ in range(TRIES):
        correction = _Correction(places, missed, reach, deviation)
        corrected = correction.added_to(field)
        smallest = corrected.folding().minimum
        if smallest > LEAST_JACOBIAN or smallest >= field.folding().minimum:
            break
        reach, deviation = reach * WIDER, deviation * WIDER
    else:
        raise TransformError(
            "The pairs would fold the tissue: two of them that lie close together contradict each other. "
            "Look at the pairs with the largest errors."
        )
    back = corrected.inverse()
    residuals = np.full((len(landmarks), 2), np.nan)
    placed = np.isfinite(landmarks.fixed).all(1) & np.isfinite(landmarks.moving).all(1)
    residuals[placed] = back(landmarks.moving[placed]) - landmarks.fixed[placed]
    left_out = residuals.copy()
    left_out[used] = correction.left_out
    return LandmarkFit(landmarks, BEND, corrected, back, residuals, left_out, used)


def _reach(field: DisplacementField, places: FloatArray) -> float:
    """Return how far corrections reach: not beyond the next pair, and as far as the samples can carry."""
    from scipy.spatial import cKDTree

    spacing = np.array(field.spacing)
    longest = float(((np.array(field.values.shape[:2]) - 1) * spacing).max())
    reach = ALONE_SHARE * longest
    if len(places) > 1:
        nearest = np.asarray(cKDTree(places).query(places, k=2)[0])[:, 1]
        reach = min(reach, APART_SHARE * float(np.median(nearest)))
    return max(reach, LEAST_SAMPLES * float(spacing.max()))


class _Correction:
    """A smooth displacement through what the pairs say beyond the field."""

    def __init__(self, places: FloatArray, missed: FloatArray, reach: float, deviation: float) -> None:
        self.places, self.reach = places, reach
        amplitude = max(float(np.sqrt((missed**2).mean())), DEVIATION)
        ratios = np.full(len(places), (deviation / amplitude) ** 2)
        inverse = inverted(matern(places, places, reach), ratios)
        self.pull = np.asarray(inverse @ missed)
        self.left_out: FloatArray = self.pull / np.diag(inverse)[:, None]

    def added_to(self, field: DisplacementField) -> DisplacementField:
        """Return the field with the correction on its samples."""
        rows, columns = (
            field.origin[k] + field.spacing[k] * np.arange(field.values.shape[k]) for k in range(2)
        )
        values = field.values.astype(float)
        for part in _bands(len(rows), len(columns) * len(self.places)):
            points = np.stack(np.meshgrid(rows[part], columns, indexing="ij"), -1).reshape(-1, 2)
            values[part] += (matern(points, self.places, self.reach) @ self.pull).reshape(values[part].shape)
        return DisplacementField(values, origin=field.origin, spacing=field.spacing, base=field.base)


def _bands(count: int, width: int) -> Sequence[slice]:
    """Cut rows into bands, so that no more than two million correlations are held at once."""
    step = max(1, 2_000_000 // max(width, 1))
    return [slice(k, k + step) for k in range(0, count, step)]
