"""What the readers of series share: regular files only, and one sentence for what a library says."""

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from napari_histreg.errors import Cancelled, DamagedFile, HistregError, ReadError

__all__ = ["mean_frame", "natural", "reading", "regular"]


def regular(path: str | Path) -> Path:
    """Return a path to a regular file that is not empty; pipes and devices could hang for ever.

    Raises
    ------
    DamagedFile, ReadError
        There is none.
    """
    file = Path(path)
    try:
        info = file.stat()
    except FileNotFoundError:
        raise DamagedFile(f"There is no file {file}. Check the path.") from None
    except (OSError, ValueError) as error:
        raise ReadError(f"{file} cannot be read: {error}.") from None
    if not stat.S_ISREG(info.st_mode):
        raise ReadError(f"{file} is no regular file. Name files or folders with projections.")
    if info.st_size == 0:
        raise DamagedFile(f"{file} is empty (0 bytes). Copy it again from its source.")
    return file


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever a library raises into a `DamagedFile` that names the file."""
    try:
        yield
    except (HistregError, Cancelled, MemoryError):
        raise
    except PermissionError as error:
        raise ReadError(f"{name} cannot be read: you have no permission.") from error
    except Exception as error:  # decoders raise anything at all on damaged input
        said = " ".join(str(error).split())[:160] or type(error).__name__
        raise DamagedFile(
            f"{name} cannot be read: {said}. It is probably damaged or incomplete; copy it again."
        ) from error


def natural(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Return the key by which 2 comes before 10."""
    parts = re.split(r"(\d+)", path.name)
    return tuple((0, int(part)) if part.isdigit() else (1, part.lower()) for part in parts if part)


def mean_frame(frames: Iterator[np.ndarray]) -> np.ndarray:
    """Average frames without holding them all."""
    total, count = None, 0
    for frame in frames:
        values = np.asarray(frame, np.float64)
        total = values if total is None else total + values
        count += 1
    if total is None:
        raise ValueError("there is no frame")
    return np.asarray(total / count, np.float32)
