"""Cells of a volume that took no part in learning which values go together, asked where they fit."""

import numpy as np
from numpy.typing import NDArray

from napari_histreg.cell_agreement import CellAgreement, agreement_of_cells, chessboard
from napari_histreg.joint_histogram import quantised
from napari_histreg.volumes.bend import VolumeBend
from napari_histreg.volumes.body import Body, rim
from napari_histreg.volumes.pose import VolumePose

__all__ = ["NEAR", "cells_of", "seen_through", "volume_agreement"]

BINS = 10
CELLS = 5.5
"""So many cells go along the longest side of the body: about 30 mm of a head."""
LEAST_CELL = 4.0
REACH = 3
NEAR = 1.5
DEPTH = 3


def cells_of(body: Body) -> NDArray[np.intp]:
    """Return the number of the cell of each voxel; see `chessboard`."""
    extent = np.ptp(np.argwhere(body.mask), axis=0).max()
    return chessboard(body.values.shape, max(float(extent) / CELLS, LEAST_CELL))


def seen_through(
    moving: Body, pose: VolumePose, fixed: Body, border: int = 0, bend: VolumeBend | None = None
) -> NDArray[np.float32]:
    """Return the moving values on the fixed grid, `border` voxels larger at each side; NaN outside."""
    from scipy.ndimage import map_coordinates

    axes = [np.arange(-border, n + border) for n in fixed.values.shape]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3).astype(float)
    points = fixed.to_patient(grid)
    to_index = np.linalg.inv(moving.index_to_patient) @ pose.matrix
    at = ((points if bend is None else bend(points)) @ to_index[:3, :3].T + to_index[:3, 3]).T
    values = map_coordinates(moving.values, at, order=1, cval=np.nan, mode="constant", output=np.float32)
    return np.asarray(values.reshape([len(axis) for axis in axes]))


def volume_agreement(
    fixed: Body, moving: Body, pose: VolumePose, *, inside_only: bool = False
) -> CellAgreement:
    """Ask each cell of the fixed body where it fits, by what the others teach; see `agreement_of_cells`.

    Parameters
    ----------
    fixed, moving : Body
        The volumes, of one spacing.
    pose : VolumePose
        Fixed to moving.
    inside_only : bool
        Leave out the outline with all that lies near it, skull and scalp of a head: another body of the same
        shape fits there too.

    Returns
    -------
    CellAgreement
    """
    seen = seen_through(moving, pose, fixed, REACH)
    known = np.isfinite(seen)
    body = known & (seen > 0)
    inner = _core(fixed.mask) if inside_only else fixed.mask
    if not (body.any() and inner.any()):
        return CellAgreement(0, 0, 1.0)
    second = np.where(known, quantised(np.nan_to_num(seen), body, BINS), -1).astype(np.int8)
    look = inner if inside_only else rim(fixed)
    return agreement_of_cells(
        quantised(fixed.values, inner, BINS),
        second,
        look,
        inner,
        cells_of(fixed),
        bins=BINS,
        reach=REACH,
        near=NEAR,
    )


def _core(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what lies deeper than `DEPTH` voxels; faces at which the body is cut off are no outline."""
    from scipy.ndimage import binary_erosion

    wide = np.pad(mask, DEPTH, mode="edge")
    return np.asarray(binary_erosion(wide, iterations=DEPTH)[(slice(DEPTH, -DEPTH),) * 3])
