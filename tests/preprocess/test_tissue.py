import numpy as np
import pytest

from napari_histreg.preprocess import tissue_fraction, tissue_mask
from napari_histreg.quality.overlap import dice
from napari_histreg.samples import phantom_pair


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(4096, seed=3)


def truth(slide, level):
    """Where the phantom's tissue is, from the phantom itself."""
    from napari_histreg.geometry import Region

    source = slide.source
    layers = source.tissue.layers(source._view(level), Region.whole(slide.levels[level].shape))
    return layers.body > 0.5


@pytest.mark.parametrize("side", ["fixed", "moving"])
@pytest.mark.parametrize("border", [None, 0, 1])
def test_tissue_of_the_phantom_is_found_whatever_the_border(pair, side, border):
    slide = getattr(pair, side)
    level = slide.level_for_size(1024)
    planes = slide.read_level(level).astype(float)
    expected = truth(slide, level)
    if border is not None:
        value = border * planes.max()
        planes = np.pad(planes, ((0, 0), (40, 60), (30, 0)), constant_values=value)
        expected = np.pad(expected, ((40, 60), (30, 0)))
    found = tissue_mask(planes)
    # closing joins nuclei and fills lumina below about 4 px; the rest must agree
    assert dice(found, expected) > 0.94


@pytest.mark.parametrize("kind", ["white", "black", "noisy glass", "noisy dark"])
def test_nothing_is_found_where_nothing_is(kind):
    rng = np.random.default_rng(0)
    planes = {
        "white": np.full((3, 200, 200), 255.0),
        "black": np.zeros((2, 200, 200)),
        "noisy glass": rng.normal(238, 3, (3, 300, 300)),
        "noisy dark": rng.poisson(20, (2, 300, 300)).astype(float),
    }[kind]
    assert tissue_fraction(tissue_mask(planes)) < 0.005


def test_a_picture_full_of_tissue_is_tissue():
    from skimage.data import immunohistochemistry

    planes = np.moveaxis(immunohistochemistry(), -1, 0)[:, :400, :200]
    assert tissue_fraction(tissue_mask(planes)) > 0.6


def test_fraction_counts_valid_pixels_only():
    mask = np.array([[True, False, True, False]])
    assert tissue_fraction(mask) == 0.5
    assert tissue_fraction(mask, np.array([[True, True, False, False]])) == 0.5
    assert tissue_fraction(mask, np.zeros((1, 4), bool)) == 0
