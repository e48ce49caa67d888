"""The DICOM series of a folder: which there are, in which order their planes lie, and what is missing."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_histreg.errors import DamagedFile, ReadError, UnsupportedFormat
from napari_histreg.geometry import FloatArray
from napari_histreg.progress import Progress, silent
from napari_histreg.volumes.dicom_header import DicomHeader, read_dicom_header
from napari_histreg.volumes.itk_images import matrix_of_itk
from napari_histreg.volumes.sniffing import is_dicom

__all__ = ["Series", "choose_series", "list_series"]

MOST_FILES = 20_000
STEP_TOLERANCE = 0.01
"""Steps between planes may differ by this share; a plane that is missing doubles one."""


@dataclass(frozen=True)
class Series:
    """The planes of one DICOM series, in order.

    Parameters
    ----------
    uid : str
        Identity of the series.
    number : int or None
        Its number, for people.
    modality : str or None
        "CT", "MR", …
    headers : tuple of DicomHeader
        A file each, from the lowest plane to the highest along the direction across them.
    times : int
        How many images lie at each place.
    uneven : str
        Why the planes make no even pile; empty where they do.
    """

    uid: str
    number: int | None
    modality: str | None
    headers: tuple[DicomHeader, ...]
    times: int = 1
    uneven: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns."""
        first = self.headers[0].size
        frames = sum(header.size[0] for header in self.headers)
        return frames // self.times, first[1], first[2]

    @property
    def is_scaled(self) -> bool:
        """Whether the files say how large a pixel is."""
        return self.headers[0].is_scaled

    def at_time(self, t: int) -> tuple[DicomHeader, ...]:
        """Return the files of one time point.

        Raises
        ------
        ValueError
            There is no such time point.
        """
        if not 0 <= t < self.times:
            raise ValueError(f"The series has {self.times} time points, 0 to {self.times - 1}, not {t}.")
        return self.headers[t :: self.times]

    @property
    def index_to_patient(self) -> FloatArray:
        """The (4, 4) matrix from indices (z, y, x, 1) to mm in the patient's frame."""
        first, planes = self.headers[0], self.at_time(0)
        matrix = matrix_of_itk(first.spacing_xyz, first.origin_xyz, first.direction_xyz)
        if len(planes) > 1 and first.is_placed:
            step = np.subtract(planes[-1].origin_xyz, first.origin_xyz) / (len(planes) - 1)
            if np.linalg.norm(step) > 0:
                matrix[:3, 0] = step[::-1]
        return matrix


def list_series(path: str | os.PathLike[str], *, progress: Progress = silent) -> tuple[Series, ...]:
    """List the DICOM series in a folder and the folders in it; no pixels are read.

    Files that hold no picture are passed over. Names and dates of patients are not looked at.

    Parameters
    ----------
    path : path-like
        A folder; a DICOMDIR stands for the folder it lies in.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    tuple of Series
        The one with most planes first.

    Raises
    ------
    UnsupportedFormat
        There is no DICOM image in it.
    DamagedFile
        There is no such folder.
    """
    folder = Path(path)
    folder = folder if folder.is_dir() else folder.parent
    if not folder.is_dir():
        raise DamagedFile(f"There is no folder {folder}. Check the path.")
    groups: dict[tuple[object, ...], list[DicomHeader]] = defaultdict(list)
    files = _dicom_files(folder)
    problems: list[ReadError] = []
    for k, file in enumerate(files):
        progress(k / len(files), "reading headers")
        try:
            header = read_dicom_header(file)
        except ReadError as error:
            problems.append(error)
            continue
        # A scout lies across the others, and an echo may have another size: those are piles of their own.
        across = tuple(np.round(header.direction_xyz, 3) + 0.0)
        groups[header.series, header.size, across].append(header)
    if not groups:
        if len(problems) == 1:
            raise problems[0]
        raise UnsupportedFormat(
            f"{folder} holds no DICOM image that can be read. Name the folder of a series."
        )
    found = [_ordered(group) for group in groups.values()]
    return tuple(sorted(found, key=lambda s: (-s.shape[0], s.number or 0, s.uid)))


def choose_series(series: Sequence[Series], wanted: str | int | None, name: str) -> Series:
    """Choose a series by its identity or its number; that with most planes by default.

    Raises
    ------
    ValueError
        There is none, or there are several of that number.
    """
    if wanted is None:
        return series[0]
    text = str(wanted).strip()
    matching = [s for s in series if s.uid == text] or [s for s in series if str(s.number) == text]
    if len(matching) == 1:
        return matching[0]
    listed = "; ".join(f"{s.number} ({s.modality}, {s.shape[0]} planes, {s.uid})" for s in series[:20])
    several = "several series" if matching else "no series"
    raise ValueError(f"{name} has {several} {wanted!r}. Choose one by its identity: {listed}.")


def _dicom_files(folder: Path) -> list[Path]:
    """List the DICOM files of a folder and those in it, in order of their names."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders.sort()
        candidates = [Path(place, name) for name in sorted(files) if not name.upper().startswith("DICOMDIR")]
        found += [path for path in candidates if is_dicom(path)]
        if len(found) > MOST_FILES:
            raise UnsupportedFormat(
                f"{folder} holds more than {MOST_FILES} DICOM files. Name the folder of one series."
            )
    return found


def _ordered(group: list[DicomHeader]) -> Series:
    """Put the planes of a series in order, and see whether they make an even pile."""
    first = min(group, key=lambda h: h.instance)
    if not all(header.is_placed for header in group):
        headers = sorted(group, key=lambda h: (h.instance, h.path))
        uneven = "its files do not say where their planes lie." if len(group) > 1 else ""
        return Series(first.series, first.number, first.modality, tuple(headers), 1, uneven)
    headers = sorted(group, key=lambda h: (round(h.height_mm, 3), h.instance, h.path))
    heights = np.array([header.height_mm for header in headers])
    levels, counts = np.unique(np.round(heights, 3), return_counts=True)
    times = int(counts[0])
    if (counts != times).any():
        uneven = f"some of its {len(levels)} planes are there several times and others are not."
        return Series(first.series, first.number, first.modality, tuple(headers), 1, uneven)
    uneven = _gap(levels) or _sheared(headers[::times])
    return Series(first.series, first.number, first.modality, tuple(headers), times, uneven)


def _gap(levels: FloatArray) -> str:
    """Say where planes are missing; averaging their distances would bend the body without a word."""
    steps = np.diff(levels)
    if len(steps) < 2:
        return ""
    usual = float(np.median(steps))
    odd = np.flatnonzero(np.abs(steps - usual) > STEP_TOLERANCE * usual)
    if not odd.size:
        return ""
    k = int(odd[0])
    return (
        f"its planes are not evenly spaced: {usual:.4g} mm apart mostly, but {steps[k]:.4g} mm between "
        f"{levels[k]:.4g} and {levels[k + 1]:.4g} mm; planes may be missing."
    )


def _sheared(headers: Sequence[DicomHeader]) -> str:
    """Say where planes are not stacked straight, as from a tilted gantry."""
    if len(headers) < 2:
        return ""
    step = np.subtract(headers[-1].origin_xyz, headers[0].origin_xyz)
    along = float(np.dot(step, headers[0].normal))
    aside = float(np.linalg.norm(step - along * headers[0].normal))
    pixel = headers[0].spacing_xyz[0]
    if aside <= max(0.02 * abs(along), pixel):
        return ""
    return (
        f"its planes are stacked aslant (by {np.degrees(np.arctan2(aside, abs(along))):.3g} degrees, as with "
        "a tilted gantry). Resample it to an upright grid first."
    )
