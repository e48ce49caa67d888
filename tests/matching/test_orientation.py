import numpy as np
import pytest

from napari_histreg.geometry import Frame
from napari_histreg.matching.orientation import orientation_field
from napari_histreg.matching.picture import Picture
from phantoms import pair


def picture(pixels, mask=None):
    pixels = np.atleast_3d(pixels) if pixels.ndim == 3 else pixels[None]
    return Picture(pixels, Frame(pixels.shape[1:], (1.0, 1.0), (0.0, 0.0)), mask)


@pytest.fixture(scope="module")
def pixels():
    return pair().fixed.pixels


def test_neither_contrast_nor_brightness_changes_it(pixels):
    field = orientation_field(picture(pixels))
    assert np.allclose(field, orientation_field(picture(5 - 3 * pixels)), atol=1e-4)


def test_channels_add_up_in_any_order(pixels):
    other = np.roll(pixels, 9, 0)
    both, swapped = np.stack([pixels, other]), np.stack([other, pixels])
    assert np.allclose(orientation_field(picture(both)), orientation_field(picture(swapped)), atol=1e-5)


def test_a_mirror_conjugates_it_and_a_quarter_turn_reverses_it(pixels):
    field = orientation_field(picture(pixels))
    mirrored = orientation_field(picture(np.ascontiguousarray(pixels[:, ::-1])))
    turned = orientation_field(picture(np.ascontiguousarray(np.rot90(pixels))))
    inner = slice(10, -10)
    assert np.allclose(mirrored[inner, inner], field[:, ::-1].conj()[inner, inner], atol=0.02)
    assert np.allclose(turned[inner, inner], -np.rot90(field)[inner, inner], atol=0.02)


def test_what_is_masked_and_its_outline_count_nothing(pixels):
    mask = np.ones(pixels.shape, bool)
    mask[:, :80] = False
    field = orientation_field(picture(np.where(mask, pixels, 50), mask))
    assert not field[:, :82].any()
    # The outline of a bright border would be the strongest edge of all.
    assert np.abs(field[:, 82:86]).mean() < 1.5 * np.abs(field[:, 100:]).mean()


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_a_constant_or_masked_picture_has_none(value):
    flat = np.full((40, 40), value, np.float32)
    assert not orientation_field(picture(flat)).any()
    assert not orientation_field(picture(flat, np.zeros((40, 40), bool))).any()
