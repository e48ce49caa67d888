"""A smooth displacement through scattered measurements, with how far it may be wrong anywhere.

A Gaussian process: near measurements it follows them, far from all of them it runs out to nothing within
its length, so that where no tissue tells anything the transform it is added to stays as it was.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.correlated_values import group_table, inverted, leave_out, matern

__all__ = ["LeftOut", "Prior", "SmoothField", "fit_smooth_field"]

MOST_FOR_PRIOR = 400
"""Measurements by which the prior is chosen; more would say the same."""

ROUNDS = 5
OUTLIER = 2.5
"""Width of the robust weights, in standard deviations of what was left out."""

FREEDOM = 4.0
"""Degrees of freedom of the Student t by which priors are compared: a few outliers must not decide."""

LENGTHS = 9
RATIOS = tuple(float(r) for r in np.logspace(-5, 1.5, 8))
"""Variance of a typical measurement over that of the field."""

LEAST_RATIO = 1e-6
BLOCK = 2_000_000  # kernel values held at once


@dataclass(frozen=True)
class Prior:
    """What is known of a field before anything is measured.

    Parameters
    ----------
    length : float
        Within which displacements resemble one another, world units; the longer, the stiffer.
    amplitude : float
        Standard deviation of each component of the displacement, world units.
    noise : float
        Factor on the standard deviations that the measurements claim.
    """

    length: float
    amplitude: float
    noise: float = 1.0


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What the field says at each measurement where that one is left out.

    Parameters
    ----------
    residuals : (N, 2) ndarray
        Measured less predicted, (y, x) in world units.
    deviations : (N,) ndarray
        Standard deviation of each component of a prediction, without the measurement's own noise.
    """

    residuals: FloatArray
    deviations: FloatArray


@dataclass(frozen=True, eq=False)
class SmoothField:
    """A displacement known at some places, and as smooth as its prior between them.

    Parameters
    ----------
    places : (N, 2) ndarray
        Where it was measured, (y, x) in world units.
    values : (N, 2) ndarray
        The displacements measured.
    deviations : (N,) ndarray
        Standard deviation of each component of a measurement, as claimed.
    prior : Prior
        How smooth the field is.
    weights : (N,) ndarray
        Trust in each measurement, 0 to 1.
    groups : (N,) ndarray of int, optional
        Measurements of one group are left out together; each for itself by default.

    References
    ----------
    .. [1] C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press, 2006.

    Examples
    --------
    >>> places = np.array([[0.0, 0.0], [0.0, 10.0], [10.0, 0.0]])
    >>> field = SmoothField(places, np.ones((3, 2)), np.full(3, 0.01), Prior(20.0, 1.0), np.ones(3))
    >>> field(np.array([[0.0, 0.0], [1000.0, 0.0]])).round(2).tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """

    places: FloatArray
    values: FloatArray
    deviations: FloatArray
    prior: Prior
    weights: FloatArray
    groups: NDArray[np.intp] | None = None

    def __call__(self, points: FloatArray) -> FloatArray:
        """Return the displacement at (N, 2) points, (N, 2)."""
        out = np.empty((len(points), 2))
        for block in self._blocks(len(points)):
            out[block] = self._kernel(points[block]) @ self._pull
        return out

    def deviation(self, points: FloatArray) -> FloatArray:
        """Return the standard deviation of each component at (N, 2) points, (N,)."""
        out = np.empty(len(points))
        for block in self._blocks(len(points)):
            near = self._kernel(points[block])
            out[block] = 1.0 - ((near @ self._inverse) * near).sum(1)
        return np.asarray(self.prior.amplitude * np.sqrt(np.maximum(out, 0.0)))

    @cached_property
    def left_out(self) -> LeftOut:
        """Leave each measurement out in turn, with its group."""
        residuals, variances = leave_out(
            self._inverse, self._pull, group_table(self.groups, len(self.places))
        )
        spread = np.sqrt(np.maximum(variances - self._ratios, 0.0)) * self.prior.amplitude
        return LeftOut(residuals, spread)

    @property
    def noise(self) -> FloatArray:
        """Standard deviation of each component of a measurement, robust weights aside, (N,)."""
        return np.asarray(self.prior.noise * self.deviations)

    @property
    def _ratios(self) -> FloatArray:
        ratio = (self.noise / self.prior.amplitude) ** 2 / np.maximum(self.weights, 1e-6)
        return np.asarray(np.maximum(ratio, LEAST_RATIO))

    @cached_property
    def _inverse(self) -> FloatArray:
        return inverted(matern(self.places, self.places, self.prior.length), self._ratios)

    @cached_property
    def _pull(self) -> FloatArray:
        return np.asarray(self._inverse @ self.values)

    def _kernel(self, points: FloatArray) -> FloatArray:
        return matern(points, self.places, self.prior.length)

    def _blocks(self, count: int) -> list[slice]:
        step = max(1, BLOCK // max(len(self.places), 1))
        return [slice(k, k + step) for k in range(0, count, step)]


def fit_smooth_field(
    places: FloatArray,
    values: FloatArray,
    deviations: FloatArray,
    *,
    prior: Prior | None = None,
    groups: NDArray[np.intp] | None = None,
) -> SmoothField:
    """Fit a field robustly; how stiff it is and how noisy the measurements are, left-out ones decide.

    Parameters
    ----------
    places, values : (N, 2) array_like
        Where displacements were measured, and what they are.
    deviations : (N,) array_like
        Standard deviation of each component of a measurement, as claimed.
    prior : Prior, optional
        How smooth the field is; by default the prior by which left-out measurements are predicted best.
    groups : (N,) array_like of int, optional
        Measurements of one group, such as parts of one tile, are left out together.

    Returns
    -------
    SmoothField

    Notes
    -----
    Weights are Geman and McClure's [1]_ of what each measurement leaves where it is left out itself.

    References
    ----------
    .. [1] S. Geman and D. E. McClure, Statistical methods for tomographic image reconstruction,
       Bulletin of the International Statistical Institute 52, 1987.

    Examples
    --------
    >>> places = np.stack(np.meshgrid(np.arange(0.0, 60, 10), np.arange(0.0, 60, 10)), -1).reshape(-1, 2)
    >>> values = np.sin(places / 20)
    >>> values[7] += 5  # one measurement is wrong
    >>> field = fit_smooth_field(places, values, np.full(36, 0.05))
    >>> bool(field.weights[7] < 0.1), bool(np.abs(field(places[7:8]) - np.sin(places[7:8] / 20)).max() < 0.2)
    (True, True)
    """
    places, values = np.asarray(places, float), np.asarray(values, float)
    deviations = np.asarray(deviations, float)
    weights = np.ones(len(places))
    groups = np.arange(len(places)) if groups is None else np.asarray(groups)
    chosen = prior or _choose_prior(places, values, deviations, weights, groups)
    for k in range(ROUNDS):
        field = SmoothField(places, values, deviations, chosen, weights, groups)
        weights = _trust(field)
        # Outliers make a field look rough: the prior is asked again without them.
        if prior is None and k == 1:
            chosen = _choose_prior(places, values, deviations, weights, groups)
    return replace(field, weights=weights)


def _trust(field: SmoothField) -> FloatArray:
    left = field.left_out
    expected = left.deviations**2 + field.noise**2
    square = (left.residuals**2).sum(1) / np.maximum(2 * expected, 1e-18)
    return np.asarray(1.0 / (1.0 + square / OUTLIER**2) ** 2)


def _choose_prior(
    places: FloatArray,
    values: FloatArray,
    deviations: FloatArray,
    weights: FloatArray,
    groups: NDArray[np.intp],
) -> Prior:
    """Find the prior under which left-out measurements are most likely."""
    chosen: NDArray[np.intp] = np.flatnonzero(weights > 0.1)
    if len(chosen) > MOST_FOR_PRIOR:
        # Whole groups, so that leaving them out leaves as much out as ever.
        names = np.random.default_rng(0).permutation(np.unique(groups[chosen]))
        share = round(len(names) * MOST_FOR_PRIOR / len(chosen))
        chosen = chosen[np.isin(groups[chosen], names[:share])]
    places, values, deviations = places[chosen], values[chosen], deviations[chosen]
    table = group_table(groups[chosen], len(chosen))
    extent = max(float(np.ptp(places, axis=0).max(initial=0.0)), 1e-9)
    typical = float(np.median(deviations)) if len(deviations) else 1.0
    if len(places) < 8:
        return Prior(extent, max(float(np.sqrt((values**2).mean())) if len(values) else 1.0, 1e-9))
    first = _neighbour_distance(places)
    best, prior = -np.inf, Prior(extent, 1.0)
    for length in np.geomspace(first, max(2 * extent, 2 * first), LENGTHS):
        kernel = matern(places, places, float(length))
        for ratio in RATIOS:
            own = np.maximum(ratio * (deviations / typical) ** 2, LEAST_RATIO)
            try:
                inverse = inverted(kernel.copy(), own)
            except np.linalg.LinAlgError:
                continue
            residuals, variances = leave_out(inverse, inverse @ values, table)
            square = (residuals**2).sum(1) / variances / 2
            amplitude2 = _robust_scale(square)
            likelihood = _likelihood(square / amplitude2, amplitude2 * variances)
            if likelihood > best:
                best = likelihood
                amplitude = float(np.sqrt(amplitude2))
                prior = Prior(float(length), amplitude, float(amplitude * np.sqrt(ratio) / typical))
    return prior


def _robust_scale(square: FloatArray) -> float:
    """Find the scale of squared residuals (mean of two components) under a Student t."""
    scale = max(float(np.median(square)) / 0.69, 1e-18)
    for _ in range(8):
        scale = float(np.mean((FREEDOM + 2) / (FREEDOM + 2 * square / scale) * square))
        scale = max(scale, 1e-18)
    return scale


def _likelihood(square: FloatArray, variance: FloatArray) -> float:
    """Return the log likelihood of two-dimensional Student t residuals, up to a constant."""
    return float((-np.log(variance) - (FREEDOM + 2) / 2 * np.log1p(2 * square / FREEDOM)).sum())


def _neighbour_distance(places: FloatArray) -> float:
    from scipy.spatial import cKDTree

    distance = np.asarray(cKDTree(places).query(places, k=2)[0])
    return max(float(np.median(distance[:, 1])), 1e-9)
