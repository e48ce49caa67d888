"""What tiles say about the displacement: where, how much, how surely, and at which spacing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.matching.picture import corners
from napari_histreg.progress import Progress, silent
from napari_histreg.registration.automatic.bending.mapping import BentMap
from napari_histreg.registration.automatic.tiles import Side, Window, measure_tiles

__all__ = ["Measurements", "best_of_each_tile", "measure"]

SHARPNESS = 0.5
"""How much of its likelihood a correlation is believed: neighbouring pixels say the same more than once."""

LEAST_DEVIATION_PX = 0.07  # no peak is read better


@dataclass(frozen=True, eq=False)
class Measurements:
    """Displacements measured by tiles.

    Parameters
    ----------
    places : (N, 2) ndarray
        Middle of each tile, fixed world units.
    values : (N, 2) ndarray
        Displacement u there: the tissue is found at ``base(place + u)``.
    deviations : (N,) ndarray
        Standard deviation that the sharpness of the correlation claims, for each component.
    z : (N,) ndarray
        Height of the correlation in standard deviations of chance.
    offsets_px : (N,) ndarray
        How far from where it was expected, in pixels of its level.
    spacings : (N,) ndarray
        World units per pixel of the level.
    sides : (N,) ndarray
        Side of the tile in world units.
    tiles : (N,) ndarray
        Number of the tile; parts of one tile share it.
    """

    places: FloatArray
    values: FloatArray
    deviations: FloatArray
    z: FloatArray
    offsets_px: FloatArray
    spacings: FloatArray
    sides: FloatArray
    tiles: FloatArray

    def __len__(self) -> int:
        return len(self.places)

    @classmethod
    def none(cls) -> "Measurements":
        """Return no measurements at all."""
        pair, single = np.zeros((0, 2)), np.zeros(0)
        return cls(pair, pair, single, single, single, single, single, single)

    @classmethod
    def joined(cls, parts: Sequence["Measurements"]) -> "Measurements":
        """Put measurements together; tiles of different parts stay different."""
        names = cls.__dataclass_fields__
        columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
        counts = np.cumsum([0.0, *(p.tiles.max(initial=-1) + 1 for p in parts)])
        shifted = [p.tiles + first for p, first in zip(parts, counts, strict=False)]
        columns["tiles"] = np.concatenate(shifted)
        return cls(**columns)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Measurements":
        return Measurements(*(getattr(self, n)[chosen] for n in self.__dataclass_fields__))


def measure(
    sides: tuple[Side, Side],
    bent: BentMap,
    places: FloatArray,
    window: Window,
    *,
    progress: Progress = silent,
) -> Measurements:
    """Measure the displacement at some places, the moving slide being seen through what is known of it.

    Parameters
    ----------
    sides : (Side, Side)
        Fixed and moving.
    bent : BentMap
        What is known so far.
    places : (N, 2) ndarray
        Middle of each tile, fixed world units.
    window : Window
        Size, spacing and reach of the tiles.
    progress : Progress, optional
        Told after every few tiles; may raise `Cancelled`.

    Returns
    -------
    Measurements
        None for tiles that hold too little, several for those measured in parts.
    """
    if not len(places):
        return Measurements.none()
    matrices = bent.local_matrices(places, window.side * window.spacing / 4)
    shifts, index = measure_tiles(sides, list(matrices), places, window, progress=progress)
    found = shifts.centres * window.spacing
    # A tile at c looks like the moving slide where the local matrix sends c + shift.
    moved = found + shifts.offsets * window.spacing
    to_moving = np.einsum("nij,nj->ni", matrices[index][:, :2, :2], moved) + matrices[index][:, :2, 2]
    values = corners(to_moving, np.asarray(np.linalg.inv(bent.base), float)) - found
    information = SHARPNESS * np.maximum(shifts.z, 0.1)[:, None, None] * shifts.information
    spread = np.trace(np.linalg.inv(information), axis1=1, axis2=2) / 2
    spread = np.minimum(spread, window.reach**2)
    count = len(found)
    return Measurements(
        found,
        values,
        window.spacing * np.sqrt(LEAST_DEVIATION_PX**2 + spread),
        shifts.z,
        np.linalg.norm(shifts.offsets, axis=1),
        np.full(count, window.spacing),
        np.full(count, window.side * window.spacing),
        index.astype(float),
    )


def best_of_each_tile(found: Sequence[Measurements]) -> Measurements:
    """Join measurements of the same tiles, and keep of each the version whose correlation is higher."""
    versions = np.concatenate([np.full(len(part), k) for k, part in enumerate(found)])
    names = Measurements.__dataclass_fields__
    every = Measurements(*(np.concatenate([getattr(part, n) for part in found]) for n in names))
    keep = np.zeros(len(every), bool)
    for tile in np.unique(every.tiles):
        here = np.flatnonzero(every.tiles == tile)
        own = versions[here]
        best = max(np.unique(own), key=lambda version: every.z[here[own == version]].mean())
        keep[here] = own == best
    return every[keep]
