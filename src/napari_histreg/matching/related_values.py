"""How well two pictures go together whose values are related, whatever the relation: CT and MR, two dyes."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, Frame
from napari_histreg.joint_histogram import information
from napari_histreg.matching.picture import Picture

__all__ = ["RelatedValues", "background_level", "ranked", "with_background"]

ROOM = 0.25
"""Background added where a picture ends in it, as a share of its longest side."""
MOSTLY = 0.8
"""Share of a side that is background where the specimen does not go on beyond it."""
BINS = 12
GRADIENT_PX = 2.0
LEAST_OVERLAP = 0.4


def background_level(plane: NDArray[np.float32]) -> float:
    """Return the value below which a plane, bright on dark, shows background.

    A third of Otsu's threshold: between specimen and background, not between its bright and dark parts.
    """
    from skimage.filters import threshold_otsu

    low, high = np.percentile(plane, [1, 99])
    if not high > low:
        return float(low)
    return float(low + 0.35 * (threshold_otsu(np.clip(plane, low, high)) - low))


def with_background(picture: Picture) -> Picture:
    """Lay background around a picture where it ends in background.

    What is not shown can then be compared: a pose cannot win by pushing what does not fit out of the picture.
    Pixels that are masked count as background too: air that a window cut off to black looks like a border.

    Examples
    --------
    >>> plane = np.zeros((1, 40, 40), np.float32)
    >>> plane[0, 10:30, 10:] = 1
    >>> with_background(Picture(plane, Frame((40, 40), (1.0, 1.0), (0.0, 0.0)))).frame
    Frame(shape=(60, 50), spacing=(1.0, 1.0), origin=(-10.0, -10.0))
    """
    low = np.float32(picture.channels[0][picture.mask].min())
    plane = np.where(picture.mask, picture.channels[0], low)
    dark = plane <= background_level(plane)
    room = round(ROOM * max(plane.shape))
    sides = (dark[0], dark[-1], dark[:, 0], dark[:, -1])
    top, bottom, left, right = (room if side.mean() > MOSTLY else 0 for side in sides)
    wide = ((top, bottom), (left, right))
    (sy, sx), (oy, ox) = picture.frame.spacing, picture.frame.origin
    pixels = np.pad(plane, wide, constant_values=low)
    frame = Frame((pixels.shape[0], pixels.shape[1]), (sy, sx), (oy - top * sy, ox - left * sx))
    return Picture(pixels[None], frame)


def ranked(plane: NDArray[np.float32], mask: NDArray[np.bool_], bins: int) -> NDArray[np.float32]:
    """Spread values over `bins` by rank, so that no gain and no window counts; below 1 is background.

    Parameters
    ----------
    plane : (Y, X) ndarray of float32
    mask : (Y, X) ndarray of bool
        Where it is valid.
    bins : int
        The largest value returned is one less.
    """
    level = background_level(plane[mask])
    inside = plane[mask & (plane > level)]
    if inside.size < bins:
        return np.zeros_like(plane)
    edges = np.quantile(inside, np.linspace(0, 1, bins - 1))
    # Equal values share a rank.
    edges = np.maximum.accumulate(edges + np.arange(bins - 1) * 1e-7)
    rank = np.interp(plane, edges, np.linspace(1, bins - 1, bins - 1))
    low = float(plane[mask].min())
    faint = np.clip((plane - low) / max(level - low, 1e-6), 0, 1)
    return np.where(plane > level, rank, faint).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Seen:
    """A picture ready for comparing: ranks for the histogram, and smoothed ranks for directions."""

    picture: Picture

    @classmethod
    def of(cls, picture: Picture) -> "_Seen":
        smooth = cv2.GaussianBlur(picture.channels[0], (0, 0), 0.7)
        ranks = ranked(smooth, picture.mask, BINS)
        plain = ranked(picture.channels[0], picture.mask, BINS) / (BINS - 1)
        soft = cv2.GaussianBlur(plain, (0, 0), GRADIENT_PX)
        return cls(Picture(np.stack([ranks, soft]), picture.frame, picture.mask))


class RelatedValues:
    """Score of poses of two pictures: mutual information times the root of how far gradients go one way.

    The normalised mutual information [1]_ asks whether equal values meet equal ones; the second factor
    whether edges, bright or dark, run the same way where both have some [2]_. The first alone is flat
    where a section is large and plain, the second alone is blind to what lies between edges.

    Parameters
    ----------
    fixed, moving : Picture
        Bright on dark, see `with_background`.
    side : int
        Pixels along the longest side of the fixed one.

    References
    ----------
    .. [1] C. Studholme, D. L. G. Hill, D. J. Hawkes, An overlap invariant entropy measure of 3D medical image
       alignment, Pattern Recognition 32(1), 1999. doi:10.1016/S0031-3203(98)00091-0
    .. [2] J. P. W. Pluim, J. B. A. Maintz, M. A. Viergever, Image registration by maximization of combined
       mutual information and gradient information, IEEE TMI 19(8), 2000. doi:10.1109/42.876307

    Examples
    --------
    >>> y, x = np.mgrid[:64, :64].astype(np.float32)
    >>> plane = np.exp(-((y - 30) ** 2 + (x - 26) ** 2) / 90) + 0.4 * np.exp(-((y - 44) ** 2) / 50)
    >>> picture = Picture(plane[None], Frame((64, 64), (1.0, 1.0), (0.0, 0.0)))
    >>> score = RelatedValues(picture, picture, 64)
    >>> moved = np.eye(3)
    >>> moved[0, 2] = 5
    >>> score(np.eye(3)) > score(moved)
    True
    """

    def __init__(self, fixed: Picture, moving: Picture, side: int) -> None:
        self.spacing = max(fixed.extent / side, fixed.spacing)
        self.fixed = fixed.reduced(self.spacing)
        still = _Seen.of(self.fixed).picture
        self._seen = _Seen.of(moving.reduced(self.spacing)).picture
        self._floor, self._part = _parted(still.channels[0])
        self._gradient = np.stack(np.gradient(still.channels[1]))
        self._steepness = np.hypot(*self._gradient)
        points = np.argwhere(still.channels[0] >= 1)
        if not len(points):
            points = np.argwhere(still.mask)
        world = points * np.array(self.fixed.frame.spacing) + self.fixed.frame.origin
        self.points: FloatArray = world[:: max(1, len(world) // 400)]
        """Points (N, 2) of the specimen in the fixed frame."""

    def __call__(self, fixed_to_moving: FloatArray) -> float:
        """Score a pose, a (3, 3) matrix in world units; 0 where they share too little."""
        seen = self._seen.sampled(self.fixed.frame, fixed_to_moving)
        both = self.fixed.mask & seen.mask
        if both.sum() < LEAST_OVERLAP * self.fixed.mask.sum():
            return 0.0
        gradient = np.stack(np.gradient(seen.channels[1]))
        steepness = np.hypot(*gradient)
        product = np.maximum((self._steepness * steepness) ** 2, 1e-12)
        same_way = (self._gradient * gradient).sum(0) ** 2 / product
        common = (same_way * np.minimum(self._steepness, steepness))[both].sum()
        least = max(min(float(self._steepness.sum()), float(steepness.sum())), 1e-9)
        return float(self._information(seen.channels[0], both) * np.sqrt(common / least))

    def _information(self, ranks: NDArray[np.float32], both: NDArray[np.bool_]) -> float:
        floor, part = _parted(ranks[both])
        first, first_part = self._floor[both], self._part[both]
        counts = np.zeros(BINS * BINS)
        # Each pixel counts for the two bins on either side of its rank: small moves then change the score.
        for a, weight_a in ((0, 1 - first_part), (1, first_part)):
            for b, weight_b in ((0, 1 - part), (1, part)):
                place = (first + a) * BINS + floor + b
                counts += np.bincount(place, weight_a * weight_b, BINS * BINS)
        return float(information(counts.reshape(BINS, BINS, 1))[0])

    def apart(self, first: FloatArray, second: FloatArray) -> float:
        """Return how far apart two poses put the specimen, on the average, in moving world units."""
        change = np.asarray(first) - np.asarray(second)
        return float(np.linalg.norm(self.points @ change[:2, :2].T + change[:2, 2], axis=1).mean())


def _parted(ranks: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    floor = np.clip(np.floor(ranks), 0, BINS - 2).astype(np.intp)
    return floor, (ranks - floor).astype(np.float32)
