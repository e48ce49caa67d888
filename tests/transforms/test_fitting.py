"""Fits find the truth that the points were made with, and say so when points determine nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_histreg.errors import DegenerateFit
from napari_histreg.transforms import (
    MINIMUM_PAIRS,
    MODELS,
    Rigid,
    fit_affine,
    fit_projective,
    fit_rigid,
    fit_similarity,
    fit_transform,
    fit_translation,
)
from transforms_truth import TRUTH


def cloud(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 50_000, (count, 2))


@pytest.mark.parametrize("model", MODELS)
@given(seed=st.integers(0, 10_000), extra=st.integers(0, 20))
def test_exact_pairs_give_the_truth(model: str, seed: int, extra: int) -> None:
    fixed = cloud(MINIMUM_PAIRS[model] + extra, seed)
    truth = TRUTH[model]
    fitted = fit_transform(model, fixed, truth(fixed))
    assert fitted.kind == model
    # On the fitted points: with the fewest points, in bad places, elsewhere is a matter of luck.
    np.testing.assert_allclose(fitted(fixed), truth(fixed), atol=1e-4)


@pytest.mark.parametrize("model", MODELS)
def test_many_noisy_pairs_come_close(model: str) -> None:
    fixed = cloud(400)
    truth = TRUTH[model]
    noise = np.random.default_rng(1).normal(0, 5, fixed.shape)
    fitted = fit_transform(model, fixed, truth(fixed) + noise)
    # Least squares leaves the share (numbers fitted) / (pairs) of the variance: 5 sqrt(K / 400); twice
    # that for luck, and because the projective fit weighs the pairs a little unevenly.
    numbers = {"translation": 2, "rigid": 3, "similarity": 4, "affine": 6, "projective": 8}[model]
    error = np.sqrt(((fitted(fixed) - truth(fixed)) ** 2).sum(1).mean())
    assert error < 2 * 5 * np.sqrt(numbers / 400)


@pytest.mark.parametrize("fit", [fit_rigid, fit_similarity])
def test_a_mirror_is_found_only_where_allowed(fit: type) -> None:
    truth = Rigid.of(angle_deg=20, mirrored=True)
    fixed = cloud(5)
    assert fit(fixed, truth(fixed), allow_mirror=True).mirrored
    assert not fit(fixed, truth(fixed)).mirrored
    np.testing.assert_allclose(fit(fixed, truth(fixed), allow_mirror=True)(fixed), truth(fixed), atol=1e-6)


@pytest.mark.parametrize("count", [2, 3, 9])
def test_points_on_a_line_are_not_taken_for_mirrored(count: int) -> None:
    fixed = np.linspace([0, 0], [300, 900], count)
    fitted = fit_similarity(fixed, fixed * 2, allow_mirror=True)
    assert not fitted.mirrored
    np.testing.assert_allclose(fitted.matrix, np.diag([2, 2, 1]), atol=1e-9)


def test_weights_decide_between_contradictions() -> None:
    fixed, moving = [[0, 0], [0, 0]], [[0, 0], [10, 10]]
    assert fit_translation(fixed, moving, [3, 1]).shift == (2.5, 2.5)
    corners = np.array([[0, 0], [0, 9], [9, 0], [9, 9], [5, 5.0]])
    wrong = corners.copy()
    wrong[4] = 500, -500
    for fit in (fit_rigid, fit_similarity, fit_affine, fit_projective):
        weighted = fit(corners, wrong, [1, 1, 1, 1, 0])
        np.testing.assert_allclose(weighted(corners), corners, atol=1e-9)


def test_weights_count_like_repetitions() -> None:
    fixed = cloud(6)
    moving = TRUTH["affine"](fixed) + np.random.default_rng(2).normal(0, 10, fixed.shape)
    for model in MODELS:
        weighted = fit_transform(model, fixed, moving, [1, 1, 2, 1, 1, 1])
        repeated = fit_transform(model, np.vstack([fixed, fixed[2]]), np.vstack([moving, moving[2]]))
        # Hartley's normaliser is the same for both, so even the projective fits agree to rounding.
        np.testing.assert_allclose(weighted(fixed), repeated(fixed), rtol=1e-8)


LINE = np.linspace([0, 0], [100, 50], 6)


@pytest.mark.parametrize(
    ("model", "fixed", "moving", "words"),
    [
        *[
            (model, cloud(MINIMUM_PAIRS[model] - 1), cloud(MINIMUM_PAIRS[model] - 1), "at least")
            for model in MODELS
        ],
        *[
            (model, np.full((6, 2), 7.0), cloud(6), "fixed points all lie at one place")
            for model in MODELS[1:]
        ],
        *[
            (model, cloud(6), np.full((6, 2), 7e4), "moving points all lie at one place")
            for model in MODELS[1:]
        ],
        *[(model, LINE, cloud(6), "fixed points lie on one line") for model in ("affine", "projective")],
        *[(model, cloud(6), LINE, "moving points lie on one line") for model in ("affine", "projective")],
        *[(model, [*cloud(5), [np.nan, 0]], cloud(6), "not a finite number") for model in MODELS],
        *[(model, cloud(6), [*cloud(5), [np.inf, 0]], "not a finite number") for model in MODELS],
        ("projective", [[0, 0], [0, 1], [0, 2], [5, 5]], [[0, 0], [0, 1], [0, 2], [5, 5]], "no three"),
        ("projective", [[0, 0], [0, 9], [9, 0], [9, 9]], [[0, 0], [9, 9], [9, 0], [0, 9]], "horizon"),
    ],
)
def test_points_that_determine_nothing(model: str, fixed: object, moving: object, words: str) -> None:
    with pytest.raises(DegenerateFit, match=words):
        fit_transform(model, fixed, moving)


def test_bad_arguments_are_value_errors() -> None:
    with pytest.raises(ValueError, match="no model 'cubic'"):
        fit_transform("cubic", [[0, 0]], [[0, 0]])
    with pytest.raises(ValueError, match="3 fixed and 2 moving"):
        fit_translation(cloud(3), cloud(2))
    for weights in ([1, 1], [1, -1, 1], [1, np.nan, 1]):
        with pytest.raises(ValueError, match="weights"):
            fit_translation(cloud(3), cloud(3), weights)


def test_inputs_stay_as_they_are() -> None:
    fixed, moving = cloud(6), cloud(6, 1)
    kept = fixed.copy(), moving.copy()
    for model in MODELS[:4]:
        fit_transform(model, fixed, moving)
    assert np.array_equal(fixed, kept[0])
    assert np.array_equal(moving, kept[1])
