"""Whose files lie in a folder of results: only those that a record names as its own are replaced."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from napari_histreg.errors import WriteError
from napari_histreg.files.digest import file_digest

__all__ = ["check_own", "digests", "refuse_record"]


def digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return what a record notes of the files beside it: their names and SHA-256."""
    return {name: file_digest(folder / name) for name in names}


def check_own(folder: Path, names: Iterable[str], own: Mapping[str, str]) -> None:
    """Refuse to replace what a record does not name, or what was changed since.

    Parameters
    ----------
    folder : Path
        Of the results.
    names : iterable of str
        Of the files that will be written, or go.
    own : mapping of str to str
        What the record there notes of its files, see `digests`; empty where there is no record.

    Raises
    ------
    WriteError
        One of them is there and is not the record's, or no longer as it was written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "angles.txt").write_text("0")
    ...     check_own(Path(folder), ["shifts.csv"], {})
    ...     check_own(Path(folder), ["angles.txt"], digests(Path(folder), ["angles.txt"]))
    """
    for name in names:
        if not (folder / name).exists():
            continue
        if name not in own:
            raise WriteError(
                f"{folder} holds a file {name} that was not made there by this program, and would be lost. "
                "Choose another folder.",
                wants="overwrite",
            )
        if own[name] != file_digest(folder / name):
            raise WriteError(
                f"{folder / name} was changed after it was written, and would be lost. "
                "Choose another folder.",
                wants="overwrite",
            )


def refuse_record(path: Path, why: object) -> WriteError:
    """Return the error for a file that is named like a record of ours and is none."""
    return WriteError(
        f"{path.parent} holds a file {path.name} that is none of ours ({why}). Choose another folder.",
        wants="overwrite",
    )
