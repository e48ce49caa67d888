import numpy as np
import pytest

from napari_histreg.raster import Raster


def test_pixels_and_world_are_opposite():
    raster = Raster(np.zeros((5, 7)), spacing=(2, 3), origin=(10, -4))
    points = np.array([[0.0, 0.0], [4.5, 6.0]])
    assert raster.to_world(points).tolist() == [[10, -4], [19, 14]]
    assert np.allclose(raster.to_pixel(raster.to_world(points)), points)
    homogeneous = np.c_[points, np.ones(2)] @ raster.frame.matrix.T
    assert np.allclose(homogeneous[:, :2], raster.to_world(points))


def test_a_raster_is_float32_and_valid_everywhere_by_default():
    raster = Raster(np.zeros((5, 7), np.uint8))
    assert raster.pixels.dtype == np.float32
    assert raster.mask.all()
    assert raster.mask.shape == raster.shape == (5, 7)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"pixels": np.zeros((2, 3, 4))}, "one plane"),
        ({"pixels": np.zeros((3, 4)), "mask": np.ones((4, 3), bool)}, "must match"),
        ({"pixels": np.zeros((3, 4)), "spacing": (0, 1)}, "must be positive"),
        ({"pixels": np.zeros((3, 4)), "spacing": (np.nan, 1)}, "must be positive"),
    ],
)
def test_what_is_no_raster_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        Raster(**arguments)
