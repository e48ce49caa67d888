"""A displacement of tissue in pieces: smooth within each, and passing over from one to the next."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.carried_on import CarriedOn
from napari_histreg.matching.smooth_field import LeftOut, Prior, SmoothField, fit_smooth_field
from napari_histreg.registration.automatic.bending.measurements import Measurements
from napari_histreg.registration.automatic.bending.tears import Breaks

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

__all__ = ["PiecewiseField", "fit_pieces"]

TRUSTED = 0.15
STEEPEST_SHARE = 4 / 3
"""Steepest slope of a share over the band, times its width."""

STEEPEST = 0.65
"""Slope, at most, with which one displacement passes over into another: no tissue is turned over by it."""


@dataclass(frozen=True, eq=False)
class PiecewiseField:
    """One smooth field for each piece of the tissue; often there is but one.

    Parameters
    ----------
    pieces : tuple of SmoothField
        Largest first.
    jump : float
        How far the pieces are displaced against one another, world units.
    slack : float
        Factor on the width of the band in which one passes over into another.

    Notes
    -----
    Between two pieces the displacement passes over within a band that is wide enough not to fold.
    """

    pieces: tuple[SmoothField, ...]
    jump: float = 0.0
    slack: float = 1.0

    def __call__(self, points: FloatArray) -> FloatArray:
        """Return the displacement at (N, 2) points."""
        return self._blended([piece(points) for piece in self.pieces], points)

    def carried_on(self, points: FloatArray) -> FloatArray:
        """Return the displacement, bounded where nothing was measured."""
        return self._blended([carried(points) for carried in self._carried], points)

    def deviation(self, points: FloatArray) -> FloatArray:
        """Return the standard deviation of each component at (N, 2) points."""
        spreads = np.stack([piece.deviation(points) for piece in self.pieces])
        return np.asarray((self.shares(points) * spreads).sum(0))

    def disagreement(self, points: FloatArray) -> FloatArray:
        """Return how far the pieces that decide at (N, 2) points are displaced against one another, (N,).

        Root of the mean square of each component round what the field says; 0 where one piece decides alone.
        """
        if len(self.pieces) == 1:
            return np.zeros(len(points))
        shares = self.shares(points)
        parts = np.stack([piece(points) for piece in self.pieces])
        apart = ((parts - (shares[..., None] * parts).sum(0)) ** 2).mean(-1)
        return np.asarray(np.sqrt((shares * apart).sum(0)))

    def shares(self, points: FloatArray) -> FloatArray:
        """Return how far each piece decides at (N, 2) points, (pieces, N); they sum up to 1."""
        if len(self.pieces) == 1:
            return np.ones((1, len(points)))
        distances = np.stack([np.asarray(tree.query(points)[0]) for tree in self._trees])
        # How much further than the nearest piece, in widths of the band; 1 and more decides nothing.
        further = (distances - distances.min(0)) / max(self.band, 1e-9)
        weights = np.clip(1.0 - further, 0.0, 1.0)
        weights = weights * weights * (3 - 2 * weights)
        return np.asarray(weights / weights.sum(0))

    def near_pieces(self, points: FloatArray, margin: float) -> NDArray[np.bool_]:
        """Tell which pieces (N, 2) points may belong to, (pieces, N)."""
        if len(self.pieces) == 1:
            return np.ones((1, len(points)), bool)
        distances = np.stack([np.asarray(tree.query(points)[0]) for tree in self._trees])
        return np.asarray(distances <= distances.min(0) + margin + self.band)

    @property
    def band(self) -> float:
        """Difference of the distances to two pieces beyond which the nearer one decides alone."""
        return self.slack * STEEPEST_SHARE * self.jump / STEEPEST

    def stiffer(self, factor: float) -> "PiecewiseField":
        """Return the field through the same measurements, stiffer."""
        pieces = []
        for piece in self.pieces:
            prior = replace(piece.prior, length=piece.prior.length * factor, noise=piece.prior.noise * factor)
            pieces.append(
                fit_smooth_field(
                    piece.places, piece.values, piece.deviations, prior=prior, groups=piece.groups
                )
            )
        return PiecewiseField(tuple(pieces), self.jump, self.slack * factor)

    @property
    def places(self) -> FloatArray:
        """Where it was measured."""
        return np.concatenate([piece.places for piece in self.pieces])

    @property
    def values(self) -> FloatArray:
        """What was measured."""
        return np.concatenate([piece.values for piece in self.pieces])

    @property
    def weights(self) -> FloatArray:
        """Trust in each measurement."""
        return np.concatenate([piece.weights for piece in self.pieces])

    @property
    def tiles(self) -> NDArray[np.intp]:
        """Number of the tile of each measurement; parts of one tile share it."""
        parts = [
            np.arange(len(piece.places)) if piece.groups is None else piece.groups for piece in self.pieces
        ]
        first = np.cumsum([0, *(part.max(initial=-1) + 1 for part in parts)])
        return np.concatenate([part + start for part, start in zip(parts, first, strict=False)])

    @property
    def prior(self) -> Prior:
        """Of the largest piece."""
        return self.pieces[0].prior

    @cached_property
    def left_out(self) -> LeftOut:
        """Leave each measurement out in turn; see `SmoothField`."""
        parts = [piece.left_out for piece in self.pieces]
        return LeftOut(
            np.concatenate([part.residuals for part in parts]),
            np.concatenate([part.deviations for part in parts]),
        )

    @property
    def noise(self) -> FloatArray:
        """Standard deviation of each component of a measurement."""
        return np.concatenate([piece.noise for piece in self.pieces])

    def _blended(self, parts: list[FloatArray], points: FloatArray) -> FloatArray:
        if len(parts) == 1:
            return parts[0]
        return np.asarray((self.shares(points)[..., None] * np.stack(parts)).sum(0))

    @cached_property
    def _trees(self) -> "tuple[cKDTree, ...]":
        from scipy.spatial import cKDTree

        return tuple(cKDTree(piece.places[piece.weights > TRUSTED]) for piece in self.pieces)

    @cached_property
    def _carried(self) -> tuple[CarriedOn, ...]:
        return tuple(CarriedOn(piece) for piece in self.pieces)


def fit_pieces(measured: Measurements, breaks: Breaks) -> tuple[PiecewiseField, NDArray[np.intp]]:
    """Fit each piece of the tissue for itself.

    Parameters
    ----------
    measured : Measurements
        Displacements.
    breaks : Breaks
        Which piece each belongs to.

    Returns
    -------
    field : PiecewiseField
    order : (N,) ndarray of int
        Which measurement each of the field's is.
    """
    from scipy.spatial import cKDTree

    labels = breaks.pieces.copy()
    if (labels < 0).any() and (labels >= 0).any():
        # What belongs to none is judged by the tissue it lies in.
        known = labels >= 0
        labels[~known] = labels[known][cKDTree(measured.places[known]).query(measured.places[~known])[1]]
    members = [np.flatnonzero(labels == k) for k in range(max(breaks.count, 1))]
    fields = tuple(
        fit_smooth_field(m.places, m.values, m.deviations, groups=m.tiles.astype(np.intp))
        for m in (measured[index] for index in members)
    )
    jump = 0.0
    if len(fields) > 1 and len(breaks.middles):
        sides = np.stack([CarriedOn(piece)(breaks.middles) for piece in fields])
        apart = np.linalg.norm(sides[:, None] - sides[None, :], axis=-1).max((0, 1))
        jump = float(np.percentile(apart, 90))
    return PiecewiseField(fields, jump), np.concatenate(members)
