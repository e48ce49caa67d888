"""Planes cut from a volume, turned the way radiologists look at them."""

from dataclasses import dataclass
from itertools import permutations
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_histreg.volumes.volume import Volume

__all__ = ["PLANES", "Plane", "PlaneName", "plane_of", "usual_plane"]

PlaneName = Literal["axial", "coronal", "sagittal"]
PLANES: tuple[PlaneName, ...] = get_args(PlaneName)

ANISOTROPIC = 1.5
"""Where planes lie this many times as far apart as their pixels, a volume is looked at plane by plane."""

# Rows and columns of the picture as patient axes (z head, y back, x left), and the way they run.
ROWS_COLUMNS: dict[PlaneName, tuple[tuple[int, int], tuple[int, int]]] = {
    "axial": ((1, 1), (2, 1)),
    "coronal": ((0, -1), (2, 1)),
    "sagittal": ((0, -1), (1, 1)),
}


@dataclass(frozen=True, eq=False)
class Plane:
    """One plane of a volume.

    Parameters
    ----------
    pixels : (Y, X) or (Y, X, 3) ndarray
        The head is up in coronal and sagittal planes, the front of the body in axial ones; the patient's
        left is at the right. A single plane stays as the file has it.
    spacing_mm : (float, float)
        Distance of neighbouring pixels (y, x).
    name : {"axial", "coronal", "sagittal"} or None
        Which way it lies, to the nearest; None where the volume is a single plane.
    index : int
        Its number in the volume, as stored.
    count : int
        How many such planes there are.
    to_patient : (4, 3) ndarray
        Maps pixels (y, x, 1) to mm in the patient's frame, (z, y, x, 1).
    """

    pixels: NDArray[Any]
    spacing_mm: tuple[float, float]
    name: PlaneName | None
    index: int
    count: int
    to_patient: NDArray[np.float64]


def usual_plane(volume: Volume) -> PlaneName:
    """Return the plane in which a volume is mostly looked at.

    That across which its voxels are coarse; axial where they are nearly cubes.

    Examples
    --------
    >>> usual_plane(Volume("a", np.zeros((2, 4, 4)), np.diag([1.0, 5.0, 1.0, 1.0])))
    'coronal'
    """
    spacing = np.array(volume.spacing_mm)
    coarse = int(np.argmax(spacing))
    if spacing[coarse] < ANISOTROPIC * np.median(spacing):
        return "axial"
    return PLANES[int(np.flatnonzero(_axes(volume) == coarse)[0])]


def plane_of(volume: Volume, plane: PlaneName | None = None, index: int | None = None) -> Plane:
    """Cut one plane from a volume; nothing is resampled.

    Parameters
    ----------
    volume : Volume
    plane : {"axial", "coronal", "sagittal"}, optional
        Which way; `usual_plane` by default. Of an oblique volume the plane of voxels nearest to it.
    index : int, optional
        Which one, from 0 as stored; the middle one by default.

    Returns
    -------
    Plane

    Raises
    ------
    ValueError
        There is no such plane.
    ReadError
        The planes of the volume make no even pile, and this one would cut across them.

    Examples
    --------
    >>> volume = Volume("a", np.arange(24).reshape(2, 3, 4), np.diag([5.0, 1.0, 1.0, 1.0]))
    >>> plane_of(volume, "axial", 1).pixels.tolist()
    [[12, 13, 14, 15], [16, 17, 18, 19], [20, 21, 22, 23]]
    >>> plane_of(volume, "coronal", 0).pixels.tolist()  # the head, the higher plane, is up
    [[12, 13, 14, 15], [0, 1, 2, 3]]
    """
    if plane is not None and plane not in PLANES:
        raise ValueError(f"The plane is one of {', '.join(PLANES)}, not {plane!r}.")
    if volume.shape[0] == 1 and (plane is None or _across(volume, plane) == 0):
        return _single(volume, index)
    name = plane or (usual_plane(volume) if not volume.uneven else _stored_plane(volume))
    across = _across(volume, name)
    if across != 0:
        volume.require_even(f"cutting it across its planes ({name})")
    count = volume.shape[across]
    number = count // 2 if index is None else index
    if not 0 <= number < count:
        raise ValueError(f"{volume.name} has {count} {name} planes, 0 to {count - 1}, not {number}.")
    axes = _axes(volume)
    wanted = ROWS_COLUMNS[name]
    stored = [int(axes[axis]) for axis, _ in wanted]
    flips = [_sign(volume, int(axes[axis]), axis) != way for axis, way in wanted]
    cut = np.take(volume.pixels, number, axis=across)
    if stored[0] > stored[1]:
        cut = cut.swapaxes(0, 1)
    cut = cut[:: -1 if flips[0] else 1, :: -1 if flips[1] else 1]
    to_index = np.zeros((4, 3))
    to_index[across, 2], to_index[3, 2] = number, 1
    for column, (axis, flipped) in enumerate(zip(stored, flips, strict=True)):
        to_index[axis, column] = -1 if flipped else 1
        to_index[axis, 2] += volume.shape[axis] - 1 if flipped else 0
    spacing = volume.spacing_mm
    return Plane(
        np.ascontiguousarray(cut),
        (spacing[stored[0]], spacing[stored[1]]),
        name,
        number,
        count,
        volume.index_to_patient @ to_index,
    )


def _single(volume: Volume, index: int | None) -> Plane:
    if index not in (None, 0):
        raise ValueError(f"{volume.name} is a single plane: the index can be 0, not {index}.")
    to_index = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    _, y, x = volume.spacing_mm
    return Plane(volume.pixels[0], (y, x), None, 0, 1, volume.index_to_patient @ to_index)


def _axes(volume: Volume) -> NDArray[np.intp]:
    """Tell which array axis runs mostly along each patient axis (z, y, x)."""
    share = np.abs(volume.index_to_patient[:3, :3]) / np.asarray(volume.spacing_mm)
    best = max(permutations(range(3)), key=lambda order: sum(share[axis, order[axis]] for axis in range(3)))
    return np.asarray(best)


def _across(volume: Volume, plane: PlaneName) -> int:
    """Return the array axis that runs across a plane."""
    return int(_axes(volume)[PLANES.index(plane)])


def _stored_plane(volume: Volume) -> PlaneName:
    return PLANES[int(np.flatnonzero(_axes(volume) == 0)[0])]


def _sign(volume: Volume, array_axis: int, patient_axis: int) -> int:
    return 1 if volume.index_to_patient[patient_axis, array_axis] > 0 else -1
