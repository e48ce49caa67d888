from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_histreg.errors import DamagedFile, MissingDependency
from napari_histreg.geometry import Region
from napari_histreg.optional import is_installed
from napari_histreg.slides import Channel, open_slide, write_slide
from napari_histreg.slides.readers._border import ReadOptions


def test_a_file_that_needs_bioio_says_how_to_get_it(tmp_path):
    path = tmp_path / "cells.nd2"
    path.write_bytes(b"\xda\xce\xbe\x0a" + bytes(4000))
    if is_installed("bioio"):
        with pytest.raises((DamagedFile, MissingDependency), match=r"cells\.nd2"):
            open_slide(path)
    else:
        with pytest.raises(MissingDependency, match=r'pip install "napari-histreg\[bioio\]"'):
            open_slide(path)


def test_planes_names_and_pixel_size_come_through(tmp_path):
    pytest.importorskip("bioio_ome_tiff", reason="needs the extra bioio")
    from napari_histreg.slides.readers._bioio import read_bioio

    pixels = np.random.default_rng(0).integers(0, 9999, (3, 2, 90, 120)).astype(np.uint16)
    metadata = {
        "axes": "CZYX",
        "PhysicalSizeX": 0.5,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.25,
        "PhysicalSizeYUnit": "µm",
        "Channel": {"Name": ["DAPI", "CD3", "CD8"]},
    }
    path = tmp_path / "cells.ome.tif"
    tifffile.imwrite(path, pixels, metadata=metadata, photometric="minisblack")
    with read_bioio(path, ReadOptions(z=1)) as slide:
        assert [channel.name for channel in slide.channels] == ["DAPI", "CD3", "CD8"]
        assert slide.pixel_size_um == (0.25, 0.5)
        assert np.array_equal(slide.read(0, Region(10, 20, 30, 40), [2])[0], pixels[2, 1, 10:40, 20:60])
    with pytest.raises(ValueError, match="Z from 0 to 1"):
        read_bioio(path, ReadOptions(z=5))
    with pytest.raises(ValueError, match="series 0 to 0"):
        read_bioio(path, ReadOptions(series=3))


def test_bioio_sees_in_our_ome_tiff_what_we_wrote(tmp_path):
    """All but the levels: its readers of TIFF show the first one of any file."""
    reader = pytest.importorskip("bioio_ome_tiff", reason="needs the extra bioio")
    from bioio import BioImage

    pixels = np.random.default_rng(0).integers(0, 9999, (3, 1500, 1100)).astype(np.uint16)
    path = tmp_path / "a.ome.tif"
    with open_slide(pixels, pixel_size_um=(0.5, 0.25)) as slide:
        named = replace(slide, channels=(Channel("DAPI"), Channel("CD3"), Channel("CD8")))
        write_slide(named, path)
    image = BioImage(path, reader=reader.Reader)
    assert image.channel_names == ["DAPI", "CD3", "CD8"]
    assert (image.physical_pixel_sizes.Y, image.physical_pixel_sizes.X) == (0.5, 0.25)
    assert np.array_equal(image.get_image_data("CYX"), pixels)
