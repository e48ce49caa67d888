"""Which files and folders hold volumes, told by their content."""

import gzip
import os
import struct
import zlib
from pathlib import Path
from typing import Literal

from napari_histreg.errors import ReadError
from napari_histreg.files.reading import opened

__all__ = ["SOP_CLASS", "TRANSFER_SYNTAX", "Kind", "file_meta", "is_dicom", "is_whole_slide", "kind_of"]

Kind = Literal["dicom", "dicom folder", "nifti", "nrrd", "meta"]

NIFTI_MAGIC = ((344, (b"n+1\0", b"ni1\0")), (4, (b"n+2\0", b"ni2\0")))
HEAD_BYTES = 4096
WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
SOP_CLASS, TRANSFER_SYNTAX = (0x0002, 0x0002), (0x0002, 0x0010)
LONG_VALUES = (b"OB", b"OW", b"OF", b"SQ", b"UT", b"UN")
MOST_LOOKED_AT = 200
"""Files of a folder that are looked at to tell whether it holds DICOM."""


def kind_of(path: Path) -> Kind | None:
    """Tell what kind of volume a path is; None for everything else, also for what is not there.

    Parameters
    ----------
    path : Path
        A file or a folder.

    Returns
    -------
    {"dicom", "dicom folder", "nifti", "nrrd", "meta"} or None
    """
    try:
        if path.is_dir():
            return "dicom folder" if _holds_dicom(path) else None
        with opened(path) as file:
            head = file.read(HEAD_BYTES)
    except (OSError, ValueError, ReadError):
        return None
    if head[:2] == b"\x1f\x8b":
        head = _unzipped(path)
    if any(head[at : at + 4] in words for at, words in NIFTI_MAGIC):
        return "nifti"
    if head[128:132] == b"DICM":
        return "dicom folder" if path.name.upper().startswith("DICOMDIR") else "dicom"
    if head.startswith(b"NRRD0"):
        return "nrrd"
    return "meta" if _is_meta(head) else None


def is_dicom(path: Path) -> bool:
    """Tell whether a file bears DICOM's mark."""
    try:
        with opened(path) as file:
            return file.read(132)[128:] == b"DICM"
    except (OSError, ReadError):
        return False


def _holds_dicom(folder: Path) -> bool:
    """Look at the first files of a folder, and of those in it."""
    looked = 0
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if is_dicom(Path(place, name)):
                return True
            looked += 1
            if looked >= MOST_LOOKED_AT:
                return False
    return False


def _is_meta(head: bytes) -> bool:
    """Tell whether a file begins like MetaImage: lines "Key = value", one of them NDims."""
    first = head.split(b"\n", 1)[0].partition(b"=")[0].strip()
    return first in (b"ObjectType", b"NDims", b"Comment") and b"NDims" in head


def _unzipped(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as file:
            return file.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""


def is_whole_slide(path: Path) -> bool:
    """Tell whether a DICOM file is a whole slide of a microscope, from its first bytes alone.

    Read as a volume its tiles would come out as a pile of small pictures.
    """
    return path.is_file() and file_meta(path).get(SOP_CLASS, "") == WHOLE_SLIDE


def file_meta(path: Path) -> dict[tuple[int, int], str]:
    """Read the group 0002 of a DICOM file, which is always explicit and little endian."""
    try:
        with opened(path) as file:
            data = file.read(HEAD_BYTES)
    except OSError:
        return {}
    found: dict[tuple[int, int], str] = {}
    at = 132
    while data[128:132] == b"DICM" and at + 12 <= len(data):
        group, element, kind, length = *struct.unpack_from("<HH", data, at), data[at + 4 : at + 6], 0
        if group != 2:
            break
        if kind in LONG_VALUES:
            length, start = struct.unpack_from("<I", data, at + 8)[0], at + 12
        else:
            length, start = struct.unpack_from("<H", data, at + 6)[0], at + 8
        found[group, element] = data[start : start + length].decode("ascii", "replace").strip(" \0")
        at = start + length
    return found
