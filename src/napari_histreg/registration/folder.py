"""The folder of results, written and read: record, matrix, landmarks, picture."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_histreg.errors import WriteError
from napari_histreg.files import written_whole
from napari_histreg.landmarks import read_landmarks, write_landmarks
from napari_histreg.quality.pictures import before_after
from napari_histreg.records.document import read_registration, write_registration
from napari_histreg.records.record import Registration
from napari_histreg.slides import Slide

__all__ = ["read_folder", "write_folder"]


def write_folder(
    registration: Registration, folder: str | Path, fixed: Slide, moving: Slide
) -> tuple[Path, ...]:
    """Write what a registration gave into a folder.

    ``registration.json`` and ``overlay.png`` always; ``matrix.csv`` (fixed to moving, level-0 pixels, x
    and y) and ``landmarks.csv`` unless it was refused: then what an earlier run left under those
    names is taken away, so that no old matrix lies beside a refusal.

    Parameters
    ----------
    registration : Registration
    folder : path-like
        Made if it is not there.
    fixed, moving : Slide
        For the picture.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    WriteError
        The folder cannot be made or written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder} cannot be made: {error.strerror}.") from error
    stale = [folder / name for name in ("matrix.csv", "landmarks.csv", "overlay.png")]
    for path in stale:
        path.unlink(missing_ok=True)
    written = []
    if registration.has_transform:
        written.append(_write_overlay(registration, folder / "overlay.png", fixed, moving))
    if registration.verdict != "refused":
        with written_whole(folder / "matrix.csv") as temporary:
            np.savetxt(temporary, registration.matrix_px(), delimiter=",", fmt="%.17g")
        written.append(folder / "matrix.csv")
        if registration.landmarks is not None:
            write_landmarks(
                registration.landmarks,
                folder / "landmarks.csv",
                fixed_pixel_size=fixed.world_pixel_size,
                moving_pixel_size=moving.world_pixel_size,
            )
            written.append(folder / "landmarks.csv")
    # The record comes last: where it lies, the rest is complete.
    write_registration(registration, folder / "registration.json")
    written.append(folder / "registration.json")
    return tuple(sorted(written))


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


def _write_overlay(registration: Registration, path: Path, fixed: Slide, moving: Slide) -> Path:
    from PIL import Image

    picture = before_after(fixed, moving, registration.fixed_to_moving)
    with written_whole(path) as temporary:
        Image.fromarray(picture).save(temporary)
    return path
