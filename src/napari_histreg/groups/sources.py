"""The slides that a group is made from: files, folders, tables; and found again later."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_histreg.errors import DamagedFile, ReadError
from napari_histreg.files import read_text
from napari_histreg.groups.group import GroupRegistration
from napari_histreg.records.reopening import reopen
from napari_histreg.slides import Slide
from napari_histreg.slides.opening import READERS

__all__ = ["Source", "find_sources", "reopen_member"]


@dataclass(frozen=True)
class Source:
    """One slide to be opened.

    Parameters
    ----------
    path : Path
        The file.
    name : str or None
        To call it by.
    pixel_size_um : float or None
        Over what the file says.
    """

    path: Path
    name: str | None = None
    pixel_size_um: float | None = None


def find_sources(paths: Iterable[str | Path]) -> list[Source]:
    """List the slides behind files, folders and tables.

    Parameters
    ----------
    paths : iterable of path
        A slide; a folder, for all slides in it by name; or a ``.csv`` table with a column ``slide`` (paths
        relative to the table) and, if wanted, ``name`` and ``pixel_size_um``.

    Returns
    -------
    list of Source
        Each file once, in the order given.

    Raises
    ------
    ReadError
        A folder holds no slide, or a table has no such column or a number that is none; the message says
        where.
    """
    found: dict[Path, Source] = {}
    for path in map(Path, paths):
        if path.suffix.lower() == ".csv":
            sources = _from_table(path)
        elif path.is_dir() and not _is_slide_folder(path):
            sources = _from_folder(path)
        else:
            sources = [Source(path)]
        for source in sources:
            found.setdefault(source.path.absolute(), source)
    return list(found.values())


def _is_slide_folder(path: Path) -> bool:
    from napari_histreg.slides.readers._ome_zarr import is_zarr_folder

    return is_zarr_folder(path)


def _from_folder(folder: Path) -> list[Source]:
    from napari_histreg.groups.recipe import natural_order

    endings = tuple(suffix for reader in READERS for suffix in reader.suffixes)
    inside = [
        path
        for path in folder.iterdir()
        if not path.name.startswith(".")
        and path.name.lower().endswith(endings)
        and (path.is_file() or _is_slide_folder(path))
    ]
    if not inside:
        raise ReadError(f"{folder} holds no slide that can be read.")
    return [Source(inside[k]) for k in natural_order([path.name for path in inside])]


def _from_table(path: Path) -> list[Source]:
    text = read_text(path, "a table of slides")
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True))
    except csv.Error as error:
        raise DamagedFile(f"{path} is not a table that can be read: {error}.") from error
    if not rows or "slide" not in rows[0]:
        raise DamagedFile(
            f'{path} is no table of slides: it needs a column "slide", with a path in each row.'
        )
    sources = []
    for number, row in enumerate(rows, 2):
        where = (row.get("slide") or "").strip()
        if not where:
            raise DamagedFile(f"Line {number} of {path} names no slide.")
        size = (row.get("pixel_size_um") or "").strip()
        try:
            value = float(size) if size else None
        except ValueError:
            raise DamagedFile(f"Line {number} of {path}: {size!r} is no pixel size in µm.") from None
        sources.append(Source(path.parent / where, (row.get("name") or "").strip() or None, value))
    return sources


def reopen_member(group: GroupRegistration, k: int, folders: Sequence[Path] = ()) -> Slide:
    """Open a slide of a group again, and make sure that it is the same.

    Parameters
    ----------
    group : GroupRegistration
    k : int
        Its place.
    folders : sequence of Path
        Where to look for it by its file name, if it has moved.

    Returns
    -------
    Slide
        With the name and pixel size that it had.

    Raises
    ------
    DamagedFile
        It is not there, or is another slide.
    """
    record = group.members[k].slide
    where = None
    if record.path is not None and not Path(record.path).exists():
        # A record from another system may have its separators.
        name = record.path.replace("\\", "/").rsplit("/", 1)[-1]
        where = next((str(folder / name) for folder in folders if (folder / name).exists()), None)
    return reopen(record, where, "slide of the group")
