"""Naming one plane of a volume: ``ct/#axial=12`` or ``mr.nii.gz#coronal=90,window=40:400``."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_histreg.slides.several_files import files_of
from napari_histreg.volumes.planes import PLANES

__all__ = ["PlaneChoice", "as_file", "file_of", "parse_address"]


@dataclass(frozen=True)
class PlaneChoice:
    """Which plane of a volume, and how its values are shown.

    Parameters
    ----------
    plane : {"axial", "coronal", "sagittal"} or None
        None means the plane in which the volume is mostly looked at.
    index : int or None
        Its number, from 0 as stored; None means the middle one.
    series : str or None
        Identity or number of the DICOM series; None means that with most planes.
    t : int
        Time point.
    window : (float, float) or None
        Centre and width of the values that are kept apart; what lies outside is cut off. None keeps all.
    """

    plane: str | None = None
    index: int | None = None
    series: str | None = None
    t: int = 0
    window: tuple[float, float] | None = None

    def of(self, path: str | os.PathLike[str]) -> str:
        """Write a path with this choice after it, so that opening the text gives the same plane.

        Examples
        --------
        >>> PlaneChoice("axial", 12).of("ct")
        'ct#axial=12'
        """
        parts = []
        if self.plane is not None:
            parts.append(self.plane if self.index is None else f"{self.plane}={self.index}")
        elif self.index is not None:
            parts.append(f"index={self.index}")
        if self.series is not None:
            parts.append(f"series={self.series}")
        if self.t:
            parts.append(f"t={self.t}")
        if self.window is not None:
            parts.append(f"window={self.window[0]:g}:{self.window[1]:g}")
        return os.fspath(path) + ("#" + ",".join(parts) if parts else "")


def file_of(address: str | os.PathLike[str]) -> Path:
    """Return the file or folder that an address names, without the plane; of several files the first.

    Examples
    --------
    >>> file_of("ct/head#axial=3").as_posix(), file_of("slide.svs").as_posix()
    ('ct/head', 'slide.svs')
    """
    several = files_of(address)
    return several[0] if several else parse_address(address)[0]


def as_file(address: str | os.PathLike[str] | None) -> Path | None:
    """Return the file that an address names; None for none, and for one that is not understood."""
    try:
        return None if address is None else file_of(address)
    except ValueError:
        return None


def parse_address(address: str | os.PathLike[str]) -> tuple[Path, PlaneChoice | None]:
    """Split a path from the plane that is asked for after a ``#``.

    A file whose own name has a ``#`` is taken as it is.

    Returns
    -------
    path : Path
    choice : PlaneChoice or None
        None where the path asks for none.

    Raises
    ------
    ValueError
        What stands after the ``#`` is not understood.

    Examples
    --------
    >>> parse_address("ct#axial=12,window=40:400")[1]
    PlaneChoice(plane='axial', index=12, series=None, t=0, window=(40.0, 400.0))
    """
    text = os.fspath(address)
    path, mark, rest = text.rpartition("#")
    first = rest.partition(",")[0].partition("=")[0].strip()
    if not mark or not path or (first not in (*PLANES, *_READ)) or os.path.lexists(text):
        return Path(text), None
    found: dict[str, Any] = {}
    for item in rest.split(","):
        key, _, value = (part.strip() for part in item.partition("="))
        if key in PLANES:
            found["plane"] = key
            key, value = "index", value
            if not value:
                continue
        if key not in _READ:
            raise ValueError(f"{address}: {key!r} is none of {', '.join((*PLANES, *_READ))}.")
        try:
            found[key] = _READ[key](value)
        except ValueError:
            raise ValueError(
                f"{address}: {key} cannot be {value!r}. Write it as in {_EXAMPLES[key]}."
            ) from None
    return Path(path), PlaneChoice(**found)


def parse_window(text: str) -> tuple[float, float]:
    """Read centre and width, as in "40:400" or "40,400"; raises ValueError where they are none."""
    centre, width = (float(part) for part in text.replace(":", ",").split(","))
    if not 0 < width < float("inf") or not abs(centre) < float("inf"):
        raise ValueError(f"A window is CENTRE:WIDTH with a positive width, not {text!r}.")
    return centre, width


_READ: dict[str, Callable[[str], Any]] = {"index": int, "series": str, "t": int, "window": parse_window}
_EXAMPLES = {
    "index": "axial=12 or index=12",
    "series": "series=3",
    "t": "t=0",
    "window": "window=40:400 (centre:width)",
}
