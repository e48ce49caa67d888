"""File > Open Sample: both pairs come as layers that napari can add."""

import pytest
from napari.layers import Layer

from napari_histreg.plugin.contributions.sample_data import demo_pair_layers, phantom_pair_layers


@pytest.mark.parametrize("sample", [demo_pair_layers, phantom_pair_layers])
def test_a_sample_is_two_slides_as_layers(sample, cache, our_plugin):
    layers = [Layer.create(*data) for data in sample()]
    assert len(layers) >= 4
    assert layers[0].rgb
    assert layers[0].multiscale
    assert (len(layers[0].data) > 1) == (sample is phantom_pair_layers)  # the demo's slides are small
    assert {str(unit) for unit in layers[0].units} == {"micrometer"}
