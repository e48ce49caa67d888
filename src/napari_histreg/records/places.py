"""Where a slide lies, as a record notes it: as typed, and as seen from the record."""

import os
import urllib.parse
from pathlib import Path

from napari_histreg.slides.address import file_of

__all__ = ["as_noted", "as_path", "find_slide", "is_there", "seen_from"]

_URL = "file://"


def as_noted(path: str | None) -> str | None:
    r"""Return a path as text that every JSON file can hold.

    A name that is no Unicode becomes a file URL, which keeps its bytes.

    Examples
    --------
    >>> as_noted("slides/he.svs"), as_noted("/a/no-utf8-\udcff.tif")
    ('slides/he.svs', 'file:///a/no-utf8-%FF.tif')
    """
    if path is None:
        return None
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return _URL + urllib.parse.quote(os.fsencode(Path(path).absolute()))
    return path


def as_path(noted: str) -> str:
    """Return the path that `as_noted` noted."""
    if not noted.startswith(_URL):
        return noted
    return os.fsdecode(urllib.parse.unquote_to_bytes(noted.removeprefix(_URL)))


def seen_from(folder: Path | None, path: str | None) -> str | None:
    """Return the path as seen from a folder, in the form of `as_noted`; None where it cannot be seen."""
    if folder is None or path is None:
        return None
    try:
        near = os.path.relpath(path, folder)
        near.encode("utf-8")
    except (ValueError, OSError):
        return None
    return Path(near).as_posix()


def find_slide(folder: Path | None, noted: str | None, near: str | None) -> str | None:
    """Return where a slide is: as seen from the record's folder where it is there, else as typed.

    Parameters
    ----------
    folder : Path or None
        Of the record.
    noted, near : str or None
        What `as_noted` and `seen_from` gave.
    """
    if noted is None:
        return None
    typed = as_path(noted)
    for relative in (near, None if Path(typed).is_absolute() else typed):
        if folder is not None and relative is not None and is_there(file_of(folder / relative)):
            return os.path.normpath(folder / relative)
    return typed


def is_there(path: Path) -> bool:
    """Tell whether there is a file; a name that no file can have is none."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
