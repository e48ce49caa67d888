"""Where the platform wants a program to keep what is its own."""

from pathlib import Path

from platformdirs import user_cache_path, user_data_path

__all__ = ["cache_folder", "session_folder"]

NAME = "napari-histreg"


def cache_folder() -> Path:
    """Return the user's folder for files that can be made again; nothing is made."""
    return user_cache_path(NAME, appauthor=False)


def session_folder() -> Path:
    """Return the user's folder for sessions that save themselves; nothing is made."""
    return user_data_path(NAME, appauthor=False) / "sessions"
