"""The folder of results, written and read: record, matrix, landmarks, picture."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_histreg.errors import HistregError, WriteError
from napari_histreg.files import check_outputs, folder_written_whole
from napari_histreg.files.ownership import check_own, digests, refuse_record
from napari_histreg.files.together import finish_interrupted
from napari_histreg.landmarks import read_landmarks, write_landmarks
from napari_histreg.quality.pictures import before_after
from napari_histreg.records.document import read_notes, read_registration, to_json
from napari_histreg.records.field_file import FIELD, is_large, write_field_file
from napari_histreg.records.record import Registration
from napari_histreg.slides import Slide

__all__ = ["check_folder", "read_folder", "write_folder"]

RECORD = "registration.json"
OTHERS = ("overlay.png", "matrix.csv", "landmarks.csv", FIELD)


def write_folder(
    registration: Registration,
    folder: str | Path,
    fixed: Slide,
    moving: Slide,
    *,
    overwrite: bool = False,
    picture: bool = True,
) -> tuple[Path, ...]:
    """Write what a registration gave into a folder.

    ``registration.json`` and, unless `picture` is off, ``overlay.png`` always; ``matrix.csv`` (fixed to
    moving, level-0 pixels, x and y) and ``landmarks.csv`` unless it was refused; ``field.npy`` where a
    displacement has many samples, which the record then names. What an earlier run left under those names
    is taken away, so that no old matrix lies beside a refusal. The files come into
    the folder together, and the record notes which are its own: only those are replaced by a later run.

    Parameters
    ----------
    registration : Registration
    folder : path-like
        Made if it is not there.
    fixed, moving : Slide
        For the picture.
    overwrite : bool
        Also replace files of these names that no record of ours names, or that were changed since.
    picture : bool
        Whether to draw the picture.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    WriteError
        The folder cannot be made or written to, or holds files that are not replaced.
    """
    folder = Path(folder)
    check_folder(folder, overwrite=overwrite)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder} cannot be made: {error.strerror}.") from error
    with folder_written_whole(folder, RECORD, obsolete=OTHERS) as stage:
        names = _write_others(registration, stage, fixed, moving, picture=picture)
        text = to_json(registration, folder, digests(stage, names))
        (stage / RECORD).write_text(text, encoding="utf-8")
    return tuple(sorted(folder / name for name in (*names, RECORD)))


def check_folder(
    folder: str | Path, *, inputs: Iterable[str | Path | None] = (), overwrite: bool = False
) -> None:
    """Check before an alignment begins that its results may go into a folder.

    Parameters
    ----------
    folder : path-like
        It need not be there.
    inputs : iterable of path-like
        What is read for the alignment.
    overwrite : bool
        Whether files that are not a record's own may be replaced.

    Raises
    ------
    OutputIsInput
        A result would replace one of the inputs, or lie in it.
    WriteError
        It is no folder, or holds files under the names of results that no record of ours names.
    """
    folder = Path(folder)
    place = folder
    while not _is_there(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise WriteError(f"{place} is a file, not a folder. Choose another folder for the results.")
    names = (RECORD, *OTHERS)
    if place == folder:
        finish_interrupted(folder)
        check_outputs(*(folder / name for name in names), inputs=inputs)
        if not overwrite:
            _check_own(folder)
    else:
        check_outputs(place / "results", inputs=inputs)


def _check_own(folder: Path) -> None:
    """Refuse to replace what the record in the folder does not name, or what was changed since."""
    notes = {}
    if (folder / RECORD).exists():
        try:
            notes = read_notes(folder / RECORD)
        except HistregError as error:
            raise refuse_record(folder / RECORD, error) from error
    check_own(folder, OTHERS, notes)


def _write_others(
    registration: Registration, stage: Path, fixed: Slide, moving: Slide, *, picture: bool
) -> list[str]:
    """Write all but the record; returns the names."""
    written = []
    if registration.has_transform and picture:
        from PIL import Image

        overlay = before_after(fixed, moving, registration.fixed_to_moving)
        Image.fromarray(overlay).save(stage / "overlay.png")
        written.append("overlay.png")
    if registration.has_transform and is_large(registration.fixed_to_moving):
        written.append(write_field_file(registration.fixed_to_moving, stage))
    if registration.verdict != "refused":
        np.savetxt(stage / "matrix.csv", registration.matrix_px(), delimiter=",", fmt="%.17g")
        written.append("matrix.csv")
        if registration.landmarks is not None:
            write_landmarks(
                registration.landmarks,
                stage / "landmarks.csv",
                fixed_pixel_size=fixed.world_pixel_size,
                moving_pixel_size=moving.world_pixel_size,
            )
            written.append("landmarks.csv")
    return written


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise WriteError(f"{str(path)[:200]} cannot be a folder: {error.strerror}.") from None


def read_folder(path: str | Path) -> Registration:
    """Read a registration with the landmarks that lie beside it.

    Parameters
    ----------
    path : path-like
        The folder that `write_folder` wrote, or its registration.json.

    Returns
    -------
    Registration
        Without landmarks where there is no ``landmarks.csv`` beside it.

    Raises
    ------
    DamagedFile
        The record is missing or is no registration.
    LandmarkError
        The landmarks cannot be understood.
    """
    path = Path(path)
    record = read_registration(path)
    file = (path if path.is_dir() else path.parent) / "landmarks.csv"
    if not file.is_file():
        return record
    landmarks = read_landmarks(
        file,
        dialect="histreg",
        fixed_pixel_size=record.fixed.world_pixel_size,
        moving_pixel_size=record.moving.world_pixel_size,
    )
    return replace(record, outcome=replace(record.outcome, landmarks=landmarks))
