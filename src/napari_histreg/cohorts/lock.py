"""One run at a time in a folder of results."""

import contextlib
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from napari_histreg.errors import WriteError
from napari_histreg.files.strays import temporary_name

__all__ = ["LOCK", "holds", "locked"]

LOCK = "cohort.lock"
UNREADABLE_SECONDS = 60.0
"""A lock that says nothing for so long was left by a run that was killed while it made it."""


@contextmanager
def locked(folder: Path) -> Iterator[str]:
    """Keep other runs out of a folder while the block runs.

    A lock that a killed run of this machine left is taken over.

    Parameters
    ----------
    folder : Path
        Must exist.

    Yields
    ------
    str
        A word that the lock holds as long as the run goes on: see `holds`.

    Raises
    ------
    WriteError
        Another run is at work there, or the folder is not writable.
    """
    path = folder / LOCK
    token = secrets.token_hex(8)
    me = psutil.Process()
    owner = {"token": token, "host": socket.gethostname(), "pid": me.pid, "since": me.create_time()}
    for _ in range(2):
        try:
            _take(path, json.dumps(owner))
            break
        except FileExistsError:
            _check_abandoned(path)
            path.unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(f"{folder} cannot be written to: {error.strerror}.") from error
    else:
        raise WriteError(f"{folder} is being used by another run that has just begun.")
    try:
        yield token
    finally:
        if holds(folder, token):
            with contextlib.suppress(OSError):
                path.unlink()


def _take(path: Path, text: str) -> None:
    """Make a file with this text, all at once; FileExistsError where there is one."""
    draft = temporary_name(path)
    try:
        draft.write_text(text, encoding="utf-8")
        try:
            os.link(draft, path)
        except FileExistsError:
            raise
        except OSError:  # a disk without links
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    finally:
        draft.unlink(missing_ok=True)


def holds(folder: Path, token: str) -> bool:
    """Tell whether the run with this word still goes on.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder)) as token:
    ...     holds(Path(folder), token), holds(Path(folder), "another")
    (True, False)
    """
    return _owner(folder / LOCK).get("token") == token


def _owner(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8")[:4096])
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _check_abandoned(path: Path) -> None:
    """Refuse unless the run that holds the lock is gone."""
    owner = _owner(path)
    host, pid, since = owner.get("host"), owner.get("pid"), owner.get("since")
    if host == socket.gethostname() and isinstance(pid, int):
        if not _runs(pid, since):
            return
        raise WriteError(f"{path.parent} is being used by another run (process {pid}). Wait for its end.")
    if not owner:
        if _age(path) > UNREADABLE_SECONDS:
            return
        raise WriteError(f"{path.parent} is being used by another run that has just begun.")
    raise WriteError(
        f"{path.parent} is being used by another run (process {pid} on {host}). If it is gone for sure, "
        f"delete {path}."
    )


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _runs(pid: int, since: object) -> bool:
    """Tell whether a process runs and is the one that began at that time, for numbers are used again."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return not isinstance(since, float) or abs(process.create_time() - since) < 2.0
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
