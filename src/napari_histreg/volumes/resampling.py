"""A volume carried onto the grid of another one."""

from dataclasses import replace
from typing import Any

import numpy as np

from napari_histreg.volumes.bend import VolumeBend
from napari_histreg.volumes.itk_images import to_itk, to_itk_matrix
from napari_histreg.volumes.pose import VolumePose
from napari_histreg.volumes.volume import Volume

__all__ = ["itk_transform", "resample_volume"]


def itk_transform(pose: VolumePose, bend: VolumeBend | None = None) -> Any:
    """Return a pose as a SimpleITK affine transform, fixed to moving, in ITK's order (x, y, z).

    With a bend it is a composite transform, whose B-spline is applied first.
    """
    import SimpleITK as sitk

    matrix = pose.matrix_lps
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(matrix[:3, 3].tolist())
    return transform if bend is None else sitk.CompositeTransform([transform, _itk_bend(bend)])


def _itk_bend(bend: VolumeBend) -> Any:
    """Return a bend as SimpleITK's B-spline, whose parameters are x of all nodes, then y, then z."""
    import SimpleITK as sitk

    spline = sitk.BSplineTransform(3, 3)
    matrix = to_itk_matrix(bend.node_to_patient)
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    size = bend.coefficients_mm.shape[2::-1]
    spline.SetTransformDomainMeshSize([n - 3 for n in size])
    # The domain begins at the second node and ends at the last but one.
    spline.SetTransformDomainOrigin((matrix[:3, :3] @ np.ones(3) + matrix[:3, 3]).tolist())
    spline.SetTransformDomainPhysicalDimensions([(n - 3) * s for n, s in zip(size, spacing, strict=True)])
    spline.SetTransformDomainDirection((matrix[:3, :3] / spacing).ravel().tolist())
    spline.SetParameters(np.moveaxis(bend.coefficients_mm[..., ::-1], -1, 0).ravel().tolist())
    return spline


def resample_volume(
    moving: Volume, onto: Volume, fixed_to_moving: VolumePose, bend: VolumeBend | None = None
) -> Volume:
    """Carry the moving volume onto the grid of the fixed one.

    Parameters
    ----------
    moving, onto : Volume
        What is carried, and whose grid it gets.
    fixed_to_moving : VolumePose
        Fixed to moving.
    bend : VolumeBend, optional
        What comes before it.

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
        to_itk(moving), to_itk(onto, np.zeros(onto.shape, np.uint8)), itk_transform(fixed_to_moving, bend),
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
