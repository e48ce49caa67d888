"""What a registration of volumes leaves: record, transform, matrix, resampled volume, picture."""

import errno
import importlib.metadata
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from napari_histreg.errors import DamagedFile, ReadError, RegistrationError, WriteError
from napari_histreg.files import check_outputs, folder_written_whole, read_text
from napari_histreg.files.ownership import check_own, digests, refuse_record
from napari_histreg.files.together import finish_interrupted
from napari_histreg.volumes.bend import VolumeBend
from napari_histreg.volumes.body import Body, body_of
from napari_histreg.volumes.itk_images import from_itk_matrix
from napari_histreg.volumes.left_out import seen_through
from napari_histreg.volumes.pose import VolumePose
from napari_histreg.volumes.registering import VolumeRegistration
from napari_histreg.volumes.resampling import itk_transform, resample_volume
from napari_histreg.volumes.volume import Volume
from napari_histreg.volumes.writing import write_volume

__all__ = ["check_volume_folder", "read_volume_pose", "three_planes", "write_volume_folder"]

RECORD, TRANSFORM, MATRIX = "volume_registration.json", "fixed_to_moving.tfm", "matrix_lps_mm.csv"
RESAMPLED, PICTURE = "moving_on_fixed.nii.gz", "overlay.png"
OTHERS = (TRANSFORM, MATRIX, RESAMPLED, PICTURE)
PICTURE_PX = 160
SOFTWARE = ("napari-histreg", "SimpleITK", "numpy")


class _Document(BaseModel):
    """What is read back of a record."""

    histreg_volumes: int
    fixed_to_moving_lps_mm: list[list[float]] | None
    verdict: str
    files: dict[str, str] = {}


def _read(path: Path) -> _Document:
    try:
        return _Document.model_validate_json(read_text(path, "a record of a registration of volumes"))
    except ValidationError as error:
        raise DamagedFile(f"{path} is no record of a registration of volumes ({RECORD}).") from error


def check_volume_folder(
    folder: str | Path, *, inputs: Iterable[str | Path] = (), overwrite: bool = False
) -> None:
    """Check before an alignment begins that its results may go into a folder.

    Parameters
    ----------
    folder : path-like
        It need not be there.
    inputs : iterable of path-like
        What is read for the alignment.
    overwrite : bool
        Also replace files of these names that no record of ours names, or that were changed since.

    Raises
    ------
    OutputIsInput
        A result would replace one of the inputs.
    WriteError
        It is no folder, or holds files under the names of results that no record of ours names.
    """
    folder = Path(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise WriteError(f"{folder} is a file, not a folder. Choose another folder for the results.")
    finish_interrupted(folder)
    check_outputs(*(folder / name for name in (RECORD, *OTHERS)), inputs=inputs)
    if overwrite:
        return
    own: dict[str, str] = {}
    if (folder / RECORD).exists():
        try:
            own = _read(folder / RECORD).files
        except ReadError as error:
            raise refuse_record(folder / RECORD, error) from error
    check_own(folder, OTHERS, own)


def write_volume_folder(result: VolumeRegistration, folder: str | Path) -> tuple[Path, ...]:
    """Write what a registration of volumes gave.

    ``volume_registration.json`` and ``overlay.png`` always; ``fixed_to_moving.tfm`` (ITK),
    ``matrix_lps_mm.csv`` (fixed to moving, acting on (x, y, z, 1) in mm) and ``moving_on_fixed.nii.gz``
    unless it was refused. A bend has no matrix. What an earlier run left under those names is taken away.
    The files come into the folder together, and the record notes which are its own.

    Parameters
    ----------
    result : VolumeRegistration
    folder : path-like
        Made if it is not there.

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
    pose = result.fixed_to_moving
    with folder_written_whole(folder, RECORD, obsolete=OTHERS) as stage:
        written: list[str] = []
        if pose is not None:
            _write_picture(result, pose, stage / PICTURE)
            written.append(PICTURE)
        if pose is not None and result.verdict.word != "refused":
            _write_transform(itk_transform(pose, result.bend), stage / TRANSFORM)
            carried = resample_volume(result.moving, result.fixed, pose, result.bend)
            write_volume(carried, stage / RESAMPLED)
            written += [TRANSFORM, RESAMPLED]
            if result.bend is None:
                np.savetxt(stage / MATRIX, pose.matrix_lps, delimiter=",", fmt="%.17g")
                written.append(MATRIX)
        values = {**to_dict(result), "files": digests(stage, written)}
        (stage / RECORD).write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
    return tuple(folder / name for name in (*written, RECORD))


def to_dict(result: VolumeRegistration) -> dict[str, Any]:
    """Return a registration of volumes as JSON values; nothing about the patient is in it."""
    pose = result.fixed_to_moving
    return {
        "histreg_volumes": 1,
        "fixed": _told(result.fixed),
        "moving": _told(result.moving),
        "convention": "the matrix maps (x, y, z, 1) of the fixed volume to the moving one, in mm; x to the "
        "left, y to the back, z to the head (LPS, as in DICOM and ITK)",
        "fixed_to_moving_lps_mm": None if pose is None else pose.matrix_lps.tolist(),
        "transform": result.freedom,
        "bend": None if result.bend is None else _bend_told(result.bend),
        "verdict": result.verdict.word,
        "confidence": result.verdict.confidence,
        "reasons": list(result.verdict.reasons),
        "measures": {k: v if np.isfinite(v) else None for k, v in result.verdict.measures.items()},
        "seconds": round(result.seconds, 2),
        "versions": {
            name: importlib.metadata.version(name) for name in ("napari-histreg", "SimpleITK", "numpy")
        },
    }


def read_volume_pose(path: str | Path, *, even_if_refused: bool = False) -> VolumePose:
    """Read the pose of a record that `write_volume_folder` wrote.

    Parameters
    ----------
    path : path-like
        The record or its folder.
    even_if_refused : bool
        Also where the registration was refused.

    Raises
    ------
    DamagedFile
        It is no such record.
    RegistrationError
        The registration was refused, or found nothing.
    """
    path = Path(path)
    path = path / RECORD if path.is_dir() else path
    try:
        found = _read(path)
        matrix = None if found.fixed_to_moving_lps_mm is None else np.array(found.fixed_to_moving_lps_mm)
        pose = None if matrix is None else VolumePose(from_itk_matrix(matrix))
    except ValueError as error:
        raise DamagedFile(f"{path} is no record of a registration of volumes ({RECORD}).") from error
    if pose is None or (found.verdict == "refused" and not even_if_refused):
        raise RegistrationError(
            f"{path}: this registration of volumes was refused; there is nothing to apply."
        )
    return pose


def three_planes(
    fixed: Volume, moving: Volume, pose: VolumePose, bend: VolumeBend | None = None
) -> NDArray[np.uint8]:
    """Picture the middle of the fixed body in three planes, before (above) and after (below).

    Fixed magenta, moving green; where they go together it turns grey.

    Returns
    -------
    (Y, X, 3) ndarray of uint8
    """
    spacing = max(n * s for n, s in zip(fixed.shape, fixed.spacing_mm, strict=True)) / PICTURE_PX
    coarse = max(spacing, min(fixed.spacing_mm))
    a, b = body_of(fixed, coarse), body_of(moving, coarse)
    before, after = seen_through(b, VolumePose.identity(), a), seen_through(b, pose, a, bend=bend)
    rows = np.concatenate([_row(a, before), _row(a, after)])
    enlarged = max(1, round(coarse / spacing))
    return rows.repeat(enlarged, axis=0).repeat(enlarged, axis=1)


def _row(fixed: Body, seen: NDArray[np.float32]) -> NDArray[np.uint8]:
    z, y, x = np.rint(np.argwhere(fixed.mask).mean(axis=0)).astype(int)
    seen = np.nan_to_num(seen)
    side = max(fixed.values.shape)
    shown = []
    for cut in (np.s_[z], np.s_[::-1, y], np.s_[::-1, :, x]):
        first, second = fixed.values[cut], seen[cut]
        colours = (np.stack([first, second, first], axis=-1) * 255).astype(np.uint8)
        room = [(side - n) // 2 for n in first.shape]
        wide = [(r, side - n - r) for r, n in zip(room, first.shape, strict=True)]
        shown.append(np.pad(colours, [*wide, (0, 0)]))
    return np.concatenate(shown, axis=1)


def _bend_told(bend: VolumeBend) -> dict[str, Any]:
    return {
        "note": f"fixed_to_moving_lps_mm is the affine part; {TRANSFORM} holds all: the bend, then it",
        "grid_spacing_mm": bend.spacing_mm,
        "smallest_jacobian": bend.smallest_jacobian,
    }


def _told(volume: Volume) -> dict[str, Any]:
    return {
        "name": volume.name,
        "path": volume.path,
        "modality": volume.modality,
        "shape_zyx": list(volume.shape),
        "spacing_mm_zyx": list(volume.spacing_mm),
    }


def _write_picture(result: VolumeRegistration, pose: VolumePose, path: Path) -> None:
    from PIL import Image

    Image.fromarray(three_planes(result.fixed, result.moving, pose, result.bend)).save(path)


def _write_transform(made: Any, path: Path) -> None:
    """Write a transform of ITK's and read it back: of a full disk SimpleITK says nothing."""
    import SimpleITK as sitk

    sitk.WriteTransform(made, str(path))
    try:
        found = sitk.ReadTransform(str(path)).GetParameters()
    except RuntimeError:
        found = ()
    if found != made.GetParameters():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
