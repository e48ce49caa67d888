"""Whether point pairs agree more often than random ones would."""

import math

import numpy as np

from napari_histreg.geometry import FloatArray

__all__ = ["hit_probability", "log_false_alarms"]


def log_false_alarms(agreeing: int, count: int, sample: int, probability: float) -> float:
    """Give the logarithm of how many equally good agreements to expect among random pairs.

    The measure of the a contrario method [1]_: the number of transforms that samples of the pairs can
    propose, times the number of sizes an agreement can have, times the chance of one so large.

    Parameters
    ----------
    agreeing : int
        Pairs that agree, those of the sample among them.
    count : int
        All pairs.
    sample : int
        Pairs that determine the transform.
    probability : float
        Chance that a random pair agrees with a given transform.

    Returns
    -------
    float
        Natural logarithm; above 0, chance explains the agreement.

    References
    ----------
    .. [1] L. Moisan, B. Stival, IJCV 57(3), 2004. doi:10.1023/B:VISI.0000013094.38752.54

    Examples
    --------
    >>> log_false_alarms(4, 100, 2, 0.01) > 0, log_false_alarms(20, 100, 2, 0.01) > 0
    (True, False)
    """
    rest, wanted = count - sample, agreeing - sample
    if probability >= 1 or wanted <= 0:
        return math.inf
    at_least = np.arange(wanted, rest + 1)
    terms = np.array([_log_choose(rest, int(k)) for k in at_least])
    terms += at_least * math.log(probability) + (rest - at_least) * math.log1p(-probability)
    tail = float(terms.max() + np.log(np.exp(terms - terms.max()).sum()))
    return math.log(rest) + _log_choose(count, sample) + tail


def hit_probability(points: FloatArray, tolerance: float) -> float:
    """Return the chance that a random point of the area of `points` (N, 2) lies within the tolerance.

    Examples
    --------
    >>> round(hit_probability(np.array([[0, 0], [100, 100]]), 1), 6)
    0.000314
    """
    sides = np.maximum(np.ptp(points, axis=0), 2 * tolerance)
    return float(math.pi * tolerance**2 / sides.prod())


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
