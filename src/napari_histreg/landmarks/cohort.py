"""Landmarks of many pairs of slides: a folder of files, or the table of the ANHIR or ACROBAT challenge."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Protocol

import numpy as np

from napari_histreg.errors import DamagedFile, LandmarkError, MissingPixelSize
from napari_histreg.landmarks.dialects import DIALECTS
from napari_histreg.landmarks.exchange import read_landmarks
from napari_histreg.landmarks.landmarks import Landmarks
from napari_histreg.landmarks.layouts import _acrobat
from napari_histreg.landmarks.layouts.cells import Row, as_word, columns_of, read_rows

__all__ = ["CohortPair", "LandmarkSource", "open_landmark_source"]

ANHIR_COLUMNS = ("Target image", "Source image", "Target landmarks", "Source landmarks")
SUFFIXES = tuple(dict.fromkeys(suffix for dialect in DIALECTS.values() for suffix in dialect.suffixes))


@dataclass(frozen=True)
class CohortPair:
    """What tells the landmarks of one pair of slides from those of the others.

    Parameters
    ----------
    name : str
        Of the pair, such as the name of its folder of results.
    fixed_path, moving_path : str
        The files of the slides.
    fixed_pixel_size_um, moving_pixel_size_um : (float, float) or None
        (y, x); None where it is unknown.
    """

    name: str
    fixed_path: str
    moving_path: str
    fixed_pixel_size_um: tuple[float, float] | None = None
    moving_pixel_size_um: tuple[float, float] | None = None


class LandmarkSource(Protocol):
    """Where the landmarks of many pairs come from."""

    def find(self, pair: CohortPair) -> Landmarks | None:
        """Return the landmarks of a pair in world units, or None where it has none.

        Raises
        ------
        LandmarkError, DamagedFile, MissingPixelSize
            They are there and cannot be used.
        """


def open_landmark_source(
    path: str | os.PathLike[str], *, moving_path: str | os.PathLike[str] | None = None
) -> LandmarkSource:
    """Open the landmarks of many pairs.

    Parameters
    ----------
    path : path-like
        One of these:

        - a folder with a file for each pair, called like the pair (``case7.csv``), or with a file for
          each slide, called like the slide (``he.csv``, ``ihc.csv``);
        - an ANHIR cover table (columns "Target image", "Source image", "Target landmarks", "Source
          landmarks", paths relative to the table), rows found by the slides' files;
        - an ACROBAT table (columns anon_id, point_id, x_target, y_target, x_source, y_source, in µm),
          rows found by anon_id, which is the pair's name.
    moving_path : path-like, optional
        The table of the source points, where an ACROBAT table holds the target points only.

    Raises
    ------
    DamagedFile
        It is not there or cannot be read.
    LandmarkError
        It is none of these.
    """
    path = Path(path)
    second = None if moving_path is None else Path(moving_path)
    if path.is_dir():
        return _Folder(path)
    header = read_rows(path)[0]
    columns = {cell.strip('" ').casefold() for cell in header.cells}
    if {"anon_id", "point_id"} <= columns:
        return _Acrobat(path, second)
    if "target image" in columns:
        return _Anhir(path)
    raise LandmarkError(
        f"{path} is no table of many pairs: its header holds neither {', '.join(ANHIR_COLUMNS)} (ANHIR) nor "
        "anon_id, point_id (ACROBAT). For a folder of results pass one of these, or a folder "
        "of landmark files."
    )


class _Folder:
    """A file for each pair, or a file for each slide."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, list[Path]] = {}
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix.lower() in SUFFIXES:
                for name in {file.stem, file.relative_to(folder).with_suffix("").as_posix()}:
                    self.files.setdefault(name, []).append(file)

    def find(self, pair: CohortPair) -> Landmarks | None:
        whole = self._one(pair.name) or self._one(PurePath(pair.name).name)
        if whole is not None:
            return _read(pair, whole, None)
        sides = [self._one(_stem(path)) for path in (pair.fixed_path, pair.moving_path)]
        if sides[0] is None or sides[1] is None:
            return None
        return _read(pair, sides[0], sides[1])

    def _one(self, name: str) -> Path | None:
        files = self.files.get(name, [])
        if len(files) > 1:
            raise LandmarkError(f"Both {files[0]} and {files[1]} are called {name}; keep one of them.")
        return files[0] if files else None


class _Anhir:
    """Rows name both images and both files of landmarks."""

    def __init__(self, table: Path) -> None:
        header, *self.rows = read_rows(table)
        self.column = columns_of(header, ANHIR_COLUMNS)
        self.folder = table.parent

    def find(self, pair: CohortPair) -> Landmarks | None:
        wanted = (pair.fixed_path, pair.moving_path)
        found = [row for row in self.rows if all(map(_ends_alike, wanted, self._images(row)))]
        if not found:
            # Where images were moved, their names alone tell them, if no other row has the same.
            names = [PurePath(path).name for path in wanted]
            found = [
                row for row in self.rows if [PurePath(image).name for image in self._images(row)] == names
            ]
        if not found:
            return None
        if len(found) > 1:
            raise LandmarkError(
                f"{found[0].path}, lines {found[0].line} and {found[1].line}: both are for "
                f"{pair.fixed_path} and {pair.moving_path}; keep one of them."
            )
        files = [self.folder / self._cell(found[0], key) for key in ANHIR_COLUMNS[2:]]
        return _read(pair, *files, dialect="anhir")

    def _images(self, row: Row) -> list[str]:
        return [self._cell(row, key) for key in ANHIR_COLUMNS[:2]]

    def _cell(self, row: Row, key: str) -> str:
        return as_word(row, self.column[key], key).replace("\\", "/")


class _Acrobat:
    """One table for all cases, in µm."""

    def __init__(self, table: Path, moving_table: Path | None) -> None:
        self.table = table
        self.cases = _acrobat.read_cases(table, moving_table)

    def find(self, pair: CohortPair) -> Landmarks | None:
        points = self.cases.get(PurePath(pair.name).name)
        if points is None:
            return None
        for path, size in (
            (pair.fixed_path, pair.fixed_pixel_size_um),
            (pair.moving_path, pair.moving_pixel_size_um),
        ):
            if size is None:
                raise MissingPixelSize(
                    f"{self.table} is in µm, and the pixel size of {path} is unknown. Register the pair "
                    "again with its pixel size given."
                )
        return Landmarks.of(
            np.asarray(points.fixed_xy[:, ::-1]), np.asarray(points.moving_xy[:, ::-1]), points.names
        )


def _read(pair: CohortPair, path: Path, moving: Path | None, *, dialect: str | None = None) -> Landmarks:
    missing = [file for file in (path, moving) if file is not None and not file.is_file()]
    if missing:
        raise DamagedFile(f"{missing[0]} does not exist. Check the name.")
    return read_landmarks(
        path,
        dialect=dialect,
        moving_path=moving,
        fixed_pixel_size=pair.fixed_pixel_size_um or (1.0, 1.0),
        moving_pixel_size=pair.moving_pixel_size_um or (1.0, 1.0),
    )


def _stem(path: str) -> str:
    """Return a slide's name without its endings, of which OME files have two."""
    name = PurePath(path).name
    return name[: name.lower().index(".ome.")] if ".ome." in name.lower() else PurePath(name).stem


def _ends_alike(path: str, tail: str) -> bool:
    wanted: Sequence[str] = PurePath(tail).parts
    return PurePath(path).parts[-len(wanted) :] == tuple(wanted)
