"""bend_volumes: what an affine map leaves of two volumes' differences, taken up by a smooth bend."""

from dataclasses import replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import NotConverged
from napari_histreg.methods.elastix.volumes import VolumeBending, bend_by_elastix, require_elastix
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.volumes.bend import VolumeBend
from napari_histreg.volumes.bend_verdict import bend_cells, judge_bend
from napari_histreg.volumes.body import body_of, rim
from napari_histreg.volumes.left_out import seen_through
from napari_histreg.volumes.registering import VolumeRegistration
from napari_histreg.volumes.search import SIZES_MM, head_scale

__all__ = ["bend_volumes", "check_bending"]

HEAD_SPACING_MM = 30.0
LEAST_VOXELS = 3.0
LEAST_OVERLAP = 0.85
"""Dice of the bodies; below it one of the outlines is not the body's, and the bend would follow it."""


def bend_volumes(
    result: VolumeRegistration,
    *,
    grid_spacing_mm: float | None = None,
    bending: float = 0.1,
    iterations: int = 100,
    seed: int = 0,
    progress: Progress = silent,
) -> VolumeRegistration:
    """Bend what was aligned, where that is confirmed by parts of the volume that took no part.

    A B-spline climbs by mutual information, coarse to fine, once by all of the body and once by either half
    of a chessboard of cells. The bend is kept if cells of the other half agree clearly better through such a
    bend than without, and if nothing folds; the reasons tell.

    Parameters
    ----------
    result : VolumeRegistration
        Accepted; any other is returned as it is, with a reason.
    grid_spacing_mm : float, optional
        Distance of the nodes; wider is stiffer. By default 30 mm for a head, and more or less as the body is
        larger or smaller.
    bending : float
        Weight of the bending energy; larger is stiffer.
    iterations : int
        Steps per level.
    seed : int
        Of the samples.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`, which ends elastix.

    Returns
    -------
    VolumeRegistration
        With `bend` where it was kept, and a further reason.

    Raises
    ------
    ValueError
        A parameter is out of bounds.
    MissingDependency
        elastix is not installed.
    RegistrationError
        Its process died or hung.

    Examples
    --------
    >>> from napari_histreg.volumes.registering import register_volumes
    >>> result = register_volumes("mr.nii.gz", "ct/", freedom="affine")  # doctest: +SKIP
    >>> bent = bend_volumes(result, grid_spacing_mm=25)  # doctest: +SKIP
    >>> bent.bend.smallest_jacobian  # doctest: +SKIP
    0.71
    """
    start = perf_counter()
    scale = head_scale(result.fixed)
    size = max(SIZES_MM[2] * scale, min(*result.fixed.spacing_mm, *result.moving.spacing_mm))
    spacing = HEAD_SPACING_MM * scale if grid_spacing_mm is None else grid_spacing_mm
    how = VolumeBending(spacing, bending=bending, iterations=iterations, seed=seed)
    if spacing < LEAST_VOXELS * size:
        raise ValueError(
            f"grid_spacing_mm={spacing:g} is too narrow for {result.fixed.name}, which is looked at by cubes "
            f"of {size:.3g} mm. Give at least {LEAST_VOXELS * size:.3g}."
        )
    pose = result.fixed_to_moving
    if pose is None or result.verdict.word != "accepted":
        return _with(result, None, "Not bent: only an accepted alignment is.", {})
    fixed, moving = body_of(result.fixed, size), body_of(result.moving, size)
    seen = seen_through(moving, pose, fixed)
    shown = np.nan_to_num(seen) > 0
    overlap = 2 * float((shown & fixed.mask).sum()) / max(int(shown.sum() + fixed.mask.sum()), 1)
    if overlap < LEAST_OVERLAP:
        reason = f"Not bent: the outlines found of the two bodies overlap too little (Dice {overlap:.2f})."
        return _with(result, None, reason, {})
    look, cells = rim(fixed), bend_cells(fixed, spacing)

    def fitted(mask: NDArray[np.bool_], first: float, last: float) -> VolumeBend:
        return bend_by_elastix(
            fixed.values, seen, mask, fixed.index_to_patient, how, progress=portion(progress, first, last)
        )

    try:
        bend = fitted(look, 0.0, 0.32)
        halves = fitted(look & (cells % 2 == 0), 0.32, 0.63), fitted(look & (cells % 2 == 1), 0.63, 0.95)
    except NotConverged as error:
        return _with(result, None, f"Not bent: {error}", {})
    gain = judge_bend(fixed, moving, pose, bend, halves, cells)
    progress(1.0, "bent" if gain.kept else "not bent")
    measures = {
        "smallest_jacobian": gain.smallest_jacobian,
        "left_out_gain": gain.gain,
        "left_out_gain_error": gain.standard_error,
        "left_out_cells": float(gain.cells),
    }
    bent = _with(result, bend if gain.kept else None, gain.reason, measures)
    return replace(bent, seconds=result.seconds + perf_counter() - start)


def check_bending(
    *, grid_spacing_mm: float = HEAD_SPACING_MM, bending: float = 0.1, iterations: int = 100
) -> None:
    """Check before an alignment begins what `bend_volumes` will be asked for.

    Raises
    ------
    ValueError
        A parameter is out of bounds.
    MissingDependency
        elastix is not installed.
    """
    VolumeBending(grid_spacing_mm, bending=bending, iterations=iterations)
    require_elastix()


def _with(
    result: VolumeRegistration, bend: VolumeBend | None, reason: str, measures: dict[str, float]
) -> VolumeRegistration:
    verdict = replace(
        result.verdict,
        reasons=(*result.verdict.reasons, reason),
        measures={**result.verdict.measures, **measures},
    )
    return replace(result, bend=bend, verdict=verdict)
