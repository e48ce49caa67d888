"""The one way to open a file from outside: a regular file, of bounded size, in a known encoding."""

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from napari_histreg.errors import DamagedFile, HistregError, ReadError
from napari_histreg.files.limits import LIMITS

__all__ = ["MOST_DEPTH", "parse_json", "read_bytes", "read_json", "read_text", "regular_file"]

MOST_DEPTH = 100
"""How deep JSON may be nested; what people and programs write stays below 20."""
MOST_DIGITS = 40
"""Digits of a whole number in JSON; more is no number of this world."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def kind_of(mode: int) -> str:
    """Name what a file's mode says that is not a regular file; empty for one that is.

    Examples
    --------
    >>> kind_of(os.stat(".").st_mode)
    'a folder'
    """
    if stat.S_ISREG(mode):
        return ""
    return next((name for test, name in _KINDS if test(mode)), "no regular file")


def regular_file(path: str | os.PathLike[str]) -> Path:
    """Return a path that is known to be a file with an end, without opening it.

    A pipe, a device or a socket would be waited for, or read, without end.

    Raises
    ------
    DamagedFile
        There is nothing, or something else than a regular file.
    ReadError
        It may not be looked at.
    """
    file = Path(path)
    try:
        mode = file.stat().st_mode
    except (OSError, ValueError) as error:
        _refuse(file, error)
    if kind := kind_of(mode):
        raise DamagedFile(f"{file} is {kind}, not a file. Name a file.")
    return file


def opened(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading bytes; never waits for what a pipe might bring.

    Raises
    ------
    DamagedFile, ReadError
        As `regular_file`.
    """
    file = Path(path)
    try:
        number = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        _refuse(file, error)
    stream = os.fdopen(number, "rb") if not (kind := kind_of(os.fstat(number).st_mode)) else None
    if stream is None:
        os.close(number)
        raise DamagedFile(f"{file} is {kind}, not a file. Name a file.")
    return stream


def read_bytes(
    path: str | os.PathLike[str], *, limit: int | None = None, share: float | None = 0.25
) -> bytes:
    """Return a file's bytes.

    Parameters
    ----------
    path : path-like
    limit : int, optional
        Most bytes; those of a table by default.
    share : float, optional
        Which share of the memory allowed the limit is, for the way out; None where there is none.

    Raises
    ------
    DamagedFile
        It is missing, no regular file, or too large; the message says how to allow more.
    ReadError
        It may not be read.
    """
    most = LIMITS.text_bytes if limit is None else limit
    with opened(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        try:
            data = b"" if size > most else stream.read(most + 1)
        except OSError as error:
            _refuse(Path(path), error)
    size = max(size, len(data))
    if size > most:
        way_out = "Name another." if share is None else f"Split it, or {LIMITS.how_to_allow(size, share)}."
        raise DamagedFile(
            f"{path} has {size / 1e6:.1f} MB; {most / 1e6:.1f} MB are read of such a file. {way_out}"
        )
    return data


def read_text(
    path: str | os.PathLike[str],
    what: str,
    *,
    limit: int | None = None,
    share: float | None = 0.25,
    error: type[HistregError] = DamagedFile,
) -> str:
    """Return a text file's content (UTF-8; a byte order mark is dropped).

    Parameters
    ----------
    path : path-like
    what : str
        What was expected in it, as in "a landmark table".
    limit, share : int and float, optional
        As for `read_bytes`.
    error : type
        Raised where the content is not such text.

    Raises
    ------
    DamagedFile, ReadError
        As `read_bytes`; and `error` where it is empty or no text.
    """
    data = read_bytes(path, limit=limit, share=share)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise error(f"{path} is not a text file (UTF-8); {what} was expected.") from problem
    if "\0" in text:
        raise error(f"{path} is not a text file (UTF-8); {what} was expected.")
    if not text.strip():
        raise error(f"{path} is empty; {what} was expected.")
    return text


def read_json(
    path: str | os.PathLike[str],
    what: str,
    *,
    infinite: bool = False,
    error: type[HistregError] = DamagedFile,
) -> dict[str, Any]:
    """Return the object in a JSON file.

    Parameters
    ----------
    path : path-like
    what : str
        What was expected in it, as in "a transform".
    infinite : bool
        Whether NaN and Infinity, which are no JSON, are numbers in this file.
    error : type
        Raised where the content is not such JSON.

    Raises
    ------
    DamagedFile, ReadError
        As `read_bytes`; and `error` where it holds no JSON object.
    """
    text = read_text(path, what, limit=LIMITS.json_bytes, share=1 / 16, error=error)
    values = parse_json(text, str(path), infinite=infinite, error=error)
    if not isinstance(values, dict):
        raise error(f"{path} holds no JSON object, so not {what}.")
    return values


def parse_json(
    text: str, name: str, *, infinite: bool = False, error: type[HistregError] = DamagedFile
) -> Any:
    """Return the values of a JSON text, checked for depth and for numbers that no program can hold.

    Parameters
    ----------
    text : str
    name : str
        What to call it in errors.
    infinite : bool
        Whether NaN and Infinity are numbers in this text.
    error : type
        Raised where the text is not such JSON.

    Examples
    --------
    >>> parse_json('{"a": [1, 2.5]}', "x.json")
    {'a': [1, 2.5]}
    """
    try:
        if infinite:
            values = json.loads(text, parse_int=_whole)
        else:
            values = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_finite)
        deep = _is_too_deep(values)
    except RecursionError:
        deep = True
    except ValueError as problem:
        raise error(f"{name} is not JSON that can be read: {problem}.") from problem
    if deep:
        raise error(f"{name} is nested more than {MOST_DEPTH} levels deep; no such file is known.")
    return values


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits stands in it")
    return int(digits)


def _finite(word: str) -> float:
    value = float(word)
    if value - value != 0:
        raise ValueError(f"{word} is no finite number")
    return value


def _is_too_deep(values: Any) -> bool:
    """Tell whether containers lie deeper in one another than is allowed, without recursion."""
    layer = [values] if isinstance(values, dict | list) else []
    for _ in range(MOST_DEPTH + 1):
        if not layer:
            return False
        layer = [inner for outer in layer for inner in _items(outer) if isinstance(inner, dict | list)]
    return True


def _items(container: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def _refuse(path: Path, error: OSError | ValueError) -> NoReturn:
    """Turn what the system says into a sentence."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        raise DamagedFile(f"{path} does not exist. Check the name.") from None
    if isinstance(error, PermissionError):
        raise ReadError(
            f"{path} cannot be read: you have no permission. Change it or copy the file."
        ) from None
    said = error.strerror if isinstance(error, OSError) else "the name is impossible"
    raise DamagedFile(f"{str(path)[:200]} cannot be read: {said}. Check the name.") from None
