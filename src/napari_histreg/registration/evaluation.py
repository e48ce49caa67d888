"""How far the registrations of a cohort are off, by landmarks that they were not made from."""

import csv
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_histreg.errors import DamagedFile, HistregError
from napari_histreg.files import written_whole
from napari_histreg.landmarks.cohort import CohortPair, LandmarkSource
from napari_histreg.progress import Progress, silent
from napari_histreg.quality.target_error import TargetError, summarise_target_errors, target_error
from napari_histreg.records.record import Registration
from napari_histreg.registration.folder import read_folder
from napari_histreg.transforms import Translation

__all__ = ["CohortScore", "Score", "evaluate_folder", "write_scores"]

COLUMNS = (
    "name",
    "verdict",
    "confidence",
    "landmarks",
    "median_px",
    "mean_px",
    "p90_px",
    "max_px",
    "median_um",
    "p90_um",
    "max_um",
    "median_rtre",
    "max_rtre",
    "robustness",
    "problem",
)


@dataclass(frozen=True, eq=False)
class Score:
    """What became of one pair.

    Parameters
    ----------
    name : str
        The folder of the registration, as seen from the folder of all.
    verdict : str
        "accepted", "doubtful" or "refused"; empty where the record cannot be read.
    confidence : float or None
        From 0 to 1.
    error : TargetError or None
        None where there is no transform or there are no landmarks; see `problem`. With "refused", it
        is that of the best guess.
    problem : str
        Why there is no error; empty where there is one.
    """

    name: str
    verdict: str
    confidence: float | None
    error: TargetError | None
    problem: str = ""

    def to_row(self) -> dict[str, Any]:
        """Return the figures by the names of the columns that `write_scores` writes."""
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row |= {"name": self.name, "verdict": self.verdict, "confidence": self.confidence}
        row["problem"] = self.problem
        if self.error is not None:
            found = self.error.to_dict()
            row["landmarks"] = found["count"]
            row |= {f"{name}_px": value for name, value in found["px"].items()}
            if found["um"] is not None:
                row |= {f"{name}_um": found["um"][name] for name in ("median", "p90", "max")}
            row |= {f"{name}_rtre": found["relative"][name] for name in ("median", "max")}
            row["robustness"] = found["robustness"]
        return row


@dataclass(frozen=True, eq=False)
class CohortScore:
    """The scores of all pairs of a cohort.

    Parameters
    ----------
    scores : tuple of Score
        In the order of their names.
    """

    scores: tuple[Score, ...]

    @property
    def usable(self) -> tuple[Score, ...]:
        """Pairs that were accepted or doubtful and have an error."""
        return tuple(s for s in self.scores if s.error is not None and s.verdict != "refused")

    def to_dict(self) -> dict[str, Any]:
        """Return counts, the figures over `usable` pairs, and every pair's own, as JSON values."""
        summary = None
        if self.usable:
            figures = summarise_target_errors([s.error for s in self.usable if s.error is not None])
            summary = {name: value if np.isfinite(value) else None for name, value in figures.items()}
        return {
            "verdicts": dict(Counter(s.verdict for s in self.scores if s.verdict)),
            "without_error": sum(s.error is None for s in self.scores),
            "summary": summary,
            "pairs": [s.to_row() for s in self.scores],
        }


def evaluate_folder(
    folder: str | os.PathLike[str], landmarks: LandmarkSource, *, progress: Progress = silent
) -> CohortScore:
    """Measure the target error (TRE) of every registration in a folder.

    Robustness counts the landmarks that came closer than they lie in the files as they come, upper left
    corner on upper left corner.

    Parameters
    ----------
    folder : path-like
        Searched with all its subfolders for ``registration.json``.
    landmarks : LandmarkSource
        From `open_landmark_source`.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    CohortScore
        One pair's fault does not stop the others: it is told in that pair's `problem`.

    Raises
    ------
    DamagedFile
        There is no registration in the folder.
    """
    folder = Path(folder)
    files = sorted(folder.rglob("registration.json"))
    if not files:
        raise DamagedFile(
            f"There is no registration.json in {folder} or below. Make one for each pair with: "
            f"histreg register FIXED MOVING -o {folder}/NAME"
        )
    scores = []
    for k, file in enumerate(files):
        name = file.parent.relative_to(folder).as_posix()
        progress(k / len(files), name)
        scores.append(_score(name, file, landmarks))
    progress(1.0, f"{len(files)} pairs")
    return CohortScore(tuple(scores))


def write_scores(scores: Sequence[Score], path: str | os.PathLike[str]) -> None:
    """Write the scores as a CSV table, a row for each pair; cells of what is unknown are empty.

    Raises
    ------
    WriteError
        The file cannot be written.
    """
    with written_whole(Path(path)) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(score.to_row() for score in scores)


def _score(name: str, file: Path, landmarks: LandmarkSource) -> Score:
    try:
        record = read_folder(file)
    except HistregError as error:
        return Score(name, "", None, None, str(error))
    known = (name, record.verdict, record.confidence)
    try:
        pairs = landmarks.find(_pair(name, record))
        if pairs is None:
            return Score(*known, None, "There are no landmarks for it.")
        if record.landmarks is not None and record.landmarks.holds(pairs):
            return Score(*known, None, "It was made from these landmarks, so they cannot judge it.")
        return Score(
            *known,
            target_error(
                pairs,
                record.fixed_to_moving,
                shape=record.fixed.shape,
                pixel_size_um=record.fixed.pixel_size_um,
                initial=Translation.identity(),
            ),
        )
    except HistregError as error:
        return Score(*known, None, str(error))


def _pair(name: str, record: Registration) -> CohortPair:
    fixed, moving = record.fixed, record.moving
    return CohortPair(
        name,
        fixed.path or fixed.name,
        moving.path or moving.name,
        fixed.pixel_size_um,
        moving.pixel_size_um,
    )
