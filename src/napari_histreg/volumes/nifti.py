"""What SimpleITK leaves unsaid about NIfTI files: missing ends, and the sform where it is not the pixdim."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import DamagedFile
from napari_histreg.geometry import FloatArray
from napari_histreg.volumes.itk_images import from_itk_matrix
from napari_histreg.volumes.sniffing import NIFTI_MAGIC

__all__ = ["refuse_cut_short", "sform"]

MM_PER_UNIT = {1: 1000.0, 2: 1.0, 3: 0.001}
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
BLOCK = 1 << 22


def sform(reader: Any) -> FloatArray | None:
    """Return the matrix from indices (z, y, x, 1) to mm in the patient's frame that the file's sform gives.

    SimpleITK takes the size of a voxel from another field (pixdim), which can disagree.

    Parameters
    ----------
    reader : SimpleITK.ImageFileReader
        That has read the header.

    Returns
    -------
    (4, 4) ndarray or None
        None where the file has no sform.
    """
    try:
        if int(reader.GetMetaData("sform_code")) <= 0:
            return None
        unit = MM_PER_UNIT.get(int(reader.GetMetaData("xyzt_units")) & 7, 1.0)
        rows = [[float(v) for v in reader.GetMetaData(f"srow_{axis}").split()] for axis in "xyz"]
    except (RuntimeError, ValueError):
        return None
    matrix = np.array([*rows, [0, 0, 0, 1]])
    matrix[:3] *= unit
    return from_itk_matrix(RAS_TO_LPS @ matrix)


def refuse_cut_short(path: Path) -> None:
    """Raise `DamagedFile` where a file ends before its last voxel: SimpleITK fills up with zeros.

    Parameters
    ----------
    path : Path
        A NIfTI file, zipped or not; of a pair (.hdr and .img) nothing is checked.
    """
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if zipped else path.open("rb") as file:
            head = file.read(544)
            needed = _promised_bytes(head)
            have = len(head)
            while have < needed and (block := file.read(min(BLOCK, needed - have))):
                have += len(block)
    except (OSError, EOFError, zlib.error):
        have, needed = 0, 1
    if have < needed:
        raise DamagedFile(
            f"{path.name} ends before its last voxel. It is incomplete; copy it again from its source."
        )


def _promised_bytes(head: bytes) -> int:
    """Return how long a file must be by its header."""
    first = next((at for at, words in NIFTI_MAGIC if head[at : at + 4] in words), None)
    if first is None or head[first : first + 2] == b"ni":  # the pixels of a pair lie in another file
        return 0
    second = first == 4
    for order in "<>":
        if struct.unpack_from(f"{order}i", head)[0] == (540 if second else 348):
            break
    else:
        return 0
    if len(head) < (540 if second else 348):
        return len(head) + 1
    dims = (
        struct.unpack_from(f"{order}8q", head, 16) if second else struct.unpack_from(f"{order}8h", head, 40)
    )
    bits = struct.unpack_from(f"{order}h", head, 14 if second else 72)[0]
    offset = struct.unpack_from(f"{order}q" if second else f"{order}f", head, 168 if second else 108)[0]
    if not 1 <= dims[0] <= 7 or not 0 <= offset < 2**62:
        return 0
    count: int = 1
    for size in dims[1 : dims[0] + 1]:
        count *= max(int(size), 1)
    return int(offset) + count * max(int(bits), 0) // 8
