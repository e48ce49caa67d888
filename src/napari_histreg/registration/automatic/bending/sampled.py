"""The displacement written down: samples on a grid, which every way out of the program understands."""

from dataclasses import dataclass

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.registration.automatic.bending.pieces import PiecewiseField
from napari_histreg.transforms import Affine
from napari_histreg.transforms.displacement import DisplacementField

__all__ = ["Written", "write_field"]

MOST_SAMPLES, LEAST_SAMPLES = 192, 32
"""Samples along the longest side: at most a third of a megabyte in a record."""

MOST_SAMPLES_TORN = 320
PER_BAND = 4.0
"""Samples over the band in which one piece passes over into the next."""

PER_LENGTH = 8.0
"""Samples for each length of the prior: the spline through them is then as good as the field itself."""

LEAST_JACOBIAN = 0.2
STIFFER = 2.0
TRIES = 6


@dataclass(frozen=True, eq=False)
class Written:
    """A displacement field with the test that it passed.

    Parameters
    ----------
    field : DisplacementField
        Fixed to moving.
    source : PiecewiseField
        What it was sampled from; stiffer than asked for, where that would have folded.
    min_jacobian : float
        Smallest area ratio anywhere.
    """

    field: DisplacementField
    source: PiecewiseField
    min_jacobian: float


def write_field(
    source: PiecewiseField, base: FloatArray, origin: FloatArray, size: FloatArray
) -> Written | None:
    """Sample a displacement over a rectangle, stiffer where it would fold.

    Parameters
    ----------
    source : PiecewiseField
        The displacement in fixed world units.
    base : (3, 3) ndarray
        The affine matrix that follows.
    origin, size : (2,) ndarray
        Corner, height and width of the rectangle in fixed world units.

    Returns
    -------
    Written or None
        None where every stiffness folds.
    """
    for _ in range(TRIES):
        field = _sampled(source, base, origin, size)
        folding = field.folding()
        if folding.minimum > LEAST_JACOBIAN:
            return Written(field, source, float(folding.minimum))
        source = source.stiffer(STIFFER)
    return None


def _sampled(
    source: PiecewiseField, base: FloatArray, origin: FloatArray, size: FloatArray
) -> DisplacementField:
    longest = float(size.max())
    step, most = min(piece.prior.length for piece in source.pieces) / PER_LENGTH, MOST_SAMPLES
    if len(source.pieces) > 1:
        step, most = min(step, source.band / PER_BAND), MOST_SAMPLES_TORN
    wanted = np.clip(longest / step, LEAST_SAMPLES, most)
    counts = np.maximum(np.ceil(wanted * size / longest).astype(int) + 1, 4)
    rows, columns = (origin[k] + np.linspace(0, size[k], counts[k]) for k in range(2))
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1)
    values = source.carried_on(places.reshape(-1, 2)).reshape(places.shape)
    spacing = size / (counts - 1)
    return DisplacementField(
        values,
        origin=(float(origin[0]), float(origin[1])),
        spacing=(float(spacing[0]), float(spacing[1])),
        base=Affine(base),
    )
