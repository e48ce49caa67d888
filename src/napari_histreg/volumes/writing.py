"""write_volume: a Volume as NIfTI, NRRD or MetaImage, with its place and nothing about the patient."""

import os
from pathlib import Path

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
    import SimpleITK as sitk

    path = Path(path)
    if not path.name.lower().endswith(SUFFIXES):
        raise WriteError(f"{path}: a volume is written as {', '.join(SUFFIXES)}. Choose another name.")
    with written_whole(path) as temporary:
        try:
            sitk.WriteImage(to_itk(volume), str(temporary), useCompression=not path.name.endswith(".nii"))
        except RuntimeError as error:
            raise WriteError(f"{path} cannot be written. Check the disk and its free space.") from error
    return path
