"""Whether the files that a result was made from are still the same."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from napari_histreg.slides import open_slide
from napari_histreg.slides.address import file_of
from napari_histreg.slides.fingerprint import fingerprint

__all__ = ["InputFile", "are_unchanged", "look_at", "with_fingerprints"]


class InputFile(BaseModel):
    """A file as it was when it was read.

    Parameters
    ----------
    path : str
        What was opened.
    bytes : int or None
        Its size, with all that belongs to it; None where it was not there.
    modified_ns : int
        When it was last written.
    fingerprint : str
        Of the pixels, where it is a slide that could be opened.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    bytes: int | None = None
    modified_ns: int = 0
    fingerprint: str = ""


def look_at(path: str) -> InputFile:
    """Note size and time of a file, or of a folder with all that it holds; reads no content.

    Examples
    --------
    >>> look_at("no such file").bytes is None
    True
    """
    try:
        found = [entry.stat() for entry in _parts(file_of(path))]
    except (OSError, ValueError):
        return InputFile(path=path)
    return InputFile(
        path=path,
        bytes=sum(one.st_size for one in found),
        modified_ns=max((one.st_mtime_ns for one in found), default=0),
    )


def with_fingerprints(inputs: Iterable[InputFile], known: dict[str, str]) -> tuple[InputFile, ...]:
    """Add the fingerprints of the slides that were opened, by their paths."""
    return tuple(one.model_copy(update={"fingerprint": known.get(one.path, "")}) for one in inputs)


def are_unchanged(before: Sequence[InputFile], paths: Sequence[str]) -> bool:
    """Tell whether files hold what they held.

    Size and time tell for nearly all. A slide that was only copied, moved or touched is told by the
    fingerprint of its pixels.

    Parameters
    ----------
    before : sequence of InputFile
        What was noted.
    paths : sequence of str
        The files that would be read, in the same order.
    """
    return len(before) == len(paths) and all(map(_is_unchanged, before, paths))


def _is_unchanged(before: InputFile, path: str) -> bool:
    found = look_at(path)
    if found.bytes is None or before.bytes is None:
        return found.bytes == before.bytes
    if found.model_copy(update={"fingerprint": before.fingerprint}) == before:
        return True
    if found.bytes != before.bytes or not before.fingerprint:
        return False
    try:
        with open_slide(path) as slide:
            return fingerprint(slide) == before.fingerprint
    except Exception:  # noqa: BLE001 - whatever it is now, it is not what it was
        return False


def _parts(path: Path) -> Iterator[Path]:
    """Yield a file, or all files of a folder; 3DHISTECH keeps its data in a folder of the same name."""
    beside = path.with_suffix("") if path.suffix.lower() == ".mrxs" else None
    if not path.is_dir():
        yield path
    for folder in (path, beside):
        if folder is not None and folder.is_dir():
            for where, folders, names in os.walk(folder):
                folders.sort()
                yield from (Path(where) / name for name in sorted(names))
