"""OME-Zarr folders of others, and bad ones."""

import json
import shutil

import numpy as np
import pytest
import zarr

from napari_histreg.errors import DamagedFile, UnsupportedFormat
from napari_histreg.slides import open_slide, write_slide
from slides.slide_files import channels


def group_of(path, pixels, axes, **more):
    group = zarr.open_group(path, mode="w", zarr_format=2)
    array = group.create_array("0", shape=pixels.shape, chunks=pixels.shape, dtype=pixels.dtype)
    array[...] = pixels
    scale = {"type": "scale", "scale": [0.5] * pixels.ndim}
    datasets = [{"path": "0", "coordinateTransformations": [scale]}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets, **more}]
    return path


SPACE = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]


def test_two_axes(tmp_path):
    pixels = channels(1, (40, 50))[0]
    with open_slide(group_of(tmp_path / "a.zarr", pixels, SPACE)) as slide:
        assert slide.pixel_size_um == (0.5, 0.5)
        assert np.array_equal(slide.read_level(0)[0], pixels)
        assert np.array_equal(slide.read_level(0, [0])[0], pixels)


def test_axes_in_another_order_and_a_scale_for_all_levels(tmp_path):
    pixels = channels(3, (40, 50)).transpose(1, 2, 0)
    axes = [*SPACE, {"name": "c", "type": "channel"}]
    shared = [{"type": "scale", "scale": [2.0, 2.0, 1.0]}]
    with open_slide(group_of(tmp_path / "a.zarr", pixels, axes, coordinateTransformations=shared)) as slide:
        assert slide.pixel_size_um == (1.0, 1.0)
        assert np.array_equal(slide.read_level(0), channels(3, (40, 50)))
        assert np.array_equal(slide.read_level(0, [2, 0]), channels(3, (40, 50))[[2, 0]])


def test_first_plane_unless_asked(tmp_path, caplog):
    pixels = np.arange(2 * 3 * 40 * 50).reshape(2, 3, 40, 50).astype(np.uint32)
    axes = [{"name": "t"}, {"name": "z"}, *SPACE]
    path = group_of(tmp_path / "a.zarr", pixels, axes)
    with open_slide(path) as slide:
        assert np.array_equal(slide.read_level(0)[0], pixels[0, 0])
    assert "3 planes along z" in caplog.text
    with open_slide(path, z=2, t=1) as slide:
        assert np.array_equal(slide.read_level(0)[0], pixels[1, 2])
    with pytest.raises(ValueError, match="3 planes along z"):
        open_slide(path, z=3)


def test_without_unit_the_pixel_size_is_unknown(tmp_path):
    pixels = channels(1, (40, 50))[0]
    with open_slide(group_of(tmp_path / "a.zarr", pixels, ["y", "x"])) as slide:
        assert slide.pixel_size_um is None


def test_several_images(tmp_path):
    root = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    for k, side in enumerate((30, 60, 20)):
        group_of(tmp_path / "a.zarr" / str(k), np.full((side, side), k, np.uint8), SPACE)
    with open_slide(tmp_path / "a.zarr") as slide:
        assert slide.shape == (60, 60)
    with open_slide(tmp_path / "a.zarr", series=2) as slide:
        assert (slide.read_level(0) == 2).all()
    with pytest.raises(ValueError, match="series 0 to 2"):
        open_slide(tmp_path / "a.zarr", series=3)


def test_a_group_without_an_image(tmp_path):
    zarr.open_group(tmp_path / "a.zarr", mode="w")
    with pytest.raises(UnsupportedFormat, match=r"a\.zarr is a Zarr folder without"):
        open_slide(tmp_path / "a.zarr")


def test_metadata_that_are_no_json(tmp_path):
    write_slide(open_slide(channels(1, (40, 50))), tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / "zarr.json").write_text("{ half of")
    with pytest.raises(DamagedFile, match=r"a\.zarr"):
        open_slide(tmp_path / "a.zarr")


def test_a_level_that_is_gone(tmp_path):
    write_slide(open_slide(channels(1, (2100, 50))), tmp_path / "a.zarr")
    shutil.rmtree(tmp_path / "a.zarr" / "1")
    with pytest.raises(DamagedFile, match=r"a\.zarr"):
        open_slide(tmp_path / "a.zarr")


def test_axes_that_do_not_fit(tmp_path):
    path = group_of(tmp_path / "a.zarr", channels(1, (40, 50)), SPACE)
    with pytest.raises(DamagedFile, match=r"a\.zarr names the axes"):
        open_slide(path)


def test_truncated_shard(tmp_path):
    path = tmp_path / "a.zarr"
    write_slide(open_slide(channels(2, (600, 500))), path)
    shard = path / "0" / "c" / "0" / "0" / "0"
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    with pytest.raises(DamagedFile, match=r"a\.zarr cannot be decoded"), open_slide(path) as slide:
        slide.read_level(0)


def test_written_metadata_are_plain_json(tmp_path):
    write_slide(open_slide(channels(2, (600, 500)), pixel_size_um=0.5), tmp_path / "a.zarr")
    told = json.loads((tmp_path / "a.zarr" / "zarr.json").read_text())
    assert told["zarr_format"] == 3
    assert told["attributes"]["ome"]["omero"]["channels"][1]["label"] == "channel 1"
