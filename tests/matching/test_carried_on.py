"""Beyond its measurements a field keeps to what they say."""

import numpy as np
import pytest

from napari_histreg.matching.carried_on import CarriedOn
from napari_histreg.matching.smooth_field import fit_smooth_field


def waves(points):
    y, x = points.T
    return np.stack([8 * np.sin(x / 150) + 3 * np.cos(y / 180), 6 * np.cos(x / 170 + y / 210)], -1)


@pytest.fixture(scope="module")
def field():
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 1000, (250, 2))
    return fit_smooth_field(places, waves(places) + rng.normal(0, 0.2, places.shape), np.full(250, 0.2))


def length(values):
    return np.linalg.norm(values, axis=1)


def test_nowhere_larger_than_what_was_measured(field):
    lines = np.linspace(-3000, 4000, 60)
    points = np.stack(np.meshgrid(lines, lines), -1).reshape(-1, 2)
    assert length(CarriedOn(field)(points)).max() < 1.1 * length(field.values).max()
    # Without it, slopes would carry the field far beyond.
    assert length(field(points)).max() > 1.5 * length(field.values).max()


def test_among_the_measurements_nothing_changes(field):
    np.testing.assert_allclose(CarriedOn(field)(field.places), field(field.places))


def test_without_a_jump(field):
    line = np.stack([np.full(4000, 480.0), np.linspace(900, 3000, 4000)], -1)
    step = length(np.diff(CarriedOn(field)(line), axis=0))
    assert step.max() < 0.2 * np.linalg.norm(line[1] - line[0])


def test_far_away_nothing_is_left(field):
    assert np.abs(CarriedOn(field)(np.array([[500.0, 40_000.0]]))).max() < 1e-3
