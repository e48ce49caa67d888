"""Predicted errors against those that simulated fits really make."""

import numpy as np
import pytest

from napari_histreg.landmarks import (
    Landmarks,
    fit_landmarks,
    localisation_error,
    predict,
    uncertainty,
    where_next,
)
from napari_histreg.transforms import MODELS, Rigid, fit_transform
from transforms_truth import TRUTH

FIXED = np.array([[1000, 1500], [9000, 500], [4000, 8000], [7000, 7000], [2000, 5500], [5000, 2000.0]])
TARGETS = np.array([[4500, 4500], [0, 0], [15000, 12000.0]])


@pytest.mark.parametrize("model", MODELS)
def test_the_predicted_error_is_the_one_that_fits_make(model: str) -> None:
    rng = np.random.default_rng(0)
    truth, sigma = TRUTH[model], 4.0
    errors, predicted = [], []
    for trial in range(400):
        # Noise of a known size in the fixed frame, then mapped: what the estimate is defined by.
        moving = truth(FIXED + rng.normal(0, sigma, FIXED.shape))
        back = fit_transform(model, FIXED, moving).inverse()
        errors.append(((back(truth(TARGETS)) - TARGETS) ** 2).sum(1))
        if trial < 40:
            predicted.append(uncertainty(fit_landmarks(Landmarks.of(FIXED, moving), model), TARGETS) ** 2)
    # 400 trials know a mean square to 7 %, 40 estimates of sigma with few spare pairs to 15 %.
    np.testing.assert_allclose(np.mean(predicted, 0), np.mean(errors, 0), rtol=0.45)


def test_the_localisation_error_is_estimated_without_bias() -> None:
    rng = np.random.default_rng(1)
    fits = [
        fit_landmarks(Landmarks.of(FIXED, FIXED + rng.normal(0, 3, FIXED.shape)), "rigid") for _ in range(100)
    ]
    assert np.sqrt(np.mean([localisation_error(fit) ** 2 for fit in fits])) == pytest.approx(3, rel=0.1)


def test_an_exact_fit_knows_no_error() -> None:
    fit = fit_landmarks(Landmarks.of(FIXED[:2], FIXED[:2] * 2), "similarity")
    assert np.isnan(uncertainty(fit, TARGETS)).all()
    assert predict(fit, [1, 1]).point == pytest.approx((2, 2))
    # Where to look next is known all the same: far from the pairs.
    assert where_next(fit, TARGETS).point == (15000, 12000)


def test_errors_grow_away_from_the_pairs() -> None:
    moving = FIXED + np.random.default_rng(0).normal(0, 3, FIXED.shape)
    middle, corner, far = uncertainty(fit_landmarks(Landmarks.of(FIXED, moving), "affine"), TARGETS)
    assert middle < corner < far


def test_a_prediction_goes_both_ways() -> None:
    truth = Rigid.of(angle_deg=30, translation=(100, 100))
    fit = fit_landmarks(Landmarks.of(FIXED, truth(FIXED)), "rigid")
    there = predict(fit, [500, 600])
    assert there.point == pytest.approx(tuple(truth([[500, 600]])[0]))
    assert predict(fit, there.point, given="moving").point == pytest.approx((500, 600))
    with pytest.raises(ValueError, match="fixed"):
        predict(fit, [0, 0], given="left")


def test_the_next_place_is_the_least_certain_candidate() -> None:
    fit = fit_landmarks(Landmarks.of(FIXED, FIXED + 1.5), "affine")
    assert where_next(fit, TARGETS).point == (15000, 12000)
    with pytest.raises(ValueError, match="candidate"):
        where_next(fit, np.empty((0, 2)))


def test_a_shift_asks_for_a_pair_far_from_the_others() -> None:
    fit = fit_landmarks(Landmarks.of([[0, 0]], [[1, 1]]))
    assert where_next(fit, [[1, 1], [50, 0], [20, 20]]).point == (50, 0)


def test_a_thin_plate_knows_its_noise() -> None:
    rng = np.random.default_rng(2)
    fixed = rng.uniform(0, 10_000, (80, 2))
    bent = fixed + 150 * np.stack([np.sin(fixed[:, 1] / 2500), np.cos(fixed[:, 0] / 3000)], 1)
    estimates = []
    for _ in range(10):
        fit = fit_landmarks(Landmarks.of(fixed, bent + rng.normal(0, 8, fixed.shape)), "thin_plate")
        estimates.append(localisation_error(fit) ** 2)
    # Some of the bend is taken for noise, some noise for bend: a quarter of error either way.
    assert np.sqrt(np.mean(estimates)) == pytest.approx(8, rel=0.25)
    inside, outside = uncertainty(fit, [[5000, 5000], [25_000, 25_000]])
    assert outside > 5 * inside > 0
    assert where_next(fit, [[5000, 5000], [25_000, 25_000]]).point == (25_000, 25_000)
