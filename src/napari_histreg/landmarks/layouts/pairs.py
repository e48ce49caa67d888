"""What every layout reads into and writes from: pairs as they stand in a file."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_histreg.geometry import FloatArray

__all__ = ["Pairs"]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Point pairs in a file's own unit and (x, y) order.

    Parameters
    ----------
    fixed_xy, moving_xy : (N, 2) ndarray of float64
        NaN marks a point that is not placed.
    names : tuple of str, or None
        None where the layout has no names.
    enabled : (N,) ndarray of bool, or None
        None where the layout has no such flag.
    unit : {"px", "world"} or None
        What this file counts in, where a layout allows both; None is the dialect's own unit.
    fixed_mpp, moving_mpp : float
        Pixel sizes in µm, for layouts that note them.
    """

    fixed_xy: FloatArray
    moving_xy: FloatArray
    names: tuple[str, ...] | None = None
    enabled: NDArray[np.bool_] | None = None
    unit: Literal["px", "world"] | None = None
    fixed_mpp: float = 1.0
    moving_mpp: float = 1.0
