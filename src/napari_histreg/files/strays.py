"""Temporary names, and what runs that were killed left under them."""

import os
import re
import shutil
import socket
import sys
import zlib
from pathlib import Path

__all__ = ["clear_strays", "remove", "temporary_name"]

MARK = "histreg.part"
ASIDE = "histreg.old"
_LONGEST = 120
_SUFFIXES = re.compile(r"(?:\.[A-Za-z0-9]{1,8}){0,2}$")
_STRAY = re.compile(r"^\.(?P<name>.+)\.(?P<host>[0-9a-f]{8})-(?P<pid>\d+)\.(?P<mark>histreg\.(?:part|old))")


def host() -> str:
    """Return eight digits that stand for this machine: a process number means nothing on another."""
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"


def temporary_name(final: Path, mark: str = MARK) -> Path:
    """Return where to write what will be called `final`, in the same folder.

    It begins with a dot, names this machine and process, and ends as the final name does.

    Examples
    --------
    >>> name = temporary_name(Path("he.ome.tif")).name
    >>> name.startswith(".he."), name.endswith(".histreg.part.ome.tif")
    (True, True)
    """
    found = _SUFFIXES.search(final.name)
    suffixes = found.group() if found and found.start() > 0 else ""
    stem = final.name if mark == ASIDE else final.name.removesuffix(suffixes)
    if len(os.fsencode(stem)) > _LONGEST:
        stem = f"{stem[:24]}-{zlib.crc32(os.fsencode(stem)):08x}"
    ending = "" if mark == ASIDE else suffixes
    return final.with_name(f".{stem}.{host()}-{os.getpid()}.{mark}{ending}")


def clear_strays(folder: Path) -> None:
    """Remove what processes of this machine that are gone left half-written in a folder.

    A folder that was moved aside, and whose successor did not come, gets its name back.
    """
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.name.startswith(".")]
    except OSError:
        return
    for name in names:
        found = _STRAY.match(name)
        if found is None or found["host"] != host() or is_running(int(found["pid"])):
            continue
        former = folder / found["name"]
        if found["mark"] == ASIDE and not former.exists():
            (folder / name).rename(former)
        else:
            remove(folder / name)


def remove(path: Path) -> None:
    """Delete a file or folder where there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def is_running(pid: int) -> bool:
    """Tell whether there is a process with this number.

    Examples
    --------
    >>> is_running(os.getpid())
    True
    """
    if sys.platform == "win32":
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
