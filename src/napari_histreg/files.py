"""Writing so that a file under its final name is always whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_histreg.errors import WriteError

__all__ = ["written_whole"]


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name to write to; it gets the final name only when the block ends well.

    The temporary name lies in the same folder, begins with a dot and ends in ``.part`` before the
    suffix, so that a killed run can be recognised and never taken for a result.

    Parameters
    ----------
    path : path-like
        The final name, a file or a folder. What is there already is replaced.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    WriteError
        The folder does not exist, is not writable, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_whole(Path(folder) / "matrix.csv") as temporary:
    ...         _ = temporary.write_text("1,0,0")
    ...     sorted(p.name for p in Path(folder).iterdir())
    ['matrix.csv']
    """
    final = Path(path)
    name, dot, suffixes = final.name.partition(".")
    temporary = final.with_name(f".{name}.{os.getpid()}.part{dot}{suffixes}")
    try:
        if not final.parent.is_dir():
            raise WriteError(f"{final}: the folder {final.parent} does not exist. Make it first.")
        try:
            yield temporary
            _replace(temporary, final)
        except OSError as error:
            if error.filename not in (None, str(temporary), str(final)):
                raise
            raise WriteError(f"{final} cannot be written: {error.strerror or error}.") from error
    finally:
        _remove(temporary)


def _replace(temporary: Path, final: Path) -> None:
    """Rename, over a folder too."""
    if final.is_dir() and temporary.is_dir():
        shutil.rmtree(final)
    temporary.replace(final)


def _remove(path: Path) -> None:
    """Delete a file or folder where there is one."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
