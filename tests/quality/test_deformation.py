import numpy as np
import pytest

from napari_histreg.quality.deformation import measure_deformation
from napari_histreg.transforms import Affine, Similarity
from waves import Wave


@pytest.mark.parametrize(
    "transform",
    [
        Affine.identity(),
        Similarity.of(scale=1.7, angle_deg=130, mirrored=True, translation=(40, 5)),
        Affine([[1.1, 0.2, 3], [0.1, 0.9, 4], [0, 0, 1]]),
    ],
)
def test_an_affine_neither_bends_nor_folds(transform):
    found = measure_deformation(transform, (300, 400))
    np.testing.assert_allclose(found.jacobian, 1, atol=1e-6)
    assert found.folded == 0
    assert found.bending_energy < 1e-9
    assert found.largest_displacement < 1e-6
    assert found.mirrored == transform.mirrored
    assert found.scale == pytest.approx(transform.scale)


def test_a_gentle_wave_bends_as_calculated():
    height, length, side = 4.0, 100.0, 400.0
    found = measure_deformation(Wave(height, length), (side, side), across=256)
    slope = 2 * np.pi * height / length
    # the affine part's tilt changes the slope by 1 %
    assert found.jacobian.min() == pytest.approx(1 - slope, abs=0.03)
    assert found.jacobian.max() == pytest.approx(1 + slope, abs=0.03)
    assert found.folded == 0
    # second derivative of the sine: mean square height^2 (2 pi / length)^4 / 2, times the squared diagonal
    expected = height**2 * (2 * np.pi / length) ** 4 / 2 * 2 * side**2
    assert found.bending_energy == pytest.approx(expected, rel=0.05)
    # the affine part tilts by 6 heights / (2 pi 4 periods), half of it at either end
    assert found.largest_displacement == pytest.approx(height, rel=0.2)


def test_a_steep_wave_folds_where_it_should():
    height, length = 30.0, 100.0
    found = measure_deformation(Wave(height, length), (400, 400), across=200)
    slope = 2 * np.pi * height / length
    expected = np.arccos(1 / slope) / np.pi  # share of the period in which 1 + slope cos < 0
    assert found.folded_share == pytest.approx(expected, abs=0.03)
    assert found.to_dict()["jacobian_min"] < 0
