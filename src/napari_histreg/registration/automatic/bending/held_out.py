"""Tiles that took no part: is the bent alignment better than the best affine one?"""

from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import corners
from napari_histreg.registration.automatic.bending.measurements import Measurements
from napari_histreg.registration.automatic.bending.pieces import PiecewiseField

__all__ = ["Trial", "best_affine", "try_on"]

LEAST_TILES = 8
LEAST_GAIN = 0.2
"""By which share bending must reduce what is typically left at tiles that took no part."""

LEAST_CERTAINTY = 2.0
"""By how many standard deviations more tiles must come closer than would by tossing coins."""

LEAST_BEND_PX = 0.25
"""What the best affine map must leave, in pixels of the finest level; less is no bend worth having."""

NEAR_PX = 2.0
LEAST_NEAR = 0.3


@dataclass(frozen=True)
class Trial:
    """What tiles that took no part say of a bend.

    Parameters
    ----------
    tiles : int
        How many were asked.
    near : int
        How many lie within two pixels of where the bend puts them.
    bent, affine : float
        Median distance from where the bend and the best affine map put them, fixed world units.
    certainty : float
        By how many standard deviations more of them came closer than by chance.
    pixel : float
        Finest spacing that was measured at.
    """

    tiles: int
    near: int
    bent: float
    affine: float
    certainty: float
    pixel: float

    @property
    def is_confirmed(self) -> bool:
        """Whether the bend is better than the best affine map."""
        return (
            self.tiles >= LEAST_TILES
            and self.near >= LEAST_NEAR * self.tiles
            and self.affine > LEAST_BEND_PX * self.pixel
            and self.bent < (1 - LEAST_GAIN) * self.affine
            and self.certainty >= LEAST_CERTAINTY
        )


def try_on(held: Measurements, field: PiecewiseField) -> Trial:
    """Ask tiles that took no part in a field how far it and the best affine map are off there.

    Parameters
    ----------
    held : Measurements
        What the tiles say.
    field : PiecewiseField
        The displacement, which has not seen them.

    Returns
    -------
    Trial
    """
    count = len(held)
    if not count:
        return Trial(0, 0, 0.0, 0.0, 0.0, 0.0)
    bent = np.linalg.norm(held.values - field(held.places), axis=1)
    straight = corners(held.places, best_affine(field)) - held.places
    affine = np.linalg.norm(held.values - straight, axis=1)
    closer = int((bent < affine).sum())
    return Trial(
        count,
        int((bent <= NEAR_PX * held.spacings).sum()),
        float(np.median(bent)),
        float(np.median(affine)),
        float((closer - count / 2) / (np.sqrt(count) / 2)),
        float(held.spacings.max()),
    )


def best_affine(field: PiecewiseField) -> FloatArray:
    """Return the affine map that comes closest to the measurements of a field.

    Returns
    -------
    (3, 3) ndarray
        From fixed world points to displaced ones, (y, x, 1).
    """
    design = np.c_[field.places, np.ones(len(field.places))]
    root = np.sqrt(field.weights)[:, None]
    solution = np.linalg.lstsq(design * root, (field.places + field.values) * root, rcond=None)[0]
    out = np.eye(3)
    out[:2] = solution.T
    return out
