"""Landmarks to and from files, by the dialect that lays them out."""

import importlib
import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from napari_histreg.errors import LandmarkError, UnsupportedDialect
from napari_histreg.files import written_together
from napari_histreg.geometry import FloatArray
from napari_histreg.landmarks.dialects import DIALECTS, LandmarkDialect
from napari_histreg.landmarks.landmarks import Landmarks
from napari_histreg.landmarks.layouts.pairs import Pairs
from napari_histreg.landmarks.sniffing import guess_dialect

__all__ = ["read_landmarks", "write_landmarks"]

log = logging.getLogger(__name__)

FARTHEST = 1e12


def read_landmarks(
    path: str | os.PathLike[str],
    *,
    dialect: str | None = None,
    moving_path: str | os.PathLike[str] | None = None,
    fixed_pixel_size: ArrayLike = (1.0, 1.0),
    moving_pixel_size: ArrayLike = (1.0, 1.0),
) -> Landmarks:
    """Read landmarks from a file.

    Parameters
    ----------
    path : path-like
        The file; where each side has its own, that of the fixed points.
    dialect : str, optional
        A name in `DIALECTS`; told by the file's first lines where none is given.
    moving_path : path-like, optional
        The file of the moving points, for dialects that keep a file per side.
    fixed_pixel_size, moving_pixel_size : float or (2,) array_like
        Size of a level-0 pixel (y, x) in µm; 1 where it is unknown.

    Returns
    -------
    Landmarks
        In world units. Points that a file marks as not placed are NaN, and their pairs disabled.

    Raises
    ------
    LandmarkError
        The table cannot be understood; the message names file, line and column.
    UnsupportedDialect
        There is no such dialect.
    DamagedFile
        The file is missing or cannot be read.
    """
    path = Path(path)
    second = None if moving_path is None else Path(moving_path)
    kind = _dialect(guess_dialect(path) if dialect is None else dialect)
    _check_sides(kind, path, second)
    pairs: Pairs = importlib.import_module(kind.module).read(path, second)
    if pairs.unit is not None:
        kind = replace(kind, unit=pairs.unit)
    fixed = _to_world(pairs.fixed_xy, kind, fixed_pixel_size)
    moving = _to_world(pairs.moving_xy, kind, moving_pixel_size)
    _check_places(path, pairs)
    names = None if pairs.names is None else _told_apart(pairs.names)
    return Landmarks.of(fixed, moving, names, enabled=pairs.enabled)


def write_landmarks(
    landmarks: Landmarks,
    path: str | os.PathLike[str],
    *,
    dialect: str = "histreg",
    moving_path: str | os.PathLike[str] | None = None,
    fixed_pixel_size: ArrayLike = (1.0, 1.0),
    moving_pixel_size: ArrayLike = (1.0, 1.0),
) -> None:
    """Write landmarks to a file, under a temporary name until it is whole.

    Parameters
    ----------
    landmarks : Landmarks
        In world units.
    path : path-like
        The file; where each side has its own, that of the fixed points.
    dialect : str
        A name in `DIALECTS`.
    moving_path : path-like, optional
        The file of the moving points, for dialects that keep a file per side.
    fixed_pixel_size, moving_pixel_size : float or (2,) array_like
        Size of a level-0 pixel (y, x) in µm; 1 where it is unknown.

    Raises
    ------
    UnsupportedDialect
        There is no such dialect, or it cannot hold points that are not placed.
    WriteError
        The file cannot be written.
    """
    path = Path(path)
    second = None if moving_path is None else Path(moving_path)
    kind = _dialect(dialect)
    _check_sides(kind, path, second)
    landmarks = _what_fits(landmarks, kind)
    pairs = Pairs(
        _from_world(landmarks.fixed, kind, fixed_pixel_size),
        _from_world(landmarks.moving, kind, moving_pixel_size),
        landmarks.names,
        landmarks.enabled,
        fixed_mpp=float(np.asarray(fixed_pixel_size, float).mean()),
        moving_mpp=float(np.asarray(moving_pixel_size, float).mean()),
    )
    with written_together(path, *([] if second is None else [second])) as files:
        importlib.import_module(kind.module).write(pairs, files[0], files[1] if second is not None else None)


def _check_places(path: Path, pairs: Pairs) -> None:
    """Refuse points so far off that sums of squares of them are no numbers any more."""
    for points in (pairs.fixed_xy, pairs.moving_xy):
        far = np.flatnonzero((np.abs(points) > FARTHEST).any(axis=1))
        if len(far):
            name = pairs.names[far[0]] if pairs.names else str(far[0] + 1)
            raise LandmarkError(
                f"{path}: the point {name[:40]!r} at {points[far[0]].tolist()} lies on no slide. Correct it."
            )


def _dialect(name: str) -> LandmarkDialect:
    if name not in DIALECTS:
        raise UnsupportedDialect(
            f"There is no landmark layout {name!r}. Those known are: {', '.join(DIALECTS)}."
        )
    return DIALECTS[name]


def _check_sides(kind: LandmarkDialect, path: Path, moving_path: Path | None) -> None:
    if kind.side_files and moving_path is None:
        raise LandmarkError(
            f"{path} holds the points of one side ({kind.title}). Give the file of the moving points too.",
            wants="moving landmarks",
        )
    if not kind.side_files and moving_path is not None:
        raise LandmarkError(
            f"{path} holds both sides ({kind.title}), so {moving_path} has no place. Pass one file."
        )


def _what_fits(landmarks: Landmarks, kind: LandmarkDialect) -> Landmarks:
    if not kind.holds_enabled and not landmarks.enabled.all():
        log.info("%s cannot switch pairs off: only the enabled ones are written.", kind.title)
        landmarks = landmarks.subset(landmarks.enabled)
    if not kind.holds_unplaced and not landmarks.placed.all():
        count = int((~landmarks.placed).sum())
        raise UnsupportedDialect(
            f"{count} of {len(landmarks)} pairs lack a point, and {kind.title} cannot hold that. "
            "Place them or leave them out (landmarks.subset(landmarks.placed))."
        )
    return landmarks


def _scale(kind: LandmarkDialect, pixel_size: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the pixel size (y, x), and how many world units the file's unit is (y, x)."""
    size = np.broadcast_to(np.asarray(pixel_size, float), (2,))
    if not (np.isfinite(size).all() and (size > 0).all()):
        raise ValueError(f"A pixel size must be two numbers above 0 (y, x), not {pixel_size!r}.")
    return size, size if kind.unit == "px" else np.ones(2)


def _to_world(points_xy: FloatArray, kind: LandmarkDialect, pixel_size: ArrayLike) -> FloatArray:
    size, unit = _scale(kind, pixel_size)
    half = 0.5 * size if kind.origin == "corner" else 0.0
    return np.asarray(points_xy[:, ::-1] * unit - half)


def _from_world(points: FloatArray, kind: LandmarkDialect, pixel_size: ArrayLike) -> FloatArray:
    size, unit = _scale(kind, pixel_size)
    half = 0.5 * size if kind.origin == "corner" else 0.0
    return np.asarray(((points + half) / unit)[:, ::-1])


def _told_apart(names: tuple[str, ...]) -> tuple[str, ...]:
    """Give repeated or empty names of foreign files a number, so that each pair has its own."""
    taken, used = set(names) - {""}, set[str]()
    following: dict[str, int] = {}
    result = []
    for k, name in enumerate(names):
        free = name
        while not free or free in used or (free != name and free in taken):
            # An empty name becomes its place in the table, or what follows that is free.
            number = following.get(name, 2 if name else k + 1)
            following[name] = max(number, 0 if name else k + 1) + 1
            free = f"{name} ({number})" if name else str(following[name] - 1)
        used.add(free)
        result.append(free)
    return tuple(result)
