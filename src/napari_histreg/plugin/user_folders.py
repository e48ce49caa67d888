"""Where the platform wants a program to keep what is its own."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

__all__ = ["cache_folder", "group_folder", "session_folder"]

NAME = "napari-histreg"


def cache_folder() -> Path:
    """Return the user's folder for files that can be made again; nothing is made."""
    return user_cache_path(NAME, appauthor=False)


def session_folder() -> Path:
    """Return the user's folder for sessions that save themselves; nothing is made."""
    return user_data_path(NAME, appauthor=False) / "sessions"


def group_folder(fingerprints: Iterable[str]) -> Path:
    """Return the user's folder for the pairs of a group that these slides began; nothing is made."""
    digest = hashlib.sha256("|".join(sorted(fingerprints)).encode()).hexdigest()[:24]
    return user_data_path(NAME, appauthor=False) / "groups" / digest
