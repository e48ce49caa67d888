"""Control points: their displacement, its transpose, what fits a field, and what bending costs."""

import numpy as np
import pytest

from napari_histreg.methods.nonrigid.control_grid import ControlGrid, bending_energy, gradient_energy

GRID = ControlGrid((50, 41), 9.0)


def test_gathering_is_the_transpose_of_spreading():
    rng = np.random.default_rng(0)
    points, slope = rng.normal(size=(*GRID.counts, 2)), rng.normal(size=(*GRID.shape, 2))
    assert (GRID.spread(points) * slope).sum() == pytest.approx((points * GRID.gathered(slope)).sum())


def test_a_displacement_of_the_grid_is_found_again():
    points = np.random.default_rng(1).normal(size=(*GRID.counts, 2))
    np.testing.assert_allclose(GRID.fitted(GRID.spread(points)), points, atol=1e-8)


@pytest.mark.parametrize("energy", [bending_energy, gradient_energy])
def test_the_derivative_is_that_of_the_energy(energy):
    rng = np.random.default_rng(2)
    points, change = rng.normal(size=(6, 7, 2)), rng.normal(size=(6, 7, 2))
    up, down = (energy(points + sign * 1e-4 * change)[0] for sign in (1, -1))
    assert (energy(points)[1] * change).sum() == pytest.approx((up - down) / 2e-4, rel=1e-6)
