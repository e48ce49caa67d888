"""Which tiles of a layer are in view, and reading them one by one."""

from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest

from napari_histreg.plugin.layers.tiles import read_tiles, tiles_in_view

LEVELS = [da.zeros((1300, 2100), chunks=512), da.zeros((650, 1050), chunks=512)]


@pytest.mark.parametrize(
    ("level", "corners", "rows", "columns"),
    [
        (0, [[520, 600], [1000, 1400]], [1], [1, 2]),
        (0, [[-50, -900], [9000, 9000]], [0, 1, 2], [0, 1, 2, 3, 4]),
        (1, [[0, 0], [511, 511]], [0], [0]),
        (1, [[0, 0], [512, 512]], [0, 1], [0, 1]),
    ],
)
def test_tiles_in_view(level, corners, rows, columns):
    layer = SimpleNamespace(data=LEVELS, data_level=level, corner_pixels=np.array(corners))
    assert tiles_in_view(layer) == (level, [(r, c) for r in rows for c in columns])


def test_what_is_not_read_by_tiles_has_none():
    layer = SimpleNamespace(data=[np.zeros((9, 9))], data_level=0, corner_pixels=np.zeros((2, 2)))
    assert tiles_in_view(layer) == (0, [])


def test_only_those_tiles_are_read():
    read = []

    def tile(block_id=()):
        read.append(block_id)
        return np.zeros((4, 4))

    levels = [da.map_blocks(tile, chunks=((4, 4), (4, 4, 4)), dtype=float, meta=np.empty((0, 0)))]
    read.clear()
    read_tiles(levels, 0, [(0, 1), (1, 2)])
    assert len(read) == 2
