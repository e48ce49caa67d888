"""Reading one file through SimpleITK, with its size checked before its pixels are asked for."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile, UnsupportedFormat

__all__ = ["MOST_BYTES", "file_reader", "read_pixels", "refuse_too_large", "voxel_bytes"]

MOST_BYTES = 4 << 30
"""More decoded pixels than this do not fit beside their copies into the memory of a usual computer."""


def file_reader(path: Path, *, is_dicom: bool = False) -> Any:
    """Return a SimpleITK reader that has read the file's header.

    Parameters
    ----------
    path : Path
    is_dicom : bool
        Leave the file to the reader of DICOM: damaged files are tried by all others too, which takes long.

    Raises
    ------
    RuntimeError
        SimpleITK cannot read it.
    """
    import SimpleITK as sitk

    # Its warnings would come between the lines of the program, one for each file.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    if is_dicom:
        reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return reader


def voxel_bytes(reader: Any) -> int:
    """Return how many bytes a voxel takes in memory, by the header that a reader has read."""
    import SimpleITK as sitk

    bits = re.search(r"(\d+)-bit", sitk.GetPixelIDValueAsString(reader.GetPixelIDValue()))
    return (int(bits[1]) // 8 if bits else 8) * max(int(reader.GetNumberOfComponents()), 1)


def refuse_too_large(name: str, shape: tuple[int, ...], item_bytes: int = 4) -> None:
    """Raise `UnsupportedFormat` where a header promises more than memory can hold.

    Parameters
    ----------
    name : str
        The file, for the message.
    shape : tuple of int
        Number of voxels along each axis.
    item_bytes : int
        Of a voxel.
    """
    bytes_needed = float(np.prod([float(n) for n in shape])) * item_bytes
    if bytes_needed > MOST_BYTES:
        sizes = " x ".join(str(n) for n in shape)
        raise UnsupportedFormat(
            f"{name} says it holds {sizes} voxels ({bytes_needed / 2**30:.3g} GB), more than can be held in "
            "memory. If that is true, cut it to the part you need; if not, the file is damaged."
        )


def read_pixels(path: Path, reader: Any) -> NDArray[Any]:
    """Read the pixels of a file whose header has been read.

    Returns
    -------
    (Z, Y, X) or (Z, Y, X, C) ndarray
        A single plane has Z = 1.

    Raises
    ------
    DamagedFile
        It cannot be decoded.
    """
    import SimpleITK as sitk

    try:
        image = reader.Execute()
        array = sitk.GetArrayFromImage(image)
    except (RuntimeError, ValueError) as error:
        raise DamagedFile(
            f"{path.name} cannot be decoded: {_last_line(error)}. "
            "The file is probably damaged or incomplete; copy it again from its source."
        ) from None
    planes = array.ndim - (1 if image.GetNumberOfComponentsPerPixel() > 1 else 0)
    return array[None] if planes == 2 else np.asarray(array)


def _last_line(error: Exception) -> str:
    """Return what SimpleITK says last, without the names of its source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[-1] if lines else type(error).__name__
    return said.rpartition("): ")[2].removeprefix("sitk::ERROR: ").rstrip(".")[:160]
