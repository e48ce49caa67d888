"""Planes of a slide at any spacing."""

import numpy as np

from napari_histreg.preprocess.planes import read_planes
from napari_histreg.slides import open_slide


def test_a_value_beyond_single_precision_is_no_value(recwarn):
    pixels = np.ones((1, 64, 64))
    pixels[0, 10, 20] = 1e300
    planes = read_planes(open_slide(pixels, pixel_size_um=0.5), 0.5)
    assert np.argwhere(np.isnan(planes.pixels[0])).tolist() == [[10, 20]]
    assert not recwarn.list
