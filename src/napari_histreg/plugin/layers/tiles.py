"""Tiles of lazy layers: which are in view, and reading them before napari does while the window waits."""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["read_tiles", "tiles_in_view"]

Tile = tuple[int, int]


def tiles_in_view(layer: Any) -> tuple[int, list[Tile]]:
    """Return the level that a layer shows and its tiles (row, column) in view.

    Parameters
    ----------
    layer : napari Image layer
        Multiscale.

    Returns
    -------
    (int, list of (int, int))
        No tile where the level is not read tile by tile.
    """
    level = int(layer.data_level)
    array = layer.data[level]
    if not hasattr(array, "numblocks"):
        return level, []
    spans = []
    for axis in range(2):
        ends = np.cumsum(array.chunks[axis])
        first, last = (
            int(np.searchsorted(ends, corner[axis], side="right")) for corner in layer.corner_pixels
        )
        spans.append(range(first, min(len(ends), last + 1)))
    return level, [(row, column) for row in spans[0] for column in spans[1]]


def read_tiles(levels: Sequence[Any], level: int, tiles: Sequence[Tile]) -> None:
    """Read tiles of a level, one by one; whoever keeps tiles has them then.

    Parameters
    ----------
    levels : sequence of dask array
        A layer's data.
    level : int
        One of them.
    tiles : sequence of (int, int)
        Row and column of each.
    """
    for row, column in tiles:
        levels[level].blocks[row, column].compute(scheduler="synchronous")
