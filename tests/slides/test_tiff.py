"""What is special about TIFF: series, planes, colours, units, layouts."""

import logging

import numpy as np
import pytest
import tifffile

import napari_histreg.slides.readers._tiff_pixels as tiff_pixels
from napari_histreg.errors import DamagedFile, UnsupportedFormat
from napari_histreg.geometry import Region
from napari_histreg.slides import open_slide
from slides.slide_files import channels, halves, rgb


def test_the_largest_series_unless_asked(tmp_path):
    path = tmp_path / "a.ome.tif"
    small, large = channels(2, (50, 60)), channels(3, (90, 80))
    with tifffile.TiffWriter(path, ome=True) as tif:
        tif.write(small, metadata={"axes": "CYX", "PhysicalSizeX": 2, "PhysicalSizeY": 2})
        tif.write(
            large,
            metadata={
                "axes": "CYX",
                "PhysicalSizeX": 1,
                "PhysicalSizeY": 1,
                "Channel": {"Name": ["a", "b", "c"]},
            },
        )
    with open_slide(path) as slide:
        assert np.array_equal(slide.read_level(0), large)
        assert slide.pixel_size_um == (1, 1)
        assert slide.channel_index("b") == 1
    with open_slide(path, series=0) as slide:
        assert np.array_equal(slide.read_level(0), small)
        assert slide.pixel_size_um == (2, 2)
    for wrong in (2, -1):
        with pytest.raises(ValueError, match="series 0 to 1"):
            open_slide(path, series=wrong)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "tile": (32, 32)}])
def test_first_plane_of_z_and_t_unless_asked(tmp_path, caplog, options):
    path = tmp_path / "a.ome.tif"
    pixels = np.random.default_rng(0).integers(0, 99, (2, 3, 4, 40, 50)).astype(np.uint16)
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata={"axes": "TZCYX"}, **options)
    with caplog.at_level(logging.WARNING, "napari_histreg"), open_slide(path) as slide:
        assert np.array_equal(slide.read_level(0), pixels[0, 0])
    assert "3 focal planes (z); number 0 is read" in caplog.text
    assert "2 time points (t); number 0 is read" in caplog.text
    with open_slide(path, z=2, t=1) as slide:
        assert np.array_equal(slide.read_level(0), pixels[1, 2])
    with pytest.raises(ValueError, match="3 focal planes"):
        open_slide(path, z=3)
    with pytest.raises(ValueError, match="2 time points"):
        open_slide(path, t=-1)


def test_channels_before_planes(tmp_path):
    path = tmp_path / "a.ome.tif"
    pixels = np.random.default_rng(0).integers(0, 99, (4, 3, 40, 50)).astype(np.uint16)
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata={"axes": "CZYX"})
    with open_slide(path, z=1) as slide:
        assert np.array_equal(slide.read_level(0), pixels[:, 1])


def test_no_such_plane_in_a_flat_file(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", rgb((40, 40)), photometric="rgb")
    with pytest.raises(ValueError, match="one plane along z"):
        open_slide(tmp_path / "a.tif", z=1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("options", [{}, {"tile": (32, 32), "compression": "zlib"}])
def test_alpha_is_laid_over_white(tmp_path, dtype, options):
    top = np.iinfo(dtype).max
    colour = rgb((60, 50), dtype)
    alpha = np.full((60, 50, 1), top, dtype)
    alpha[:20], alpha[20:30] = 0, top // 2
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.concatenate([colour, alpha], 2),
        photometric="rgb",
        extrasamples=["unassalpha"],
        **options,
    )
    with open_slide(tmp_path / "a.tif") as slide:
        assert slide.is_rgb
        assert len(slide.channels) == 3
        pixels = np.moveaxis(slide.read_level(0), 0, -1)
    assert (pixels[:20] == top).all()
    assert np.array_equal(pixels[30:], colour[30:])
    middle = top + (colour[20:30].astype(float) - top) * (top // 2) / top
    assert np.abs(pixels[20:30] - middle).max() <= 0.51


def test_16_bit_rgb_has_a_white_background(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", rgb((40, 50), np.uint16), photometric="rgb")
    with open_slide(tmp_path / "a.tif") as slide:
        assert slide.background == 65535
        assert slide.dtype == np.uint16


def test_palette_becomes_rgb(tmp_path):
    index = np.arange(64, dtype=np.uint8).reshape(8, 8)
    palette = np.random.default_rng(0).integers(0, 256, (3, 256)).astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", index, photometric="palette", colormap=palette)
    with open_slide(tmp_path / "a.tif") as slide:
        assert slide.is_rgb
        assert slide.dtype == np.uint8
        assert np.array_equal(slide.read_level(0), (palette // 257)[:, index])


def test_cmyk_becomes_rgb(tmp_path):
    ink = np.zeros((4, 4, 4), np.uint8)
    ink[0, :, 0] = 255
    ink[1, :, 3] = 255
    ink[2, :, 1:3] = 255
    tifffile.imwrite(tmp_path / "a.tif", ink, photometric="separated")
    with open_slide(tmp_path / "a.tif") as slide:
        rows = np.moveaxis(slide.read_level(0), 0, -1)[:, 0]
    assert rows.tolist() == [[0, 255, 255], [0, 0, 0], [255, 0, 0], [255, 255, 255]]


def test_white_is_zero(tmp_path):
    grey = rgb((40, 50))[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", 255 - grey, photometric="miniswhite")
    with open_slide(tmp_path / "a.tif") as slide:
        assert np.array_equal(slide.read_level(0)[0], grey)


def test_one_bit(tmp_path):
    bits = np.random.default_rng(0).random((40, 64)) > 0.5
    tifffile.imwrite(tmp_path / "a.tif", bits, photometric="minisblack")
    with open_slide(tmp_path / "a.tif") as slide:
        assert slide.dtype == np.uint8
        assert np.array_equal(slide.read_level(0)[0], bits * np.uint8(255))


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("micron", 0.5),
        ("\\u00B5m", 0.5),
        ("nm", 0.0005),
        ("mm", 500),
        ("pixel", None),
        ("", None),
    ],
)
def test_imagej_units(tmp_path, unit, expected):
    tifffile.imwrite(
        tmp_path / "a.tif", channels(1, (40, 50))[0], imagej=True, resolution=(2, 2), metadata={"unit": unit}
    )
    with open_slide(tmp_path / "a.tif") as slide:
        assert slide.pixel_size_um == (None if expected is None else pytest.approx((expected, expected)))


@pytest.mark.parametrize(("size", "unit", "expected"), [
    (0.25, "µm", 0.25), (250, "nm", 0.25), (0.00025, "mm", 0.25), (1, "pixel", None), (0, "µm", None),
])  # fmt: skip
def test_ome_units(tmp_path, size, unit, expected):
    metadata = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size}
    metadata |= {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit}
    tifffile.imwrite(tmp_path / "a.ome.tif", channels(1, (40, 50))[0], ome=True, metadata=metadata)
    with open_slide(tmp_path / "a.ome.tif") as slide:
        assert slide.pixel_size_um == (None if expected is None else pytest.approx((expected, expected)))


def test_ome_colours(tmp_path):
    metadata = {"axes": "CYX", "Channel": {"Name": ["a", "b", "c"], "Color": [-16776961, 16711935, 65535]}}
    tifffile.imwrite(
        tmp_path / "a.ome.tif", channels(3, (40, 50)), ome=True, photometric="minisblack", metadata=metadata
    )
    with open_slide(tmp_path / "a.ome.tif") as slide:
        assert [channel.colour for channel in slide.channels] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]


def test_three_planes_named_as_colours_are_a_picture(tmp_path):
    metadata = {"axes": "CYX", "Channel": {"Name": ["Red", "Green", "Blue"]}}
    pixels = np.moveaxis(rgb((40, 50)), -1, 0)
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, ome=True, photometric="minisblack", metadata=metadata)
    with open_slide(tmp_path / "a.ome.tif") as slide:
        assert slide.is_rgb
        assert np.array_equal(slide.read_level(0), pixels)


def test_set_of_files(tmp_path):
    pixels = channels(2, (64, 64))
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{0}">'
        '<Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="64" SizeY="64" '
        'SizeC="2" SizeZ="1" SizeT="1">'
        '<Channel ID="Channel:0:0" Name="a"/><Channel ID="Channel:0:1" Name="b"/>'
        '<TiffData FirstC="0" IFD="0"><UUID FileName="one.ome.tif">urn:uuid:1</UUID></TiffData>'
        '<TiffData FirstC="1" IFD="0"><UUID FileName="two.ome.tif">urn:uuid:2</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    for k, name in enumerate(("one.ome.tif", "two.ome.tif")):
        tifffile.imwrite(
            tmp_path / name,
            pixels[k],
            description=xml.format(k + 1),
            metadata=None,
            compression="zlib",
            tile=(32, 32),
        )
    with open_slide(tmp_path / "one.ome.tif") as slide:
        assert np.array_equal(slide.read_level(0), pixels)
        assert [channel.name for channel in slide.channels] == ["a", "b"]
    (tmp_path / "two.ome.tif").unlink()
    with pytest.raises(DamagedFile, match="all must lie side by side"):
        open_slide(tmp_path / "one.ome.tif")


def test_one_channel_decodes_only_its_own_tiles(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    pixels = channels(6, (256, 256))
    tifffile.imwrite(path, pixels, tile=(64, 64), compression="zlib", photometric="minisblack")
    asked = []
    original = tiff_pixels.TiffPixels._bytes

    def counted(self, file, offset, count):
        asked.append(offset)
        return original(self, file, offset, count)

    monkeypatch.setattr(tiff_pixels.TiffPixels, "_bytes", counted)
    with open_slide(path) as slide:
        assert np.array_equal(slide.read(0, Region(70, 70, 50, 50), [4])[0], pixels[4, 70:120, 70:120])
        assert len(asked) == 1
        slide.read(0, Region(70, 70, 50, 50), [4])
        assert len(asked) == 1, "the tile is kept for the next read"
        slide.read(0, Region(70, 70, 50, 50), [2, 4])
        assert len(asked) == 2


def test_kept_tiles_are_bounded(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    pixels = channels(1, (512, 512))
    tifffile.imwrite(path, pixels[0], tile=(64, 64), compression="zlib")
    monkeypatch.setattr(tiff_pixels, "CACHE_BYTES", 5 * 64 * 64 * 2)
    with open_slide(path) as slide:
        assert np.array_equal(slide.read_level(0), pixels)
        assert np.array_equal(slide.read_level(0), pixels)
        assert 0 < slide.source.inner._tiles.size <= 5 * 64 * 64 * 2


def test_missing_tiles_are_background(tmp_path):
    path = tmp_path / "a.tif"
    tiles = [np.full((64, 64, 3), 9, np.uint8), np.full((64, 64, 3), 8, np.uint8)]
    blank = [tiles[0], None, None, tiles[1]]
    tifffile.imwrite(
        path,
        iter(blank),
        shape=(128, 128, 3),
        dtype=np.uint8,
        tile=(64, 64),
        photometric="rgb",
        compression="zlib",
    )
    with open_slide(path) as slide:
        pixels = slide.read_level(0)
    assert (pixels[:, :64, 64:] == 255).all()
    assert (pixels[:, :64, :64] == 9).all()
    assert (pixels[:, 64:, 64:] == 8).all()


def test_levels_of_odd_factors(tmp_path):
    pixels = channels(1, (1800, 1500), np.float32)[0]
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        tif.write(pixels, tile=(256, 256), subifds=1, metadata=None)
        tif.write(
            pixels.reshape(600, 3, 500, 3).mean((1, 3)).astype(np.float32), subfiletype=1, tile=(256, 256)
        )
    with open_slide(path) as slide:
        assert [level.downsample for level in slide.levels] == [(1, 1), (3, 3)]


def test_a_thumbnail_of_another_kind_is_no_level(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        tif.write(rgb((1300, 1200)), tile=(256, 256), photometric="rgb", metadata=None)
        tif.write(rgb((300, 200)), photometric="rgb", metadata=None)
        tif.write(rgb((400, 400))[..., 0], photometric="minisblack", metadata=None)
    with open_slide(path) as slide:
        assert slide.metadata["series_count"] == 3
        assert [level.shape for level in slide.levels] == [(1300, 1200), (650, 600)]


def test_complex_pixels_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), np.complex64))
    with pytest.raises(UnsupportedFormat, match="complex64"):
        open_slide(tmp_path / "a.tif")


def test_flat_pyramid_with_mixed_factors(tmp_path):
    full = rgb((2048, 1792))
    levels = halves(full, 3)
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        for level in (levels[0], levels[2], levels[3]):
            tif.write(level, tile=(256, 256), photometric="rgb", compression="zlib", metadata=None)
    with open_slide(path) as slide:
        assert [level.downsample for level in slide.levels] == [(1, 1), (4, 4), (8, 8)]
        for k, level in ((1, levels[2]), (2, levels[3])):
            assert np.array_equal(np.moveaxis(slide.read_level(k), 0, -1), level)
