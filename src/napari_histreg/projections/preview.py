"""Slices for looking: filtered back-projection by scikit-image."""

from dataclasses import dataclass

import numpy as np

from napari_histreg.progress import Progress, silent
from napari_histreg.projections.alignment import ProjectionAlignment
from napari_histreg.projections.arrays import Floats
from napari_histreg.projections.filtering import moved
from napari_histreg.projections.projector import angular_weights
from napari_histreg.projections.series import ProjectionSeries

__all__ = ["Slices", "reconstructed", "row_of", "sinogram"]

SPLINE_MARGIN = 8


@dataclass(frozen=True, eq=False)
class Slices:
    """A few rows before and after, for looking.

    Parameters
    ----------
    rows : tuple of int
        Which.
    before, after : (S, A, X) ndarray of float32
        Their sinograms, views in use only.
    slices_before, slices_after : (S, X, X) ndarray of float32
        Reconstructed from them.
    """

    rows: tuple[int, ...]
    before: Floats
    after: Floats
    slices_before: Floats
    slices_after: Floats


def row_of(found: ProjectionAlignment, frame: Floats, view: int, row: int, *, aligned: bool = True) -> Floats:
    """Take one row of a frame, moved to its place or as it is.

    Parameters
    ----------
    found : ProjectionAlignment
        The shifts.
    frame : (Y, X) ndarray
        Line integrals of the view.
    view : int
        Its number.
    row : int
        Of the aligned frame.
    aligned : bool
        Move it.

    Returns
    -------
    (X,) ndarray
    """
    if not aligned:
        return np.asarray(frame[row])
    if found.tilt_deg:
        return np.asarray(found.aligned(frame, view)[row])
    # Only rows that a cubic spline looks at are moved.
    y, x = found.shifts_px[view]
    rows = frame.shape[0]
    centre = int(np.clip(round(row + y), 0, rows - 1))
    low, high = max(0, centre - SPLINE_MARGIN), min(rows, centre + SPLINE_MARGIN + 1)
    part = frame[low:high]
    place = float(np.clip(row + y, 0, rows - 1)) - low
    at = min(int(place), len(part) - 1)
    return np.asarray(moved(part, np.array([place - at, x]))[at])


def sinogram(
    series: ProjectionSeries,
    found: ProjectionAlignment,
    row: int,
    *,
    aligned: bool = True,
    progress: Progress = silent,
) -> Floats:
    """Read one row of all views in use.

    Parameters
    ----------
    series : ProjectionSeries
        The frames; read one at a time.
    found : ProjectionAlignment
        The shifts.
    row : int
        0 to Y - 1.
    aligned : bool
        Moved to its place, or as it was taken.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    (A, X) ndarray of float32
        Views in use only, in the order of the series.
    """
    lines = []
    for view in np.flatnonzero(found.used).tolist():
        progress(view / series.shape[0], "reading")
        frame = series.line_integrals(view).pixels
        lines.append(row_of(found, frame, view, row, aligned=aligned))
    return np.asarray(lines, np.float32)


def reconstructed(lines: Floats, angles_deg: Floats, axis_px: float) -> Floats:
    """Reconstruct a slice from its sinogram.

    Parameters
    ----------
    lines : (A, X) ndarray
        Line integrals.
    angles_deg : (A,) ndarray
        The views.
    axis_px : float
        Column of the rotation axis.

    Returns
    -------
    (X, X) ndarray of float32
        0 outside the circle that all views see.

    Examples
    --------
    >>> lines = np.zeros((36, 21), np.float32)
    >>> lines[:, 10] = 1
    >>> slice_ = reconstructed(lines, np.arange(0, 180, 5.0), 10.0)
    >>> tuple(int(k) for k in np.unravel_index(slice_.argmax(), slice_.shape))
    (10, 10)
    """
    from skimage.transform import iradon

    width = lines.shape[1]
    columns = np.arange(width)
    # iradon turns about the middle column and takes all views for equally far apart.
    placed = np.stack([np.interp(columns + axis_px - width // 2, columns, line) for line in lines])
    weights = angular_weights(np.radians(angles_deg)) * len(lines) / np.pi
    slice_ = iradon((placed * weights[:, None]).T, theta=angles_deg, filter_name="hann", circle=True)
    return np.asarray(slice_, np.float32)
