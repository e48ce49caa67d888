import numpy as np
import pytest

from napari_histreg.errors import NoTissue
from napari_histreg.preprocess import (
    Stains,
    estimate_stains,
    estimate_white,
    optical_density,
    ruifrok_stains,
    separate_stains,
)


def mixture(second, rng, shape=(120, 130)):
    """Two stains in known amounts, as light on a camera whose white is not neutral."""
    stains = ruifrok_stains(second)
    amounts = rng.gamma(0.8, 0.25, (2, *shape))
    amounts[:, :, :30] = 0
    density = np.einsum("syx,sc->cyx", amounts, stains.vectors[:2])
    white = np.array([240.0, 235.0, 228.0])
    return white[:, None, None] * 10.0**-density, amounts, stains, white


@pytest.mark.parametrize("second", ["eosin", "dab"])
def test_known_amounts_of_stain_come_back(second):
    light, amounts, stains, white = mixture(second, np.random.default_rng(1))
    found = separate_stains(optical_density(light, white), stains)
    clear = np.all(light > 4, axis=0)  # darker is cut off at 1/255 of the white
    np.testing.assert_allclose(found[:2, clear], amounts[:, clear], atol=2e-3)
    np.testing.assert_allclose(found[2, clear], 0, atol=2e-3)


def test_unmixing_agrees_with_scikit_image():
    from skimage.color import separate_stains as reference
    from skimage.color.colorconv import hed_from_rgb, rgb_from_hed

    light, *_ = mixture("eosin", np.random.default_rng(2))
    density = optical_density(light, [255.0] * 3)
    unit = rgb_from_hed / np.linalg.norm(rgb_from_hed, axis=1, keepdims=True)
    stains = Stains(unit, ("haematoxylin", "eosin", "dab"))
    ours = np.moveaxis(separate_stains(density, stains), 0, -1)
    theirs = reference(np.moveaxis(light, 0, -1) / 255, hed_from_rgb)
    # scikit-image counts light in powers of 1e-6, and its rows are not of unit length.
    theirs = theirs * np.linalg.norm(rgb_from_hed, axis=1) * 6
    clear = (light > 4).all(0)  # darker is cut off at 1/255 of the white
    part = clear[..., None] & (theirs > 0.05)  # scikit-image sets negative amounts to zero
    np.testing.assert_allclose(ours[part], theirs[part], rtol=1e-3)


@pytest.mark.parametrize("second", ["eosin", "dab"])
def test_macenko_finds_the_colours(second):
    light, _, stains, _ = mixture(second, np.random.default_rng(3), (300, 300))
    found = estimate_stains(optical_density(light))
    likeness = np.sum(found.vectors[:2] * stains.vectors[:2], axis=1)
    assert np.degrees(np.arccos(np.clip(likeness, -1, 1))).max() < 3  # 1 % of the angles lie beyond each end


def test_macenko_refuses_glass_and_one_colour():
    with pytest.raises(NoTissue, match="Too few stained"):
        estimate_stains(np.zeros((3, 50, 50)))
    with pytest.raises(NoTissue, match="one colour"):
        estimate_stains(np.full((3, 50, 50), 0.5))


def test_white_is_that_of_the_glass_beside_a_picture_full_of_tissue():
    light = np.full((3, 40, 40), 100.0)
    light[:, :, :10] = 240
    inside = np.zeros((40, 40), bool)
    inside[:, 12:] = True
    np.testing.assert_allclose(estimate_white(light, inside), 240)
    light[:, :, :10] = 0
    np.testing.assert_allclose(estimate_white(light, inside), 100)


def test_density_ignores_what_is_not_a_number_and_leaves_its_input_alone():
    light = np.full((3, 6, 6), 200.0)
    light[0, 0, 0], light[1, 1, 1] = np.nan, np.inf
    before = light.copy()
    density = optical_density(light)
    assert np.isfinite(density).all()
    assert density[:, 0, 0].max() == 0
    np.testing.assert_array_equal(light, before)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="eosin"):
        ruifrok_stains("giemsa")
    with pytest.raises(ValueError, match="same colour"):
        Stains.of([1, 1, 1], [2, 2, 2], ("a", "b"))
    with pytest.raises(ValueError, match="channels first"):
        optical_density(np.zeros((4, 4)))
    with pytest.raises(ValueError, match="red, green and blue"):
        separate_stains(np.zeros((1, 4, 4)), ruifrok_stains())
