"""Writing so that a file under its final name is always whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_histreg.errors import WriteError
from napari_histreg.files.claims import check_output
from napari_histreg.files.interruption import uninterrupted
from napari_histreg.files.strays import ASIDE, clear_strays, remove, temporary_name

__all__ = ["replace", "written_whole"]


@contextmanager
def written_whole(path: str | os.PathLike[str], *, folder: bool = False) -> Iterator[Path]:
    """Give a temporary name to write to; it gets the final name only when the block ends well.

    The temporary name lies in the same folder and begins with a dot, so that it is never taken for a
    result. What a killed run left there under such names is cleared away first.

    Parameters
    ----------
    path : path-like
        The final name. A file that is there is replaced, through a symbolic link too; what is no file, or
        is open as a slide, is not.
    folder : bool
        Whether a folder will be written; only a Zarr that is there is replaced by it.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    WriteError
        The folder does not exist, is not writable, the disk is full, or what is there is not replaced.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_whole(Path(folder) / "matrix.csv") as temporary:
    ...         _ = temporary.write_text("1,0,0")
    ...     sorted(p.name for p in Path(folder).iterdir())
    ['matrix.csv']
    """
    final = check_output(path, folder=folder)
    temporary = temporary_name(final)
    clear_strays(final.parent)
    try:
        with named(final, temporary):
            yield temporary
            with uninterrupted():
                replace(temporary, final)
    finally:
        remove(temporary)


@contextmanager
def named(final: Path, *own: Path) -> Iterator[None]:
    """Say of what the disk refuses in a block which file it was to become."""
    try:
        yield
    except OSError as error:
        if error.filename is not None and not _is_own(error.filename, final, *own):
            raise
        raise WriteError(f"{final} cannot be written: {error.strerror or error}.") from error


def _is_own(name: object, *own: Path) -> bool:
    """Tell whether a name is one of our own, or lies in one that is a folder."""
    place = Path(os.fsdecode(name)) if isinstance(name, str | bytes) else Path()
    return any(place == one or one in place.parents for one in own)


def replace(temporary: Path, final: Path) -> None:
    """Rename, over a folder too; at no moment is a part of either under the final name."""
    if not (final.is_dir() and temporary.is_dir()):
        temporary.replace(final)
        return
    aside = temporary_name(final, ASIDE)
    final.rename(aside)
    try:
        temporary.rename(final)
    except OSError:
        aside.rename(final)
        raise
    remove(aside)
