"""write_volume: a Volume as NIfTI, NRRD or MetaImage, with its place and nothing about the patient."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import WriteError
from napari_histreg.files import written_whole
from napari_histreg.volumes.itk_images import to_itk
from napari_histreg.volumes.volume import Volume

__all__ = ["SUFFIXES", "write_volume"]

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha")


def write_volume(volume: Volume, path: str | os.PathLike[str]) -> Path:
    """Write a volume; the name decides the format.

    Parameters
    ----------
    volume : Volume
    path : path-like
        Ends in .nii, .nii.gz, .nrrd or .mha.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    WriteError
        The name asks for another format, or the file cannot be written.
    """
    path = Path(path)
    if not path.name.lower().endswith(SUFFIXES):
        raise WriteError(f"{path}: a volume is written as {', '.join(SUFFIXES)}. Choose another name.")
    if volume.pixels.dtype.kind not in "uifb" or volume.pixels.dtype.itemsize > 8:
        raise WriteError(
            f"{path}: voxels of type {volume.pixels.dtype} are not written. Make them whole numbers or "
            "fractions."
        )
    with written_whole(path) as temporary:
        _write(to_itk(volume), temporary, f"{path} cannot be written. Check the disk and its free space.")
    return path


def _write(image: Any, path: Path, sentence: str) -> None:
    """Write an image and read it back: of NIfTI on a full disk SimpleITK writes a part, and says nothing."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        sitk.WriteImage(image, str(path), useCompression=path.suffix != ".nii")
        found = sitk.ReadImage(str(path), image.GetPixelID())
    except RuntimeError as error:
        raise WriteError(sentence) from error
    wanted, there = sitk.GetArrayViewFromImage(image), sitk.GetArrayViewFromImage(found)
    # Of NIfTI in colour a single plane comes back without its third dimension.
    if wanted.size != there.size or not np.array_equal(wanted, there.reshape(wanted.shape), equal_nan=True):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
