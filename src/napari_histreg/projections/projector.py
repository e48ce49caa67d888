"""Parallel rays through a slab of slices: back-projection, and projection as its exact transpose.

Only what the alignment needs; volumes for looking are made by scikit-image (`preview`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from napari_histreg.projections.arrays import Floats, Mask

__all__ = ["Projector", "angular_weights"]

LARGEST_GAP = 2.0
RIM_PX = 1


@dataclass(frozen=True, eq=False)
class Projector:
    """Rays of a set of views through a square grid of voxels.

    Parameters
    ----------
    angles_rad : (A,) ndarray
        The views.
    width : int
        Columns of the detector; the grid has as many voxels a side.
    axis : float
        Column of the rotation axis.

    Notes
    -----
    A voxel at column X and row Y of the grid, from its middle, falls on the detector at
    ``axis + X cos - Y sin``, as in scikit-image's ``radon``, and is shared between the two columns beside.
    """

    angles_rad: Floats
    width: int
    axis: float

    @cached_property
    def _voxels(self) -> tuple[Floats, Floats]:
        """Column and row of each voxel in the circle that every view sees."""
        middle = (self.width - 1) / 2
        y, x = np.mgrid[: self.width, : self.width] - middle
        seen = np.hypot(y, x) <= middle + abs(self.axis - middle) - RIM_PX
        return x[seen], y[seen]

    @cached_property
    def count(self) -> int:
        """How many voxels a slice has."""
        return len(self._voxels[0])

    def rays(self, view: int) -> Any:
        """Return one view as a sparse matrix.

        Parameters
        ----------
        view : int
            Its number.

        Returns
        -------
        (X, V) csc_array of float32
            Multiplied by a volume (V, rows), gives a frame (X, rows).
        """
        from scipy import sparse

        x, y = self._voxels
        angle = self.angles_rad[view]
        place = self.axis + x * np.cos(angle) - y * np.sin(angle)
        left = np.floor(place)
        share = (place - left).astype(np.float32)
        columns = np.stack([left, left + 1], 1).astype(np.int32)
        values = np.stack([1 - share, share], 1)
        values[(columns < 0) | (columns >= self.width)] = 0
        np.clip(columns, 0, self.width - 1, out=columns)
        ends = np.arange(0, 2 * len(x) + 1, 2, dtype=np.int32)
        shape = (self.width, len(x))
        return sparse.csc_array((values.ravel(), columns.ravel(), ends), shape=shape)

    def picture(self, volume: Floats, row: int) -> Floats:
        """Return one slice of a volume as a picture (X, X), 0 outside the circle."""
        middle = (self.width - 1) / 2
        x, y = self._voxels
        out = np.zeros((self.width, self.width), np.float32)
        out[(y + middle).astype(int), (x + middle).astype(int)] = volume[:, row]
        return out


def angular_weights(angles_rad: Floats, used: Mask | None = None) -> Floats:
    """Return the share of the half circle, in radians, that each view stands for.

    Parameters
    ----------
    angles_rad : (A,) ndarray
        The views; one at 180 degrees more sees the same, mirrored.
    used : (A,) ndarray of bool, optional
        Views that count; the others get 0.

    Returns
    -------
    (A,) ndarray
        Half the gaps to both neighbours. A gap that is twice the usual one or more is a missing range: no
        view stands for it.

    Examples
    --------
    >>> angular_weights(np.radians([0, 45, 90, 135])).round(3).tolist()
    [0.785, 0.785, 0.785, 0.785]
    """
    keep = np.ones(len(angles_rad), bool) if used is None else np.asarray(used, bool)
    out = np.zeros(len(angles_rad))
    if not keep.any():
        return out
    folded = np.mod(angles_rad[keep], np.pi)
    order = np.argsort(folded)
    gaps = np.diff(np.append(folded[order], folded[order[0]] + np.pi))
    gaps = np.minimum(gaps, LARGEST_GAP * max(float(np.median(gaps)), 1e-9))
    weights = np.empty(len(folded))
    weights[order] = 0.5 * (gaps + np.roll(gaps, 1))
    out[keep] = weights
    return out
