"""What napari hands to a reader: one path or several, of which the first bytes tell what they are."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from napari_histreg.errors import ReadError
from napari_histreg.files.reading import opened
from napari_histreg.plugin.layers.slides import LayerData

__all__ = ["NOTHING_TO_ADD", "Paths", "Reader", "listed", "says_format"]

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
Reader = Callable[[Paths], list[LayerData]]

NOTHING_TO_ADD: list[LayerData] = [(None,)]  # type: ignore[list-item]
"""What napari takes as: read well, but there is no layer to add."""


def listed(paths: Paths) -> list[Path]:
    """Return what was given as a list, also where it is one path."""
    return [Path(p) for p in ([paths] if isinstance(paths, str | os.PathLike) else paths)]


def says_format(file: Path, file_format: str, *, within: int) -> bool:
    """Tell whether a JSON file of ours names a format within its first bytes."""
    try:
        with opened(file) as stream:
            return f'"{file_format}"'.encode() in stream.read(within)
    except (OSError, ReadError):
        return False
