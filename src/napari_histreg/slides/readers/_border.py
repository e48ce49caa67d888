"""What all readers share at the border to other libraries: options, errors, compositing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_histreg.errors import Cancelled, DamagedFile, HistregError, ReadError
from napari_histreg.slides.address import PlaneChoice

__all__ = [
    "ReadOptions",
    "closed_error",
    "on_white",
    "pick",
    "plausible_pixel_size",
    "rgb_background",
    "white",
    "wrapped",
]


@dataclass(frozen=True)
class ReadOptions:
    """Which part of a file is asked for.

    Parameters
    ----------
    series : int, optional
        Which image of a file that holds several; None means the largest.
    z, t : int
        Which focal plane and which time point.
    choice : PlaneChoice, optional
        Which plane of a volume.
    """

    series: int | None = None
    z: int = 0
    t: int = 0
    choice: PlaneChoice | None = None

    def refuse_more_than_one(self, name: str) -> None:
        """Raise ValueError when more is asked of a file that holds a single plane."""
        for what, value in (("series", self.series or 0), ("z", self.z), ("t", self.t)):
            if value != 0:
                raise ValueError(f"{name} holds one picture only: {what} can be 0, not {value}.")


@contextmanager
def wrapped(name: str, doing: str) -> Iterator[None]:
    """Turn whatever a library raises below into a `DamagedFile` that names the file.

    Parameters
    ----------
    name : str
        The file, for the message.
    doing : str
        What was being done, as in "cannot be opened".
    """
    try:
        yield
    except (HistregError, Cancelled, MemoryError):
        raise
    except PermissionError as error:
        raise ReadError(
            f"{name} cannot be read: you have no permission. Change the file's permissions or copy it."
        ) from error
    except Exception as error:  # decoders raise anything at all on damaged input
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise DamagedFile(
            f"{name} {doing}: {said}. "
            "The file is probably damaged or incomplete; copy it again from its source."
        ) from error


def closed_error(name: str) -> ReadError:
    """Return the error for reading a slide that has been closed."""
    return ReadError(f"{name} has been closed. Open it again with open_slide before reading.")


def white(dtype: np.dtype[Any]) -> float:
    """Return what white is in RGB pixels of `dtype`: the largest integer, or 1 for floats."""
    return float(np.iinfo(dtype).max) if dtype.kind in "ui" else 1.0


def rgb_background(dtype: np.dtype[Any], is_rgb: bool) -> float:
    """Return the value outside a slide: white for colour pictures, 0 for everything else."""
    return white(dtype) if is_rgb else 0.0


def on_white(colour: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Lay straight (not premultiplied) colours over white.

    Parameters
    ----------
    colour : (H, W, C) ndarray
        Unsigned integer or float colours.
    alpha : (H, W) ndarray
        Opacity in the same range.

    Returns
    -------
    (H, W, C) ndarray
        In the dtype of `colour`.

    Examples
    --------
    >>> on_white(np.zeros((1, 1, 3), np.uint8), np.array([[51]], np.uint8)).tolist()
    [[[204, 204, 204]]]
    """
    top = white(colour.dtype)
    if (alpha >= top).all():
        return np.ascontiguousarray(colour)
    weight = (alpha.astype(np.float32) / np.float32(top))[..., None]
    mixed = top + (colour.astype(np.float32) - top) * weight
    if colour.dtype.kind in "ui":
        mixed = np.rint(mixed)
    out: NDArray[Any] = mixed.astype(colour.dtype)
    return out


def pick(planes: NDArray[Any], channels: Sequence[int] | None) -> NDArray[Any]:
    """Return the chosen planes of a (C, H, W) array; all of them for None."""
    return planes if channels is None else planes[list(channels)]


def plausible_pixel_size(y_um: float, x_um: float) -> tuple[float, float] | None:
    """Return a pixel size (y, x) in µm if a microscope can have it, else None.

    General resolution tags mostly hold the density of a printer (300 dpi is 85 µm). Slides lie
    between 0.01 µm (super-resolution) and 10 µm (a coarse overview).

    Examples
    --------
    >>> plausible_pixel_size(0.25, 0.25), plausible_pixel_size(84.7, 84.7)
    ((0.25, 0.25), None)
    """
    return (y_um, x_um) if min(y_um, x_um) >= 0.01 and max(y_um, x_um) <= 10 else None
