"""What blocks are compared by does not see brightness, and the rim of what is valid does not count."""

import numpy as np
import pytest

from napari_histreg.quality.fields import RIM_PX, contrast_field, direction_field
from napari_histreg.raster import Raster
from phantoms import pair


@pytest.fixture(scope="module")
def raster():
    return pair(shift=(0.0, 0.0)).fixed


@pytest.mark.parametrize("field", [direction_field, contrast_field])
def test_brightness_and_contrast_do_not_matter(field, raster):
    other = Raster(raster.pixels * 3.0 + 50.0, raster.spacing, raster.origin, raster.mask)
    np.testing.assert_allclose(field(other), field(raster), atol=2e-3)


def test_directions_do_not_see_an_exchange_of_bright_and_dark_and_contrast_does(raster):
    other = Raster(-raster.pixels, raster.spacing, raster.origin, raster.mask)
    np.testing.assert_allclose(direction_field(other), direction_field(raster), atol=2e-3)
    np.testing.assert_allclose(contrast_field(other), -contrast_field(raster), atol=2e-3)


@pytest.mark.parametrize("field", [direction_field, contrast_field])
def test_the_rim_of_the_valid_part_is_blank(field, raster):
    mask = raster.mask.copy()
    mask[:40] = False
    seen = field(Raster(raster.pixels, raster.spacing, raster.origin, mask))
    assert not seen[: 40 + RIM_PX].any()
    assert seen[40 + RIM_PX :].any()
