"""Our OME-Zarr in the hands of ome-zarr-py."""

from dataclasses import replace

import numpy as np
import pytest

from napari_histreg.slides import Channel, open_slide, write_slide

ome_zarr_io = pytest.importorskip("ome_zarr.io", reason="needs the extra test-interop", exc_type=ImportError)
ome_zarr_reader = pytest.importorskip("ome_zarr.reader", reason="needs the extra test-interop")

PIXELS = np.random.default_rng(0).integers(0, 60000, (3, 1501, 1300), dtype=np.uint16)


def test_ome_zarr_py_sees_levels_sizes_and_names(tmp_path):
    path = tmp_path / "a.ome.zarr"
    with open_slide(PIXELS, pixel_size_um=(0.5, 0.25)) as slide:
        channels = (Channel("DAPI", (0.0, 0.0, 1.0)), Channel("CD3"), Channel("a/b"))
        write_slide(replace(slide, channels=channels), path)
        (node,) = ome_zarr_reader.Reader(ome_zarr_io.parse_url(str(path)))()
        assert [level.shape for level in node.data] == [(3, 1501, 1300), (3, 751, 650)]
        assert np.array_equal(np.asarray(node.data[0]), PIXELS)
        assert np.array_equal(np.asarray(node.data[1]), slide.read_level(1))
    assert node.metadata["channel_names"] == ["DAPI", "CD3", "a/b"]
    (first, _), (second, shift) = node.metadata["coordinateTransformations"]
    assert first["scale"] == [1.0, 0.5, 0.25]
    assert second["scale"] == [1.0, 1.0, 0.5]
    # The centre of a halved pixel lies half a fine pixel further on.
    assert shift["translation"] == [0.0, 0.25, 0.125]
