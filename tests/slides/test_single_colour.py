"""Fluorescence in colour files is one channel; brightfield stays in colour."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_histreg.geometry import Region
from napari_histreg.slides import open_slide
from slides.ndpi_files import write_ndpi

Y, X = np.mgrid[:600, :800]
CELLS = (180 * np.exp(-(((X % 100 - 50) / 14) ** 2) - ((Y % 100 - 50) / 14) ** 2)).astype(np.uint8)
PART, CUT = Region(120, 230, 60, 70), np.s_[120:180, 230:300]


def only(colour, others=0):
    pixels = np.full((*CELLS.shape, 3), others, np.uint8)
    pixels[..., colour] = CELLS
    return pixels


@pytest.mark.parametrize(
    ("name", "colour", "wavelength", "called"),
    [
        ("case 3-DAPI 2 (387) .ndpi", 2, 460, "DAPI"),
        ("case 3.ndpi", 1, 525, "525 nm"),
        ("case 3_b.ndpi", 0, None, "red"),
    ],
)
def test_a_filter_of_hamamatsu_is_one_channel(tmp_path, name, colour, wavelength, called):
    with open_slide(write_ndpi(tmp_path / name, only(colour), wavelength_nm=wavelength)) as slide:
        assert (slide.vendor, slide.is_rgb, slide.background) == ("hamamatsu", False, 0.0)
        (channel,) = slide.channels
        assert channel.name == called
        assert channel.colour == tuple(float(k == colour) for k in range(3))
        assert slide.pixel_size_um == pytest.approx((0.5, 0.5))
        found = slide.read(0, PART)
        assert found.shape == (1, 60, 70)
        assert np.abs(found[0].astype(int) - CELLS[CUT]).max() <= 6, "but for what JPEG loses"
        assert slide.read(len(slide.levels) - 1, Region(0, 0, 20, 30), [0]).shape == (1, 20, 30)


def test_brightfield_stays_in_colour(tmp_path):
    stained = 245 - only(1)
    for path in (
        write_ndpi(tmp_path / "he DAPI.ndpi", stained),
        write_ndpi(tmp_path / "pink.ndpi", np.broadcast_to([250, 10, 120], (600, 800, 3)).astype(np.uint8)),
    ):
        with open_slide(path) as slide:
            assert slide.is_rgb
            assert [channel.name for channel in slide.channels] == ["red", "green", "blue"]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_any_picture_of_one_colour_is_one_channel(tmp_path, suffix):
    path = tmp_path / f"K7_FITC{suffix}"
    if suffix == ".tif":
        tifffile.imwrite(path, only(1, 3), photometric="rgb")
    else:
        Image.fromarray(only(1, 3)).save(path, quality=95)
    with open_slide(path) as slide:
        assert [channel.name for channel in slide.channels] == ["FITC"]
        assert np.abs(slide.read(0, PART)[0].astype(int) - CELLS[CUT]).max() <= (6 if suffix == ".jpg" else 0)


def test_what_shines_in_two_colours_or_none_stays_in_colour(tmp_path):
    two = only(0)
    two[..., 2] = CELLS // 4
    for k, pixels in enumerate((two, only(1, 40), np.zeros_like(two), np.repeat(CELLS[..., None], 3, 2))):
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
        with open_slide(tmp_path / f"{k}.png") as slide:
            assert slide.is_rgb, k


def test_what_was_not_scanned_is_dark(tmp_path):
    pixels = only(2)
    pixels[:, :200] = 255
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    with open_slide(tmp_path / "a.tif") as slide:
        assert len(slide.channels) == 1
        assert slide.read(0, Region(0, 0, 600, 200)).max() == 0


def test_filters_of_one_slide_come_together(tmp_path):
    for name, colour in (("DAPI", 2), ("FITC", 1)):
        write_ndpi(tmp_path / f"K7-{name}.ndpi", only(colour))
    with open_slide(tmp_path / "K7-*.ndpi") as slide:
        assert [channel.name for channel in slide.channels] == ["DAPI", "FITC"]
        assert [channel.colour for channel in slide.channels] == [(0.0, 0.0, 1.0), (0.0, 1.0, 0.0)]
