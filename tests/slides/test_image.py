"""PNG, JPEG and BMP in all their modes."""

import imagecodecs
import numpy as np
import pytest
from PIL import Image

import napari_histreg.slides.readers._image as image_reader
from napari_histreg.errors import UnsupportedFormat
from napari_histreg.files import LIMITS
from napari_histreg.slides import open_slide, single_colour
from slides.slide_files import rgb


def opened(path):
    with open_slide(path) as slide:
        return slide, slide.read_level(0)


@pytest.mark.parametrize("count", [1, 3])
def test_16_bits_are_kept(tmp_path, count):
    pixels = np.random.default_rng(0).integers(0, 65536, (40, 50, count)).astype(np.uint16)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(np.squeeze(pixels)))
    slide, read = opened(tmp_path / "a.png")
    assert slide.dtype == np.uint16
    assert slide.is_rgb == (count == 3)
    assert slide.background == (65535 if count == 3 else 0)
    assert np.array_equal(read, np.moveaxis(pixels, -1, 0))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("count", [2, 4])
def test_alpha_is_laid_over_white(tmp_path, dtype, count):
    top = np.iinfo(dtype).max
    pixels = np.random.default_rng(0).integers(0, top + 1, (40, 50, count)).astype(dtype)
    pixels[:10, :, -1], pixels[10:20, :, -1] = 0, top
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    slide, read = opened(tmp_path / "a.png")
    assert slide.is_rgb == (count == 4)
    assert slide.dtype == dtype
    assert (read[:, :10] == top).all()
    assert np.array_equal(read[:, 10:20], np.moveaxis(pixels[10:20, :, :-1], -1, 0))
    weight = pixels[20:, :, -1:] / top
    expected = np.moveaxis(top + (pixels[20:, :, :-1] - float(top)) * weight, -1, 0)
    assert np.abs(read[:, 20:] - expected).max() <= (0.51 if dtype == np.uint8 else 0.6)


def test_palette_becomes_rgb(tmp_path):
    picture = Image.fromarray(rgb((40, 50))).quantize(16)
    for suffix in ("png", "bmp"):
        picture.save(tmp_path / f"a.{suffix}")
        slide, read = opened(tmp_path / f"a.{suffix}")
        assert slide.is_rgb
        assert np.array_equal(np.moveaxis(read, 0, -1), np.asarray(picture.convert("RGB")))


def test_transparent_palette_colour_is_white(tmp_path):
    picture = Image.fromarray(rgb((40, 50))).quantize(4)
    picture.save(tmp_path / "a.png", transparency=0)
    slide, read = opened(tmp_path / "a.png")
    assert slide.is_rgb
    assert (np.moveaxis(read, 0, -1)[np.asarray(picture) == 0] == 255).all()


def test_cmyk_becomes_rgb(tmp_path):
    picture = Image.fromarray(rgb((48, 64))).convert("CMYK")
    picture.save(tmp_path / "a.jpg", quality=98, subsampling=0)
    slide, read = opened(tmp_path / "a.jpg")
    assert slide.is_rgb
    # JPEG of this quality changes smooth pictures by a few values.
    assert np.abs(np.moveaxis(read, 0, -1) - rgb((48, 64)).astype(float)).mean() < 3


def test_black_and_white(tmp_path):
    bits = np.random.default_rng(0).random((40, 50)) > 0.5
    for suffix in ("png", "bmp"):
        Image.fromarray(bits).save(tmp_path / f"a.{suffix}")
        slide, read = opened(tmp_path / f"a.{suffix}")
        assert not slide.is_rgb
        assert np.array_equal(read[0], bits * np.uint8(255))


def test_grey_jpeg(tmp_path):
    Image.fromarray(rgb((48, 64))[..., 0]).save(tmp_path / "a.jpg", quality=98)
    slide, read = opened(tmp_path / "a.jpg")
    assert not slide.is_rgb
    assert read.shape == (1, 48, 64)
    assert slide.background == 0


def test_orientation_stays_as_stored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rgb((48, 64))).save(tmp_path / "a.jpg", exif=exif)
    assert opened(tmp_path / "a.jpg")[0].shape == (48, 64)


def test_pillows_limit_does_not_hold(tmp_path, monkeypatch):
    Image.fromarray(rgb((80, 90))).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert opened(tmp_path / "a.png")[0].shape == (80, 90)


def test_too_large_a_picture_is_refused_with_advice(tmp_path, monkeypatch):
    Image.fromarray(rgb((80, 90))).save(tmp_path / "a.png")
    monkeypatch.setattr(LIMITS, "gb", 1e-5)
    with pytest.raises(UnsupportedFormat, match=r"90 x 80 px.*--pyramid.*--max-gb"):
        open_slide(tmp_path / "a.png")


def test_large_pictures_are_decoded_when_read(tmp_path, monkeypatch):
    Image.fromarray(rgb((80, 90))).save(tmp_path / "a.png")
    # Both limits are millions of pixels: a picture beyond them is not looked at when it is opened either.
    monkeypatch.setattr(image_reader, "DECODED_AT_ONCE_PX", 100)
    monkeypatch.setattr(single_colour, "MOST_PX", 100)
    called = []
    original = image_reader._decode
    monkeypatch.setattr(image_reader, "_decode", lambda *a: called.append(1) or original(*a))
    with open_slide(tmp_path / "a.png") as slide:
        assert not called
        slide.read_level(0)
        slide.read_level(0)
    assert len(called) == 1


def test_resolution_of_a_microscope_is_the_pixel_size(tmp_path):
    dpi = 25_400 / 0.5
    Image.fromarray(rgb((40, 50))).save(tmp_path / "a.png", dpi=(dpi, dpi))
    slide, _ = opened(tmp_path / "a.png")
    # PNG stores whole pixels per metre: 2 000 000 here, exact to a millionth.
    assert slide.pixel_size_um == pytest.approx((0.5, 0.5), rel=1e-5)
