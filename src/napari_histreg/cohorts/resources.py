"""How much memory this machine has for us."""

from pathlib import Path

import psutil

__all__ = ["memory_share", "parse_bytes", "parse_seconds"]

SHARE = 0.9
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "ki": 2.0**10, "mi": 2.0**20, "gi": 2.0**30,
          "ti": 2.0**40}  # fmt: skip
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def memory_share(workers: int) -> float:
    """Return the bytes that each of several workers may take of this machine, or of this container.

    Examples
    --------
    >>> memory_share(2) < memory_share(1)
    True
    """
    total = float(psutil.virtual_memory().total)
    for limit in _CGROUP_LIMITS:
        try:
            total = min(total, float(Path(limit).read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue
    return SHARE * total / workers


def parse_bytes(text: str) -> float:
    """Read a size such as "4GB", "512 MiB" or "4G".

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> parse_bytes("4GB"), parse_bytes("1 GiB")
    (4000000000.0, 1073741824.0)
    """
    return _parsed(text.casefold().removesuffix("b"), _UNITS, text, "4GB")


def parse_seconds(text: str) -> float:
    """Read a duration such as "90", "90s", "30min" or "1.5h".

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> parse_seconds("1.5h"), parse_seconds("90")
    (5400.0, 90.0)
    """
    return _parsed(text.casefold(), _SECONDS, text, "30min")


def _parsed(words: str, units: dict[str, float], text: str, example: str) -> float:
    number = words.strip().rstrip("abcdefghijklmnopqrstuvwxyz").strip()
    unit = words.strip()[len(number) :].strip()
    try:
        value = float(number) * units[unit]
    except (ValueError, KeyError):
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"{text!r} is not understood; write it as in {example}.")
    return value
