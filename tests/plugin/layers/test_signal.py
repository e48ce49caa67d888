"""What of a slide is overlaid: its nuclei bright, its glass dark."""

import numpy as np

from napari_histreg.plugin.layers.signal import signal_layer
from napari_histreg.plugin.layers.slides import slide_layers
from napari_histreg.slides import open_slide


def test_glass_is_dark_although_something_is_brighter():
    from napari.layers import Layer

    rng = np.random.default_rng(0)
    pixels = np.full((600, 600, 3), (243, 242, 240)) + rng.normal(0, 1, (600, 600, 3))
    pixels[150:450, 150:450] = (246, 150, 196)
    nuclei = np.zeros((600, 600), bool)
    nuclei[160:440:20, 160:440:20] = nuclei[161:440:20, 160:440:20] = nuclei[160:440:20, 161:440:20] = True
    pixels[nuclei] = (90, 60, 150)
    # A rim without a cover slip.
    pixels[:12] = 255
    slide = open_slide(np.clip(pixels, 0, 255).astype(np.uint8), pixel_size_um=0.5)
    layers = [Layer.create(*data) for data in slide_layers(slide)]
    layer = signal_layer(slide, layers, "magenta")
    shown = np.asarray(layer.data[0], float)
    low, high = layer.contrast_limits
    light = np.clip((shown[:600, :600] - low) / (high - low), 0, 1) ** layer.gamma
    assert np.median(light[20:140]) < 0.1
    assert np.median(light[nuclei]) > 0.6
    assert not layer.visible  # until it is whole
