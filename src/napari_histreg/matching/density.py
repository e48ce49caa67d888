"""Local density: which channel of one picture looks like which of the other, once they lie together."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from napari_histreg.matching.block_correlation import Plane
from napari_histreg.matching.picture import Picture
from napari_histreg.matching.pose_score import PoseScore, score_planes

__all__ = ["DensityPair", "choose_density_pair", "density_planes", "local_density"]


@dataclass(frozen=True)
class DensityPair:
    """Two mixtures of channels that look alike, or like each other's negative.

    Parameters
    ----------
    fixed, moving : tuple of float
        Weight of each channel of the fixed and of the moving picture.
    sign : int
        1 where dense goes with dense, -1 where dense goes with empty.
    score : PoseScore
        How well they agree at the pose where they were chosen.
    """

    fixed: tuple[float, ...]
    moving: tuple[float, ...]
    sign: int
    score: PoseScore


def local_density(plane: Plane, mask: Plane, *, fine_px: float = 1.0, coarse: float = 0.05) -> Plane:
    """Take away a plane's slow changes and bring its local contrast to one.

    Parameters
    ----------
    plane : (Y, X) ndarray of float32
        The signal.
    mask : (Y, X) ndarray of float32
        1 where valid, 0 elsewhere.
    fine_px : float
        Smoothing in pixels.
    coarse : float
        Gaussian of the local mean and contrast, as a share of the longest side.

    Returns
    -------
    (Y, X) ndarray of float32
        Mean about 0, standard deviation about 1; 0 where masked.
    """
    sigma = max(3.0, coarse * max(plane.shape))

    def blur(p: Plane, s: float) -> Plane:
        return np.asarray(cv2.GaussianBlur(p, (0, 0), s, borderType=cv2.BORDER_REFLECT))

    weight = np.maximum(blur(mask, sigma), np.float32(1e-3))
    smooth = blur(plane, fine_px)
    high = np.asarray((smooth - blur(smooth * mask, sigma) / weight) * mask, np.float32)
    contrast = np.sqrt(blur(high * high, sigma) / weight)
    typical = float(np.sqrt((high * high).sum() / max(float(mask.sum()), 1.0)))
    if typical <= 1e-9:
        return np.zeros_like(high)
    return np.asarray(high / (contrast + np.float32(0.3 * typical)))


def mixtures(count: int) -> list[tuple[float, ...]]:
    """List the mixtures of `count` channels that are tried: mean, each alone, first against last."""
    if count == 1:
        return [(1.0,)]
    single = [tuple(float(i == k) for i in range(count)) for k in range(count)]
    ends = tuple(1.0 if i == 0 else -1.0 if i == count - 1 else 0.0 for i in range(count))
    return [tuple(1.0 / count for _ in range(count)), *single, ends]


def density_planes(picture: Picture, weights: Sequence[tuple[float, ...]], mask: Plane) -> list[Plane]:
    """Return the local density of some mixtures of a picture's channels."""
    return [local_density(np.tensordot(np.array(w, np.float32), picture.channels, 1), mask) for w in weights]


def choose_density_pair(fixed: Picture, moving: Picture) -> DensityPair:
    """Find the mixtures of channels that agree best, both pictures lying on one frame.

    Only to be asked once the pose is known: over many wrong poses some pair always agrees by chance.

    Parameters
    ----------
    fixed, moving : Picture
        Sampled on one frame.

    Returns
    -------
    DensityPair

    Examples
    --------
    >>> from napari_histreg.geometry import Frame
    >>> pixels = np.random.default_rng(0).random((1, 64, 64), dtype=np.float32)
    >>> frame = Frame((64, 64), (1.0, 1.0), (0.0, 0.0))
    >>> choose_density_pair(Picture(pixels, frame), Picture(1 - pixels, frame)).sign
    -1
    """
    mask = (fixed.mask & moving.mask).astype(np.float32)
    first, second = mixtures(len(fixed.channels)), mixtures(len(moving.channels))
    f, m = density_planes(fixed, first, mask), density_planes(moving, second, mask)
    pairs = [(i, j) for i in range(len(f)) for j in range(len(m))]

    def agreement(pair: tuple[int, int]) -> float:
        a, b = f[pair[0]], m[pair[1]]
        return abs(float((a * b).sum())) / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-9)

    i, j = max(pairs, key=agreement)
    score = score_planes([f[i]], [m[j]], near=0)
    return DensityPair(first[i], second[j], 1 if score.s >= 0 else -1, score)
