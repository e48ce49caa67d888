"""The smooth field: follows what is measured, forgets what is wrong, and knows how far it is off."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_histreg.matching.smooth_field import Prior, SmoothField, fit_smooth_field

SIDE = 1000.0


def waves(points):
    y, x = points.T
    return np.stack([8 * np.sin(x / 150) + 3 * np.cos(y / 180), 6 * np.cos(x / 170 + y / 210)], -1)


def measured(count=250, noise=0.2, wrong=0.0, seed=0):
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, SIDE, (count, 2))
    values = waves(places) + rng.normal(0, noise, places.shape)
    bad = rng.random(count) < wrong
    values[bad] += rng.uniform(-15, 15, (int(bad.sum()), 2))
    return places, values, np.full(count, noise), bad


def inner(count=2000):
    return np.random.default_rng(9).uniform(0.1 * SIDE, 0.9 * SIDE, (count, 2))


def errors(field):
    return np.linalg.norm(field(inner()) - waves(inner()), axis=1)


def test_follows_what_is_measured():
    field = fit_smooth_field(*measured()[:3])
    assert np.median(errors(field)) < 0.25


@pytest.mark.parametrize("seed", range(3))
def test_wrong_measurements_are_forgotten(seed):
    places, values, deviations, bad = measured(wrong=0.15, seed=seed)
    field = fit_smooth_field(places, values, deviations)
    far = np.linalg.norm(values - waves(places), axis=1) > 4
    assert (field.weights[far] < 0.3).all()
    assert np.median(field.weights[~bad]) > 0.6
    assert np.percentile(errors(field), 90) < 1.2


def test_claimed_noise_is_corrected():
    """Ten times too sure or too modest: what is left out tells."""
    places, values, deviations, _ = measured(noise=0.5)
    for factor in (0.1, 10.0):
        noise = fit_smooth_field(places, values, factor * deviations).noise
        assert 0.25 < np.median(noise) < 1.0


def test_nine_of_ten_errors_lie_within_what_it_says():
    field = fit_smooth_field(*measured()[:3])
    assert 0.82 < (errors(field) < 2.146 * field.deviation(inner())).mean() < 0.99


def test_runs_out_to_nothing():
    field = fit_smooth_field(*measured()[:3])
    assert np.abs(field(np.array([[500.0, 40 * SIDE], [-40 * SIDE, 0]]))).max() < 1e-3


def test_left_out_is_what_a_fit_without_it_says():
    places, values, deviations, _ = measured(40)
    prior = Prior(300.0, 5.0)
    field = SmoothField(places, values, deviations, prior, np.ones(40))
    keep = np.arange(40) != 7
    without = SmoothField(places[keep], values[keep], deviations[keep], prior, np.ones(39))
    np.testing.assert_allclose(
        field.left_out.residuals[7], values[7] - without(places[7:8])[0], rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(field.left_out.deviations[7], without.deviation(places[7:8])[0], rtol=1e-3)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_few_measurements_are_no_error(count):
    places, values, deviations, _ = measured(count)
    field = fit_smooth_field(places, values, deviations)
    assert np.isfinite(field(inner(50))).all()


@settings(max_examples=8, deadline=None)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-1e4, 1e4))
def test_units_and_origin_do_not_matter(scale, shift):
    places, values, deviations, _ = measured(30)
    here = fit_smooth_field(places, values, deviations)(inner(20))
    there = fit_smooth_field(scale * places + shift, scale * values, scale * deviations)
    np.testing.assert_allclose(there(scale * inner(20) + shift) / scale, here, atol=0.02)
