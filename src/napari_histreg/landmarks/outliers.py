"""Pairs that contradict the others, and what may have happened to them."""

from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.transforms import MINIMUM_PAIRS
from napari_histreg.transforms.minimal import minimal_matrices

__all__ = ["Outlier", "find_outliers", "looks_mirrored"]

MAX_SAMPLES = 600
# The mirror image must fit this much better before the tissue counts as turned over.
MIRROR_FACTOR = 3.0
# Residuals this many robust standard deviations out belong to another spot (Rousseeuw uses 2.5; a
# landmark is worth a second look only when it is clearly wrong).
CUT = 4.0
# Chance that any of the pairs is called wrong although all are right.
FALSE_ALARM = 0.01
# Below this share of the extent of the points nothing is a mistake but the rounding of a file.
ROUNDING = 1e-4


@dataclass(frozen=True)
class Outlier:
    """A pair that contradicts the others.

    Parameters
    ----------
    index : int
        Its place among the landmarks.
    name : str
    factor : float
        How many times farther off than usual it lies.
    reason : str
        In words, for people.
    swapped_with : int or None
        Place of the pair whose moving point would fit this one, and the other way round.
    """

    index: int
    name: str
    factor: float
    reason: str
    swapped_with: int | None = None

    def renamed(self, names: tuple[str, ...]) -> "Outlier":
        """Return the same for pairs that are called otherwise; `names` are those of all pairs."""
        partner = None if self.swapped_with is None else names[self.swapped_with]
        return replace(self, name=names[self.index], reason=_reason(self.factor, partner))


def find_outliers(
    fixed: FloatArray, moving: FloatArray, names: tuple[str, ...], *, mirrored: bool
) -> tuple[Outlier, ...]:
    """Find the pairs that contradict the others.

    First those that contradict the majority by least median of squares [1]_, which bears many mistakes and
    needs large ones; then, one after the other, those that lie farther from where the rest predicts them
    than the rest's own scatter explains (deletion residuals, [2]_), which sees a single mistake among few
    pairs. A similarity is the common ground of up to six pairs, an affine transform that of more.

    Parameters
    ----------
    fixed, moving : (N, 2) ndarray of float64
        Placed pairs, (y, x) in world units; none are found among fewer than 4.
    names : tuple of str
    mirrored : bool
        Whether the tissue is turned over.

    Returns
    -------
    tuple of Outlier
        The worst first; never half of the pairs or more.

    References
    ----------
    .. [1] P. J. Rousseeuw, JASA 79(388), 1984. doi:10.1080/01621459.1984.10477105
    .. [2] R. D. Cook and S. Weisberg, Residuals and Influence in Regression, Chapman and Hall, 1982,
       chapter 2. ISBN 0-412-24280-0
    """
    count = len(fixed)
    model = "affine" if count >= 7 else "similarity"
    common = _majority(model, fixed, moving, mirrored) if count >= 4 else None
    if common is None:
        return ()
    seen, usual = common
    distance = np.linalg.norm(seen - fixed, axis=1)
    extent = float(np.ptp(fixed, axis=0).max())
    limit = max(CUT * usual, ROUNDING * extent)
    kept = distance <= limit
    most = (count - 1) // 2
    if (~kept).sum() > most:
        return ()
    seen, usual = _without_strays(
        _design(model, moving, mirrored), fixed, kept, most=most, rounding=ROUNDING * extent
    )
    distance = np.linalg.norm(seen - fixed, axis=1)
    wrong = np.flatnonzero(~kept)
    found = []
    for k in map(int, wrong[np.argsort(-distance[wrong])]):
        partner = _partner(k, wrong, seen, fixed, limit)
        factor = float(distance[k] / max(usual, ROUNDING * extent / CUT))
        reason = _reason(factor, None if partner is None else names[partner])
        found.append(Outlier(k, names[k], factor, reason, partner))
    return tuple(found)


def _reason(factor: float, partner: str | None) -> str:
    if partner is not None:
        return f'Its moving point seems to be swapped with that of "{partner}".'
    return f"It lies {factor:.0f} times farther off than the others."


def looks_mirrored(fixed: FloatArray, moving: FloatArray) -> bool:
    """Tell whether the majority of pairs fits a mirrored similarity clearly better than a plain one.

    Parameters
    ----------
    fixed, moving : (N, 2) ndarray of float64
        Placed pairs, (y, x) in world units; fewer than 3 cannot tell.
    """
    if len(fixed) < 3:
        return False
    plain, mirrored = (_majority("similarity", fixed, moving, flip) for flip in (False, True))
    if plain is None or mirrored is None:
        return False
    return mirrored[1] * MIRROR_FACTOR < plain[1]


def _design(model: str, moving: FloatArray, mirrored: bool) -> FloatArray:
    """Return (N, 2, P): what each parameter of a model adds to a fixed point, given its moving point.

    Moving points count from their middle and in their extent: a cluster far from the corner of a large slide
    would cost the normal equations all their digits.
    """
    middle, extent = moving.mean(axis=0), float(np.ptp(moving, axis=0).max())
    y, x = ((moving - middle) / max(extent, 1e-12)).T
    one, nought = np.ones_like(y), np.zeros_like(y)
    if model == "affine":
        rows = [[y, x, one, nought, nought, nought], [nought, nought, nought, y, x, one]]
    else:
        x = -x if mirrored else x
        rows = [[y, -x, one, nought], [x, y, nought, one]]
    return np.moveaxis(np.array(rows), -1, 0)


def _without_strays(
    design: FloatArray, fixed: FloatArray, kept: NDArray[np.bool_], *, most: int, rounding: float
) -> tuple[FloatArray, float]:
    """Take strays out of `kept` (in place); return where the rest puts all moving points, and its scatter.

    The scatter is the standard deviation of one coordinate.
    """
    while True:
        a, b = design[kept], fixed[kept]
        inverse = np.linalg.pinv(np.einsum("nip,niq->pq", a, a))
        solution = inverse @ np.einsum("nip,ni->p", a, b)
        seen = design @ solution
        free = 2 * len(a) - design.shape[2]
        residuals = b - seen[kept]
        squares = float((residuals**2).sum())
        usual = float(np.sqrt(squares / max(free, 1)))
        if free <= 2 or (~kept).sum() >= most:
            return seen, usual
        own = np.eye(2) - np.einsum("nip,pq,njq->nij", a, inverse, a)
        predicted = np.einsum("nij,nj->ni", np.linalg.pinv(own), residuals)
        explained = np.einsum("ni,ni->n", residuals, predicted)
        rest = np.maximum((squares - explained) / (free - 2), (rounding / CUT) ** 2)
        ratio = explained / 2 / rest
        # The upper tail of F with 2 and `free - 2` degrees of freedom, in closed form.
        chance = (1 + 2 * ratio / (free - 2)) ** (-(free - 2) / 2)
        worst = int(chance.argmin())
        if chance[worst] * len(a) > FALSE_ALARM or np.linalg.norm(predicted[worst]) <= rounding:
            return seen, usual
        kept[np.flatnonzero(kept)[worst]] = False


def _partner(
    k: int, wrong: NDArray[np.intp], seen: FloatArray, fixed: FloatArray, limit: float
) -> int | None:
    """Return the other outlier with which the moving points fit once exchanged."""
    for j in map(int, wrong):
        if j != k and max(np.linalg.norm(seen[j] - fixed[k]), np.linalg.norm(seen[k] - fixed[j])) <= limit:
            return j
    return None


def _majority(
    model: str, fixed: FloatArray, moving: FloatArray, mirrored: bool
) -> tuple[FloatArray, float] | None:
    """Return moving points as the least median of squares sees them, and its standard deviation."""
    count, size = len(fixed), MINIMUM_PAIRS[model]
    # The rank that makes the estimate withstand the most wrong pairs; with three pairs, all of them.
    rank = min(max((count + size + 1) // 2, size + 1), count) - 1
    turned = moving * [1, -1] if mirrored and model == "similarity" else moving
    picks = _samples(count, size)
    matrices = minimal_matrices(model, turned[picks], fixed[picks], False)
    if not len(matrices):
        return None
    seen = np.einsum("bij,nj->bni", matrices[:, :2, :2], turned) + matrices[:, None, :2, 2]
    squared = ((seen - fixed) ** 2).sum(-1)
    medians = np.partition(squared, rank, axis=1)[:, rank]
    best = int(medians.argmin())
    # Consistent for normal errors, with Rousseeuw's correction for few points.
    return seen[best], 1.4826 * (1 + 5 / (count - size)) * float(np.sqrt(medians[best]))


def _samples(count: int, size: int) -> NDArray[np.intp]:
    """Return all ways (B, size) to choose `size` of `count`, or a fixed random selection of them."""
    if comb(count, size) <= MAX_SAMPLES:
        return np.array(list(combinations(range(count), size)), np.intp)
    rng = np.random.default_rng(0)
    return np.asarray(rng.random((MAX_SAMPLES, count)).argpartition(size - 1, axis=1)[:, :size])
