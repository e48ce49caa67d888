"""Volumes as SimpleITK images and back; the only place where axes are turned round.

SimpleITK's order is (x, y, z), and so is DICOM's: left, back, head. This house counts (z, y, x).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray
from napari_histreg.volumes.volume import Volume

__all__ = ["from_itk_matrix", "itk_geometry", "matrix_of_itk", "to_itk", "to_itk_matrix"]

REVERSED = np.eye(4)[[2, 1, 0, 3]]


def to_itk_matrix(matrix_zyx: FloatArray) -> FloatArray:
    """Turn a (4, 4) matrix that acts on (z, y, x, 1) into the one that acts on (x, y, z, 1).

    Examples
    --------
    >>> to_itk_matrix(np.diag([5.0, 2.0, 1.0, 1.0])).diagonal().tolist()
    [1.0, 2.0, 5.0, 1.0]
    """
    return np.asarray(REVERSED @ matrix_zyx @ REVERSED)


def from_itk_matrix(matrix_xyz: FloatArray) -> FloatArray:
    """Turn a (4, 4) matrix that acts on (x, y, z, 1) into the one that acts on (z, y, x, 1)."""
    return np.asarray(REVERSED @ matrix_xyz @ REVERSED)


def itk_geometry(volume: Volume) -> tuple[list[float], list[float], list[float]]:
    """Return spacing, origin and direction of a volume as SimpleITK wants them."""
    matrix = to_itk_matrix(volume.index_to_patient)
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    return spacing.tolist(), matrix[:3, 3].tolist(), (matrix[:3, :3] / spacing).ravel().tolist()


def matrix_of_itk(spacing: Any, origin: Any, direction: Any) -> FloatArray:
    """Make the matrix from indices (z, y, x, 1) to mm from SimpleITK's spacing, origin and direction."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(direction, (3, 3)) * np.asarray(spacing)
    matrix[:3, 3] = origin
    return from_itk_matrix(matrix)


def to_itk(volume: Volume, pixels: NDArray[Any] | None = None) -> Any:
    """Make a SimpleITK image of a volume, or of other pixels on its grid; it carries no header but its place.

    Parameters
    ----------
    volume : Volume
        For the place.
    pixels : (Z, Y, X) ndarray, optional
        Instead of the volume's own.
    """
    import SimpleITK as sitk

    array = volume.pixels if pixels is None else pixels
    # What SimpleITK has no kind of pixels for.
    other = {"bool": np.uint8, "float16": np.float32}.get(array.dtype.name)
    array = array if other is None else array.astype(other)
    image = sitk.GetImageFromArray(np.ascontiguousarray(array), isVector=array.ndim == 4)
    spacing, origin, direction = itk_geometry(volume)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image
