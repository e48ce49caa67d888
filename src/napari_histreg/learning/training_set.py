"""The pairs that are learned from: a table, and each pair's planes on the frame of its affine alignment."""

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.cohorts.case import Case
from napari_histreg.cohorts.table import read_cases
from napari_histreg.errors import DamagedFile, RegistrationError
from napari_histreg.files import read_text
from napari_histreg.files.digest import file_digest
from napari_histreg.learning.tensors import read_tensors, write_tensors
from napari_histreg.methods.nonrigid.dense import DensePair, lay_out
from napari_histreg.methods.signal import comparable_pair
from napari_histreg.preprocess import Recipe as SignalRecipe
from napari_histreg.preprocess import prepare_pair
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.records.record import StepLog
from napari_histreg.registration.automatic.automatic import Automatic
from napari_histreg.registration.automatic.overview import look_at
from napari_histreg.registration.request import Request
from napari_histreg.slides import Slide, open_slide
from napari_histreg.transforms import Transform

__all__ = ["TrainingPair", "TrainingSet", "laid_out", "lights_of", "prepare_pairs", "read_pairs"]

KEPT_IN_MEMORY = 64
Plane = NDArray[np.float32]


@dataclass(frozen=True)
class TrainingPair:
    """A row of the table.

    Parameters
    ----------
    case : Case
        The two slides and what was asked for them.
    specimen : str
        Pairs of one specimen are never in two sets.
    """

    case: Case
    specimen: str


def read_pairs(path: str | os.PathLike[str]) -> tuple[TrainingPair, ...]:
    """Read a table of pairs to learn from.

    Parameters
    ----------
    path : path-like
        A table of cases (see `read_cases`) with a column ``specimen``; without it, each row is one.

    Raises
    ------
    DamagedFile
        The table cannot be read, or a case is no pair.
    """
    cases = read_cases(path)
    groups = [case.name for case in cases if len(case.slides) != 2]
    if groups:
        raise DamagedFile(f"{path}: {groups[0]!r} has more than two slides. Name pairs: case,fixed,moving.")
    specimens = _column(Path(path), "specimen") or [case.name for case in cases]
    if len(specimens) != len(cases) or not all(specimens):
        raise DamagedFile(f"{path}: the column specimen must name one in each row, one row for each pair.")
    return tuple(TrainingPair(case, specimen) for case, specimen in zip(cases, specimens, strict=True))


def _column(path: Path, name: str) -> list[str] | None:
    text = read_text(path, "a table of pairs")
    first = next(line for line in text.splitlines() if line.strip())
    rows = [
        row
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
        if any(row)
    ]
    header = [cell.strip().casefold() for cell in rows[0]]
    if name not in header:
        return None
    at = header.index(name)
    return [row[at].strip() if at < len(row) else "" for row in rows[1:]]


@dataclass(frozen=True)
class PreparedPair:
    """A prepared pair.

    Parameters
    ----------
    name, specimen : str
    planes : path
        The file of its planes.
    digests : tuple of str
        SHA-256 of both files.
    lights : (str, str)
        "brightfield" or "fluorescence", fixed and moving.
    spacing_um : float or None
        Of the planes; None where the pixel size is not known.
    """

    name: str
    specimen: str
    planes: Path
    digests: tuple[str, str]
    lights: tuple[str, str]
    spacing_um: float | None


class TrainingSet(Sequence[PreparedPair]):
    """Prepared pairs, whose planes are read where they are needed.

    Parameters
    ----------
    rows : sequence of PreparedPair
    skipped : mapping of str to str
        Pairs that were left out, and why.
    """

    def __init__(self, rows: Sequence[PreparedPair], skipped: Mapping[str, str]) -> None:
        self._rows = tuple(rows)
        self.skipped = dict(skipped)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __iter__(self) -> Iterator[PreparedPair]:
        return iter(self._rows)

    @property
    def specimens(self) -> list[str]:
        """The specimen of each pair."""
        return [row.specimen for row in self._rows]

    def planes(self, index: int) -> tuple[Plane, Plane, Plane]:
        """Return fixed, moving and weight of a pair, (Y, X) each."""
        return _read_planes(self._rows[index].planes)


@lru_cache(KEPT_IN_MEMORY)
def _read_planes(path: Path) -> tuple[Plane, Plane, Plane]:
    found = read_tensors(path)
    return found["fixed"], found["moving"], found["weight"]


def prepare_pairs(
    pairs: Sequence[TrainingPair], folder: Path, max_side_px: int, *, progress: Progress = silent
) -> TrainingSet:
    """Align each pair affinely and write its planes down; what is there already is kept.

    Parameters
    ----------
    pairs : sequence of TrainingPair
    folder : path
        Takes a file for each pair.
    max_side_px : int
        Longest side of the planes.
    progress : Progress, optional
        Told of each pair; may raise `Cancelled`.

    Returns
    -------
    TrainingSet
        Without the pairs whose alignment is refused; `TrainingSet.skipped` says why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, skipped = [], {}
    for k, pair in enumerate(pairs):
        part = portion(progress, k / len(pairs), (k + 1) / len(pairs))
        part(0.0, f"preparing {pair.case.name}")
        try:
            rows.append(_prepared(pair, folder, max_side_px, part))
        except RegistrationError as error:
            skipped[pair.case.name] = str(error)
    return TrainingSet(rows, skipped)


def _prepared(pair: TrainingPair, folder: Path, max_side_px: int, progress: Progress) -> PreparedPair:
    options = pair.case.options
    paths = [slide.path for slide in pair.case.slides]
    sizes = (options.fixed_pixel_size, options.moving_pixel_size)
    with (
        open_slide(paths[0], pixel_size_um=sizes[0]) as fixed,
        open_slide(paths[1], pixel_size_um=sizes[1]) as moving,
    ):
        digests = tuple(file_digest(Path(path)) if Path(path).is_file() else "" for path in paths)
        lights = lights_of(fixed, moving)
        planes = folder / f"{pair.case.name}.{max_side_px}.{digests[0][:12]}.{digests[1][:12]}.safetensors"
        if planes.exists():
            spacing = float(read_tensors(planes)["spacing"][0])
        else:
            outcome = Automatic(sharpen=False).align(
                fixed, moving, Request(), log=StepLog(), progress=progress
            )
            if outcome.fixed_to_moving is None or outcome.verdict == "refused":
                raise RegistrationError(" ".join(outcome.reasons))
            laid = laid_out(fixed, moving, outcome.fixed_to_moving, Request(), max_side_px)
            spacing = float(laid.frame.spacing[0])
            arrays = {"fixed": laid.fixed, "moving": laid.moving, "weight": laid.weight}
            write_tensors(planes, {**arrays, "spacing": np.array([spacing])})
        known = fixed.pixel_size_um is not None
        return PreparedPair(
            pair.case.name,
            pair.specimen,
            planes,
            (digests[0], digests[1]),
            lights,
            spacing if known else None,
        )


def laid_out(fixed: Slide, moving: Slide, start: Transform, request: Request, max_side_px: int) -> DensePair:
    """Bring both slides to the planes that networks see, in training as when they are applied."""
    channels = (request.fixed_channel, request.moving_channel)
    recipes = [SignalRecipe(signal="nuclear", channel=channel) for channel in channels]
    return lay_out(*comparable_pair(*prepare_pair(fixed, moving, *recipes)), start, max_side_px)


def lights_of(fixed: Slide, moving: Slide) -> tuple[str, str]:
    """Return by which light both slides were taken."""
    return str(look_at(fixed).modality), str(look_at(moving).modality)
