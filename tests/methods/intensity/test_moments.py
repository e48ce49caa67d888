"""Centre and axes of the tissue."""

import numpy as np
import pytest

from napari_histreg.errors import RegistrationError
from napari_histreg.geometry import Frame
from napari_histreg.matching.picture import Picture
from napari_histreg.methods.intensity.moments import Moments, tissue_shape
from napari_histreg.raster import Raster
from phantoms import pair


@pytest.mark.parametrize("angle", [-80.0, -20.0, 35.0, 90.0])
def test_the_moments_of_an_ellipse(angle: float) -> None:
    """Semi-axes a > b have standard deviations a / 2 and b / 2."""
    y, x = np.mgrid[:200, :240] - np.array([90.0, 130.0])[:, None, None]
    t = np.deg2rad(angle)
    # y points down: counter-clockwise on screen is towards smaller y.
    along, across = np.cos(t) * x - np.sin(t) * y, np.sin(t) * x + np.cos(t) * y
    plane = ((along / 60) ** 2 + (across / 30) ** 2 < 1).astype(np.float32)
    shape = tissue_shape(Picture(plane[None], Frame(plane.shape, (0.5, 0.5), (10.0, 20.0))))
    assert np.allclose(shape.centre, (10 + 45.0, 20 + 65.0), atol=0.1)
    assert abs((shape.angle_deg - angle + 90) % 180 - 90) < 1
    assert shape.elongation == pytest.approx(2.0, rel=0.05)
    # The threshold on the smoothed picture lies a little outside of the edge.
    assert shape.size == pytest.approx(0.5 * np.hypot(30, 15), rel=0.06)


# Each quarter turn once, two of them face down; the other four are the same again.
@pytest.mark.parametrize(
    ("angle", "mirrored"),
    [
        (0.0, False),
        (100.0, True),
        (190.0, False),
        (275.0, True),
        pytest.param(0.0, True, marks=pytest.mark.thorough),
        pytest.param(100.0, False, marks=pytest.mark.thorough),
        pytest.param(190.0, True, marks=pytest.mark.thorough),
        pytest.param(275.0, False, marks=pytest.mark.thorough),
    ],
)
def test_every_way_round(angle: float, mirrored: bool) -> None:
    case = pair(angle_deg=angle, mirrored=mirrored, scale=1.1, shift=(5.0, -8.0), island=True)
    found = Moments().estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 1.0


def test_dark_tissue_on_bright_glass_and_unknown_scale() -> None:
    case = pair(angle_deg=45.0, scale=0.5, stains=("nuclear", "inverted"), island=True)
    found = Moments().estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 1.0


def test_moments_alone_are_near() -> None:
    case = pair(angle_deg=100.0, shift=(5.0, -8.0), island=True)
    found = Moments(iterations=0).estimate(case.fixed, case.moving)
    assert np.median(case.errors(found.fixed_to_moving)) < 8.0


def test_other_tissue_is_refused() -> None:
    fixed, moving = (pair(seed=seed, island=True).fixed for seed in (3, 4))
    with pytest.raises(RegistrationError):
        Moments().estimate(fixed, moving)


def test_noise_without_tissue_is_refused() -> None:
    noise = [Raster(np.random.default_rng(s).random((128, 128)).astype(np.float32)) for s in (0, 1)]
    with pytest.raises(RegistrationError):
        Moments().estimate(*noise)
