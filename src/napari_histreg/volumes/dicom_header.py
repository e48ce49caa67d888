"""What the header of one DICOM file says about its picture; nothing about the patient is taken."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import UnsupportedFormat
from napari_histreg.geometry import FloatArray
from napari_histreg.volumes.itk_files import file_reader
from napari_histreg.volumes.sniffing import TRANSFER_SYNTAX, file_meta, is_whole_slide

__all__ = ["DicomHeader", "read_dicom_header"]

BIG_ENDIAN, RLE = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"
NO_DICOM_PICTURE = (
    "is DICOM without a picture that can be shown (a report, a plan, a signal, or a damaged file). "
    "Choose an image file or the folder of a series"
)


@dataclass(frozen=True)
class DicomHeader:
    """One DICOM file as a plane or a pile of planes.

    Parameters
    ----------
    path : Path
        The file.
    series : str
        Identity of the series.
    number : int or None
        Number of the series, for people.
    instance : int
        Number of the file within the series.
    modality : str or None
        "CT", "MR", …
    size : (int, int, int)
        Frames, rows and columns.
    spacing_xyz, origin_xyz, direction_xyz : tuple of float
        As SimpleITK gives them.
    is_scaled : bool
        Whether the file says how large a pixel is.
    is_placed : bool
        Whether it says where the plane lies in the patient.
    """

    path: Path
    series: str
    number: int | None
    instance: int
    modality: str | None
    size: tuple[int, int, int]
    spacing_xyz: tuple[float, ...]
    origin_xyz: tuple[float, ...]
    direction_xyz: tuple[float, ...]
    is_scaled: bool
    is_placed: bool

    @property
    def normal(self) -> FloatArray:
        """Direction across the plane, (x, y, z)."""
        return np.asarray(np.reshape(self.direction_xyz, (3, 3))[:, 2])

    @property
    def height_mm(self) -> float:
        """Place of the plane along its normal."""
        return float(np.dot(self.normal, self.origin_xyz))


def read_dicom_header(path: Path) -> DicomHeader:
    """Read the header of a DICOM file.

    Raises
    ------
    UnsupportedFormat
        It is a whole slide, has no picture, or a kind of pixels that would be decoded wrongly.
    """
    if is_whole_slide(path):
        raise UnsupportedFormat(
            f"{path.name} is a whole slide in DICOM, and OpenSlide cannot read it. Convert it to OME-TIFF, "
            "for example with bioformats2raw and raw2ometiff."
        )
    try:
        reader = file_reader(path, is_dicom=True)
    except RuntimeError:
        raise UnsupportedFormat(f"{path.name} {NO_DICOM_PICTURE}.") from None
    tags = _Tags(reader)
    _refuse_misread_pixels(
        path, tags, file_meta(path).get(TRANSFER_SYNTAX, ""), int(reader.GetNumberOfComponents())
    )
    size = tuple(reader.GetSize())
    frames = size[2] if len(size) > 2 else 1
    spacing = tuple(float(s) for s in reader.GetSpacing())
    said = any(tags.text(tag) for tag in ("0028|0030", "0018|1164", "0018|2010"))
    placed = bool(tags.text("0020|0032")) or bool(np.any(np.abs(reader.GetOrigin()) > 0))
    return DicomHeader(
        path=path,
        series=tags.text("0020|000e") or path.name,
        number=tags.number("0020|0011"),
        instance=tags.number("0020|0013") or 0,
        modality=tags.text("0008|0060") or None,
        size=(frames, size[1], size[0]),
        spacing_xyz=spacing,
        origin_xyz=tuple(reader.GetOrigin()),
        direction_xyz=tuple(reader.GetDirection()),
        # Where a file says nothing, the library answers 1; other numbers come from nested tags.
        is_scaled=said or not np.allclose(spacing[:2], 1.0),
        is_placed=placed,
    )


def _refuse_misread_pixels(path: Path, tags: "_Tags", syntax: str, components: int) -> None:
    """Refuse what SimpleITK decodes to wrong numbers without a word."""
    bits = tags.number("0028|0100") or 8
    if (syntax == RLE and components > 1 and bits > 8) or (syntax == BIG_ENDIAN and bits > 16):
        raise UnsupportedFormat(
            f"{path.name} stores {bits}-bit pixels in a way that cannot be decoded safely (transfer "
            f"syntax {syntax}). Convert it to uncompressed little endian, for example with dcmconv."
        )


class _Tags:
    """The header's elements, by "group|element"; only those asked for are touched."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def text(self, tag: str) -> str:
        if not self._reader.HasMetaDataKey(tag):
            return ""
        return str(self._reader.GetMetaData(tag)).strip().strip("\0").strip()

    def number(self, tag: str) -> int | None:
        try:
            return int(float(self.text(tag).split("\\")[0]))
        except (ValueError, OverflowError):
            return None
