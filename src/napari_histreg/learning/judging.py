"""Which of several alignments do blocks prefer? Asked of any transform, whatever found it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray, grid_points
from napari_histreg.matching.bending import LEAST_CERTAINTY, LEAST_GAIN
from napari_histreg.matching.block_correlation import correlate_blocks
from napari_histreg.matching.description import learn_description
from napari_histreg.matching.picture import Picture, overlap_frame
from napari_histreg.matching.refined_bend import INDEPENDENT
from napari_histreg.transforms import Affine, Transform

__all__ = ["Preference", "prefer"]

SIDE, BLOCK = 512, 56


@dataclass(frozen=True)
class Preference:
    """How much better than the affine map an alignment is, by blocks.

    Parameters
    ----------
    gain : float
        By which share the agreement of blocks rises.
    certainty : float
        The gain in standard errors.
    """

    gain: float
    certainty: float

    @property
    def is_confirmed(self) -> bool:
        """Whether it rises by more than staining does to a section, and not in a few blocks only."""
        return self.gain >= LEAST_GAIN and self.certainty >= LEAST_CERTAINTY


def prefer(
    fixed: Picture, moving: Picture, affine: FloatArray, bent: Mapping[str, Transform]
) -> dict[str, Preference]:
    """Compare bent alignments with the affine one at the same blocks.

    Parameters
    ----------
    fixed, moving : Picture
        Overviews of both slides.
    affine : (3, 3) ndarray
        Fixed to moving in world units, (y, x, 1).
    bent : mapping of str to Transform
        Fixed to moving.

    Returns
    -------
    dict of str to Preference
        Nothing where the overlap is too small to tell.
    """
    frame = overlap_frame(fixed, moving, affine, SIDE)
    if frame is None or min(frame.shape) < BLOCK:
        return {}
    describe = learn_description(fixed, moving, affine)
    rows, columns = (frame.origin[k] + frame.spacing[k] * np.arange(frame.shape[k]) for k in range(2))
    points = grid_points(rows, columns).reshape(-1, 2)
    still = fixed.sampled(frame, np.eye(3))
    scores = {}
    used: NDArray[np.bool_] = np.ones((), bool)
    for name, transform in {"": Affine(affine), **bent}.items():
        seen = moving.seen_at(frame, transform(points).reshape(*frame.shape, 2))
        maps = correlate_blocks(*describe(still, seen), block=BLOCK, reach=1)
        scores[name] = maps.s[..., 1, 1] / np.sqrt(np.maximum(maps.v[..., 1, 1], 1e-12))
        used = used & maps.used
    base = scores.pop("")[used]
    if not len(base):
        return {}
    return {
        name: _preference(score[used].astype(float), base.astype(float)) for name, score in scores.items()
    }


def _preference(score: FloatArray, base: FloatArray) -> Preference:
    gains = score - base
    error = float(gains.std() / np.sqrt(len(gains) / INDEPENDENT))
    return Preference(
        float(gains.mean() / max(float(base.mean()), 1e-9)), float(gains.mean() / max(error, 1e-9))
    )
