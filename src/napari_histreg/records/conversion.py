"""Transforms and landmarks carried from the file of one tool to that of another; no slides are needed."""

from pathlib import Path

from napari_histreg.errors import UnsupportedDialect
from napari_histreg.files import read_json
from napari_histreg.landmarks import read_landmarks, write_landmarks
from napari_histreg.records.document import read_registration
from napari_histreg.records.record import Registration, SlideRecord
from napari_histreg.records.reopening import require_result
from napari_histreg.records.schema import FORMAT
from napari_histreg.transforms.formats import DIALECTS, SlideFrame, convert_transform, write_transform

__all__ = ["convert_file", "is_registration"]


def convert_file(
    source: Path | Registration,
    target: Path,
    *,
    to_dialect: str | None,
    from_dialect: str | None = None,
    landmarks: bool = False,
    registration: Registration | None = None,
    fixed_pixel_size: float | None = None,
    moving_pixel_size: float | None = None,
) -> None:
    """Turn a transform or landmarks into the layout of another tool.

    Parameters
    ----------
    source : path-like or Registration
        A registration.json, or the file of another tool.
    target : path-like
        The file to write.
    to_dialect : str or None
        Its layout; for landmarks ours by default.
    from_dialect : str, optional
        The layout of `source`, where its ending does not tell.
    landmarks : bool
        Whether both hold landmarks instead of a transform.
    registration : Registration, optional
        Knows sizes and pixel sizes of the slides.
    fixed_pixel_size, moving_pixel_size : float, optional
        µm per pixel, where nothing else knows.

    Raises
    ------
    UnsupportedDialect
        No layout is named for a transform, or there is no such layout.
    ReadError, WriteError
        A file cannot be read or written.
    """
    if not landmarks and to_dialect is None:
        raise UnsupportedDialect(f"Say which layout to write: {', '.join(DIALECTS)}.")
    known = registration
    if not landmarks and (isinstance(source, Registration) or is_registration(source)):
        known = source if isinstance(source, Registration) else read_registration(source)
        require_result(known)
        source = known
    fixed = _frame(None if known is None else known.fixed, fixed_pixel_size)
    moving = _frame(None if known is None else known.moving, moving_pixel_size)
    if isinstance(source, Registration):
        write_transform(source.fixed_to_moving, target, str(to_dialect), fixed=fixed, moving=moving)
    elif landmarks:
        fixed_size = (1.0, 1.0) if fixed is None else fixed.world_pixel_size
        moving_size = (1.0, 1.0) if moving is None else moving.world_pixel_size
        found = read_landmarks(
            source, dialect=from_dialect, fixed_pixel_size=fixed_size, moving_pixel_size=moving_size
        )
        write_landmarks(
            found,
            target,
            dialect=to_dialect or "histreg",
            fixed_pixel_size=fixed_size,
            moving_pixel_size=moving_size,
        )
    else:
        convert_transform(
            source, target, from_dialect=from_dialect, to_dialect=str(to_dialect), fixed=fixed, moving=moving
        )


def is_registration(path: Path) -> bool:
    """Tell a registration.json from other tools' JSON files."""
    if path.suffix.lower() != ".json":
        return False
    return bool(read_json(path, "a transform", infinite=True).get("format") == FORMAT)


def _frame(record: SlideRecord | None, pixel_size: float | None) -> SlideFrame | None:
    size = None if pixel_size is None else (pixel_size, pixel_size)
    if record is None:
        return None if size is None else SlideFrame(pixel_size_um=size)
    return SlideFrame(pixel_size_um=size or record.pixel_size_um, shape=record.shape, name=record.name)
