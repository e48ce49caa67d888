"""A volume carried onto the grid of another one."""

from dataclasses import replace
from typing import Any

import numpy as np

from napari_histreg.volumes.itk_images import to_itk
from napari_histreg.volumes.pose import VolumePose
from napari_histreg.volumes.volume import Volume

__all__ = ["itk_transform", "resample_volume"]


def itk_transform(pose: VolumePose) -> Any:
    """Return a pose as a SimpleITK affine transform, fixed to moving, in ITK's order (x, y, z)."""
    import SimpleITK as sitk

    matrix = pose.matrix_lps
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(matrix[:3, 3].tolist())
    return transform


def resample_volume(moving: Volume, onto: Volume, fixed_to_moving: VolumePose) -> Volume:
    """Carry the moving volume onto the grid of the fixed one.

    Parameters
    ----------
    moving, onto : Volume
        What is carried, and whose grid it gets.
    fixed_to_moving : VolumePose
        Fixed to moving.

    Returns
    -------
    Volume
        Linear between voxels; the lowest value where the moving volume shows nothing. In the moving
        volume's type and with its modality.

    Raises
    ------
    ReadError
        A volume makes no even pile, or its voxels' size is unknown.

    Examples
    --------
    >>> volume = Volume("a", np.arange(8, dtype=np.float32).reshape(2, 2, 2), np.eye(4))
    >>> moved = resample_volume(volume, volume, VolumePose.of(shift_mm=(0, 0, 1)))
    >>> moved.pixels[0].tolist()
    [[1.0, 0.0], [3.0, 0.0]]
    """
    import SimpleITK as sitk

    for volume in (moving, onto):
        volume.require_even("resampling it")
    lowest = float(np.nanmin(moving.pixels))
    image = sitk.Resample(
        to_itk(moving), to_itk(onto, np.zeros(onto.shape, np.uint8)), itk_transform(fixed_to_moving),
        sitk.sitkLinear, lowest,
    )  # fmt: skip
    return replace(
        moving,
        name=f"{moving.name} on {onto.name}",
        pixels=sitk.GetArrayFromImage(image),
        index_to_patient=onto.index_to_patient,
        path=None,
        series=None,
    )
