"""open_volume: DICOM, NIfTI, NRRD and MetaImage to a Volume."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import DamagedFile, ReadError, UnsupportedFormat
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.volumes.dicom_header import DicomHeader, read_dicom_header
from napari_histreg.volumes.itk_files import file_reader, read_pixels, refuse_too_large, voxel_bytes
from napari_histreg.volumes.itk_images import matrix_of_itk
from napari_histreg.volumes.nifti import refuse_cut_short, sform
from napari_histreg.volumes.series import Series, choose_series, list_series
from napari_histreg.volumes.sniffing import kind_of
from napari_histreg.volumes.volume import Volume, is_regular

__all__ = ["open_volume"]

MOST_HEADER_BYTES = 1 << 20


def open_volume(
    path: str | os.PathLike[str],
    *,
    series: str | int | None = None,
    t: int = 0,
    progress: Progress = silent,
) -> Volume:
    """Read a volume whole: a DICOM file, the folder of a series, a DICOMDIR, NIfTI, NRRD or MetaImage.

    Values are what the file means: rescaled (Hounsfield units for CT), bright is bright (MONOCHROME1 is
    turned round), palettes and YBR become RGB. Nothing about the patient is taken over.

    Parameters
    ----------
    path : path-like
        What to read; its content decides how.
    series : str or int, optional
        Identity or number of the series, for a folder with several; that with most planes by default.
    t : int
        Time point, where there are several.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    Volume

    Raises
    ------
    UnsupportedFormat
        It is no volume, or of a kind that would be read wrongly.
    DamagedFile
        It is missing, or cannot be decoded.
    ValueError
        There is no such series or time point.
    """
    path = Path(path)
    kind = kind_of(path)
    if kind is None:
        if not path.exists():
            raise DamagedFile(f"There is no file or folder {path}. Check the path.")
        raise UnsupportedFormat(
            f"{path} is no volume. Volumes are DICOM (a file, or the folder of a series), NIfTI (.nii, "
            ".nii.gz), NRRD and MetaImage (.mha, .mhd)."
        )
    if kind == "dicom folder":
        found = list_series(path, progress=portion(progress, 0.0, 0.3))
        chosen = choose_series(found, series, path.name)
        return _read_series(path, chosen, t, portion(progress, 0.3, 1.0))
    if series is not None and kind != "dicom":
        raise ValueError(f"{path.name} holds one series only: series {series!r} cannot be chosen.")
    if kind == "dicom":
        header = read_dicom_header(path)
        if series is not None and str(series) not in (header.series, str(header.number)):
            raise ValueError(f"{path.name} is of series {header.number} ({header.series}), not {series!r}.")
        if t:
            raise ValueError(f"{path.name} holds one time point only: t can be 0, not {t}.")
        return _read_series(
            path, Series(header.series, header.number, header.modality, (header,)), 0, progress
        )
    if kind != "nifti":
        _refuse_pixels_elsewhere(path)
    return _read_file(path, t, is_nifti=kind == "nifti")


def _read_series(path: Path, series: Series, t: int, progress: Progress) -> Volume:
    refuse_too_large(path.name, series.shape)
    planes: list[NDArray[Any]] = []
    headers = series.at_time(t)
    for k, header in enumerate(headers):
        progress(k / len(headers), "reading planes")
        planes.append(_plane(header))
    if len({plane.shape[1:] for plane in planes}) > 1:
        raise DamagedFile(f"{path.name}: the planes of the series differ in size or colours.")
    if not is_regular(series.index_to_patient):
        raise DamagedFile(f"{path.name} does not say sensibly where its voxels lie. Export it again.")
    pixels = _compact(np.concatenate(planes) if len(planes) > 1 else planes[0], path.name)
    frames = headers[0].size[0] > 1
    uneven = series.uneven
    if frames and not series.is_scaled:
        uneven = "its frames do not say how far apart they lie; they may be moments in time."
    progress(1.0, "read")
    return Volume(
        name=path.name,
        pixels=pixels,
        index_to_patient=series.index_to_patient,
        modality=series.modality,
        path=str(path),
        series=series.uid,
        is_scaled=series.is_scaled,
        uneven=uneven,
    )


def _plane(header: DicomHeader) -> NDArray[Any]:
    try:
        return read_pixels(header.path, file_reader(header.path, is_dicom=True))
    except RuntimeError:
        raise DamagedFile(f"{header.path.name} cannot be read a second time. Check the disk.") from None


def _read_file(path: Path, t: int, *, is_nifti: bool) -> Volume:
    """Read NIfTI, NRRD or MetaImage; of four dimensions one time point."""
    try:
        reader = file_reader(path)
    except RuntimeError:
        raise DamagedFile(
            f"{path.name} begins like a volume, but its header contradicts itself or its data are missing. "
            "Copy it again from its source."
        ) from None
    size, spacing = list(reader.GetSize()), list(reader.GetSpacing())
    origin, direction = list(reader.GetOrigin()), np.reshape(reader.GetDirection(), (len(size),) * 2)
    refuse_too_large(path.name, tuple(size[::-1]), voxel_bytes(reader))
    if is_nifti:
        refuse_cut_short(path)
    if len(size) > 4 or (len(size) < 4 and t):
        raise ValueError(f"{path.name} has {len(size)} dimensions; time point {t} cannot be chosen.")
    if len(size) == 4:
        if not 0 <= t < size[3]:
            raise ValueError(f"{path.name} has {size[3]} time points, 0 to {size[3] - 1}, not {t}.")
        reader.SetExtractIndex([0, 0, 0, t])
        reader.SetExtractSize([*size[:3], 0])
    if len(size) == 2:
        spacing, origin = [*spacing, 1.0], [*origin, 0.0]
        direction = np.block([[direction, np.zeros((2, 1))], [np.zeros((1, 2)), np.ones((1, 1))]])
    pixels = _compact(_real(read_pixels(path, reader), path.name), path.name)
    matrix = sform(reader) if is_nifti else None
    if matrix is None:
        matrix = matrix_of_itk(spacing[:3], origin[:3], direction[:3, :3])
    if not is_regular(matrix):
        raise DamagedFile(f"{path.name} says where its voxels lie by a singular matrix. Export it again.")
    return Volume(path.name, pixels, matrix, path=str(path))


def _real(pixels: NDArray[Any], name: str) -> NDArray[Any]:
    if pixels.dtype.kind not in "uifb" or (pixels.ndim == 4 and pixels.shape[3] != 3):
        parts = f"{pixels.shape[3]} numbers" if pixels.ndim == 4 else str(pixels.dtype)
        raise UnsupportedFormat(
            f"{name} holds {parts} at each voxel (a field or a tensor), not an image of one value or RGB."
        )
    return pixels


def _compact(pixels: NDArray[Any], name: str) -> NDArray[Any]:
    """Hold whole numbers in 16 bits where they fit and fractions in 32: the library returns wider ones."""
    if pixels.dtype == np.float64:
        finite = np.where(np.isfinite(pixels), pixels, 0)
        if max(finite.max(), -finite.min()) > np.finfo(np.float32).max:
            raise DamagedFile(
                f"{name} scales its values to {np.abs(finite).max():.2g}, beyond what an image can hold. "
                "Its header is probably damaged; export it again."
            )
        return pixels.astype(np.float32)
    if pixels.dtype.kind in "ui" and pixels.dtype.itemsize > 2:
        low, high = int(pixels.min()), int(pixels.max())
        for narrow in (np.int16, np.uint16):
            if np.iinfo(narrow).min <= low and high <= np.iinfo(narrow).max:
                return pixels.astype(narrow)
        return pixels.astype(np.float32)
    return pixels


def _refuse_pixels_elsewhere(path: Path) -> None:
    """Refuse a header that takes its pixels from a path: it could name any file of the machine."""
    with path.open("rb") as file:
        lines = file.read(MOST_HEADER_BYTES).splitlines()
    for line in lines:
        key, _, value = line.replace(b"=", b":", 1).partition(b":")
        if key.strip().lower() not in (b"elementdatafile", b"data file", b"datafile"):
            continue
        named = value.strip().decode("utf-8", "replace")
        if named.upper() == "LOCAL":
            return
        if named.split()[:1] != [named] or Path(named).name != named or named.upper() == "LIST":
            raise UnsupportedFormat(
                f"{path.name} takes its pixels from {named!r}. Only one file beside it, named without a "
                "folder, is read. Save the volume as one file (.nii.gz, .nrrd or .mha)."
            )
        if not (path.parent / named).is_file():
            raise ReadError(f"{path.name} needs the file {named} with its pixels beside it. Copy it too.")
        return
