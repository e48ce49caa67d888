import numpy as np
import pytest
from PIL import Image

from napari_histreg.errors import NoTissue
from napari_histreg.preprocess import (
    choose_stains,
    find_nuclear_name,
    nuclear_density,
    optical_density,
    pick_nuclear_channel,
)
from napari_histreg.samples import phantom_pair


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["CD8", "DAPI", "PanCK"], 1),
        (["dapi_01", "x"], 0),
        (["Opal 520", "Hoechst 33342"], 1),
        (["HOECHST1", "CD3"], 0),
        (["CD3", "DRAQ5"], 1),
        (["CD3", "DNA1", "DNA2"], 1),
        (["nuclei", "cells"], 0),
        (["a", "Hematoxylin"], 1),
        (["a", "haematoxylin"], 1),
        (["DNA", "DAPI"], 1),
        (["SYTO 13", "b"], 0),
        (["c", "191Ir_DNA1"], 1),
        (["mtDNA", "cDNA", "DNAse"], None),
        (["non-nuclear", "extranuclear"], None),
        (["channel 0", "channel 1"], None),
        ([], None),
    ],
)
def test_names_of_nuclear_stains(names, expected):
    assert find_nuclear_name(names) == expected


def test_the_channel_with_nuclei_is_chosen_by_structure():
    pair = phantom_pair(2048, seed=5)
    for level in (0, 1):
        planes = pair.moving.read(level, _middle(pair.moving, level)).astype(float)
        rng = np.random.default_rng(0)
        noise = rng.poisson(50, planes.shape[1:]).astype(float)
        shading = np.add.outer(np.arange(planes.shape[1]), np.arange(planes.shape[2])) * 3.0 + noise
        stack = [noise, shading, planes[0], np.zeros_like(noise)]
        assert pick_nuclear_channel(["a", "b", "c", "d"], stack) == 2


def _middle(slide, level):
    from napari_histreg.geometry import Region

    height, width = slide.levels[level].shape
    return Region(height // 3, width // 3, height // 3, width // 3)


def test_empty_channels_without_names_are_refused():
    with pytest.raises(NoTissue, match="name the channel"):
        pick_nuclear_channel(["a", "b"], [np.zeros((9, 9))] * 2)


def test_haematoxylin_looks_like_the_nuclear_dye_of_the_same_section(shared):
    folder = shared / "data" / "restained"
    for stain, dye in (("ihc", "dapi"), ("hematoxylin", "dapi_on_hematoxylin")):
        rgb = np.moveaxis(np.asarray(Image.open(folder / f"Lung1_{stain}.png")), -1, 0)
        nuclei = np.asarray(Image.open(folder / f"Lung1_{dye}.png"), float)
        likeness = np.corrcoef(nuclear_density(rgb).ravel(), nuclei.ravel())[0, 1]
        # the two lie within about 1 px of each other; plain density reaches 0.80 and 0.88
        assert likeness > 0.84, stain


def test_nuclei_of_the_phantom_are_separated_from_eosin():
    pair = phantom_pair(1024, seed=1)
    source = pair.fixed.source
    from napari_histreg.geometry import Region

    region = Region(300, 300, 300, 300)
    layers = source.tissue.layers(source._view(0), region)
    found = nuclear_density(pair.fixed.read(0, region))
    assert np.corrcoef(found.ravel(), layers.nuclei.ravel())[0, 1] > 0.97


def test_stains_are_published_ones_where_the_picture_does_not_tell():
    assert choose_stains(np.zeros((3, 20, 20))).names == ("haematoxylin", "eosin", "residual")


def test_grey_brightfield_gives_its_density():
    grey = np.full((1, 10, 10), 200.0)
    grey[0, 4:6, 4:6] = 20
    signal = nuclear_density(grey)
    np.testing.assert_allclose(signal, optical_density(grey)[0])
    assert signal[5, 5] == pytest.approx(1.0)
