"""What must not be overwritten: whatever is read, whatever is no file, and folders of other things."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_histreg.errors import OutputIsInput, WriteError
from napari_histreg.files.reading import kind_of

__all__ = ["check_output", "check_outputs", "claim", "claimed", "is_zarr"]

_ZARR_NOTES = ("zarr.json", ".zgroup", ".zarray")
_ZARR_FILES = (*_ZARR_NOTES, ".zattrs", ".zmetadata")

_claims: Counter[Path] = Counter()
_lock = threading.Lock()


def claim(path: str | os.PathLike[str]) -> Callable[[], None]:
    """Note that a file or folder is being read, so that nothing here replaces it.

    Returns
    -------
    callable
        Gives it up; calling it again does nothing.
    """
    file = Path(path).absolute()
    with _lock:
        _claims[file] += 1
    given_up = False

    def give_up() -> None:
        nonlocal given_up
        with _lock:
            if not given_up:
                _claims[file] -= 1
                if _claims[file] <= 0:
                    del _claims[file]
            given_up = True

    return give_up


@contextmanager
def claimed(*paths: str | os.PathLike[str] | None) -> Iterator[None]:
    """Claim files while a block runs; None and names of nothing are left out.

    Examples
    --------
    >>> with claimed("slide.svs", None):
    ...     pass
    """
    ends = [claim(path) for path in paths if path is not None]
    try:
        yield
    finally:
        for give_up in ends:
            give_up()


def check_output(path: str | os.PathLike[str], *, folder: bool = False) -> Path:
    """Return where an output will lie, if it may lie there; changes nothing.

    Parameters
    ----------
    path : path-like
        The final name; a symbolic link stands for what it points to.
    folder : bool
        Whether the output is a folder (a Zarr).

    Raises
    ------
    OutputIsInput
        It is a file that is read, or lies within a folder that is.
    WriteError
        Its folder does not exist, or something is there that must not be replaced.
    """
    given = Path(path)
    try:
        final = Path(os.path.realpath(given)) if given.is_symlink() else given
        parent_is_there, mode = final.parent.is_dir(), _mode(final)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "the name is impossible"
        raise WriteError(f"{str(given)[:200]!r} cannot be written: {said}.") from None
    if str(path) == "" or final.name in ("", ".."):
        raise WriteError(f"{str(path)!r} names no file. Name the one to write.")
    if not parent_is_there:
        raise WriteError(f"{final}: the folder {final.parent} does not exist. Make it first.")
    if mode is not None:
        _check_kind(final, kind_of(mode), folder=folder)
    _check_claims(given, final)
    return final


def check_outputs(
    *outputs: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str] | None] = ()
) -> None:
    """Check before the work begins that its outputs may be written, and are none of its inputs.

    Raises
    ------
    OutputIsInput, WriteError
        As `check_output`.
    """
    with claimed(*inputs):
        for output in outputs:
            check_output(output, folder=str(output).lower().endswith(".zarr"))


def is_zarr(folder: Path) -> bool:
    """Tell whether a folder holds a Zarr, and nothing else: only such a one is replaced by another."""
    names = [path.name for path in folder.iterdir()]
    if not names:
        return True
    return any(name in names for name in _ZARR_NOTES) and all(
        name in _ZARR_FILES or any((folder / name / note).is_file() for note in _ZARR_NOTES) for name in names
    )


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _check_kind(final: Path, kind: str, *, folder: bool) -> None:
    """Refuse to replace what is there where it is not of the kind that is written."""
    if kind not in ("", "a folder"):
        raise WriteError(f"{final} is {kind}, not a file, and is not replaced. Name a file.")
    if folder and kind == "":
        raise WriteError(f"{final} is a file, and a folder is to be written. Choose another name.")
    if folder and not is_zarr(final):
        raise WriteError(f"{final} holds other things than a Zarr, and is not replaced. Choose another name.")
    if not folder and kind == "a folder":
        raise WriteError(f"{final} is a folder. Name a file in it.")


def _check_claims(given: Path, final: Path) -> None:
    """Refuse what would replace, or lie in, something that is read."""
    with _lock:
        sources = list(_claims)
    place = Path(os.path.realpath(final))
    for source in sources:
        for one in (source, *_companions(source)):
            if not _is_there(one):
                continue
            if _is_same(final, one):
                raise OutputIsInput(f"{given} is read for this, and would be lost. Choose another name.")
            real = Path(os.path.realpath(one))
            if one.is_dir() and real in place.parents:
                raise OutputIsInput(f"{given} lies in {one}, which is read for this. Choose another folder.")
            if place in real.parents and final.is_dir():
                raise OutputIsInput(f"{given} holds {one}, which is read for this. Choose another name.")


def _companions(source: Path) -> Iterator[Path]:
    """Yield the folders that hold the data of a slide's file, as those of 3DHISTECH and Olympus do."""
    suffix = source.suffix.lower()
    if suffix == ".mrxs":
        yield source.with_suffix("")
    elif suffix == ".vsi":
        yield source.with_name(f"_{source.stem}_")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return os.path.realpath(one) == os.path.realpath(other)
