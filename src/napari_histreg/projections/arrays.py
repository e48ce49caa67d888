"""Kinds of arrays in this room: frames are float32, places float64, and both are worked with alike."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Mask", "Views"]

Floats = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Views = NDArray[np.integer[Any]]
