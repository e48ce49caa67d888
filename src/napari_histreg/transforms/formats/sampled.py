"""Transforms of any kind as displacements on a grid, dense enough for linear interpolation."""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import UnsupportedDialect
from napari_histreg.geometry import FloatArray
from napari_histreg.progress import Progress, silent
from napari_histreg.transforms.formats.frames import SlideFrame
from napari_histreg.transforms.transform import Transform

__all__ = ["SampledField", "sample_field"]

log = logging.getLogger(__name__)

# Linear interpolation between samples may differ from the transform by this share of a fixed pixel.
BOUND_PX = 0.02
# Where so many samples on a side do not suffice, up to this is written with a warning.
LIMIT_PX = 0.5
FIRST, MOST = 33, 1025


@dataclass(frozen=True, eq=False)
class SampledField:
    """Displacements on a grid of the fixed frame.

    Parameters
    ----------
    values : (Y, X, 2) ndarray of float64
        Displacements (y, x) in world units.
    origin, spacing : (2,) ndarray of float64
        World coordinates (y, x) of sample (0, 0), and distance of neighbouring samples.
    error : float
        Largest difference between linear interpolation and the transform in the middle of edges and
        cells, in world units.
    """

    values: FloatArray
    origin: FloatArray
    spacing: FloatArray
    error: float


def sample_field(
    fixed_to_moving: Transform, fixed: SlideFrame | None, progress: Progress = silent
) -> SampledField:
    """Sample a transform over the fixed slide until linear interpolation follows it.

    Parameters
    ----------
    fixed_to_moving : Transform
        In world units.
    fixed : SlideFrame
        Its shape and pixel size say where to sample.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    SampledField
        Within 0.02 px of the transform, or as near as 1025 samples on the longer side come; that is said in
        the log.

    Raises
    ------
    UnsupportedDialect
        The shape of the fixed slide is unknown, or the transform bends too finely to come within half a
        pixel.
    """
    if fixed is None or fixed.shape is None:
        raise UnsupportedDialect(
            f"A {fixed_to_moving.kind} transform is written here as displacements over the fixed slide, "
            "whose size is needed. Pass fixed=SlideFrame(pixel_size_um=…, shape=…)."
        )
    size = np.array(fixed.world_pixel_size)
    extent = np.maximum(np.array(fixed.shape) - 1, 1) * size
    count = FIRST
    while True:
        # One step beyond the slide on each side, so that its outermost pixels lie within the grid. Twice
        # as dense as what is kept: the samples between tell the error.
        steps = np.maximum(np.round((count - 1) * extent / extent.max()).astype(int), 1)
        spacing = extent / steps
        dense = _displacements(fixed_to_moving, -spacing, spacing / 2, 2 * steps + 5, progress)
        kept = dense[::2, ::2]
        error = float(np.linalg.norm(_interpolated(kept) - dense, axis=-1).max())
        if error <= BOUND_PX * size.min() or 2 * count - 1 > MOST:
            break
        count = 2 * count - 1
    error_px = error / size.min()
    said = f"A {fixed_to_moving.kind} transform sampled at {kept.shape[0]} x {kept.shape[1]} places: "
    said += f"within {error_px:.2g} px."
    if error_px > LIMIT_PX:
        raise UnsupportedDialect(f"{said} It bends too finely for a displacement field; keep it as JSON.")
    log.log(logging.INFO if error_px <= BOUND_PX else logging.WARNING, "%s", said)
    return SampledField(kept, -spacing, spacing, error)


def _displacements(
    transform: Transform,
    origin: FloatArray,
    spacing: FloatArray,
    shape: NDArray[np.intp],
    progress: Progress,
) -> FloatArray:
    rows, columns = (origin[k] + spacing[k] * np.arange(shape[k]) for k in range(2))
    out = np.empty((len(rows), len(columns), 2))
    for k, y in enumerate(rows):
        progress(k / len(rows), f"sampling the transform at {shape[0]} x {shape[1]} places")
        points = np.stack([np.full(len(columns), y), columns], 1)
        out[k] = transform(points) - points
    return out


def _interpolated(values: FloatArray) -> FloatArray:
    """Return linear interpolation at twice the density."""
    rows = np.empty((2 * values.shape[0] - 1, *values.shape[1:]))
    rows[::2], rows[1::2] = values, (values[1:] + values[:-1]) / 2
    out = np.empty((rows.shape[0], 2 * rows.shape[1] - 1, 2))
    out[:, ::2], out[:, 1::2] = rows, (rows[:, 1:] + rows[:, :-1]) / 2
    return out
