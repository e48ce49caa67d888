"""Fits of landmarks against known truths."""

import numpy as np
import pytest

from napari_histreg.errors import DegenerateFit
from napari_histreg.landmarks import Landmarks, fit_landmarks
from napari_histreg.transforms import MODELS, Affine, Rigid, Similarity, fit_transform
from napari_histreg.transforms.thin_plate_fit import ThinPlateSmoother

RIGID = Rigid.of(angle_deg=70, translation=(300, -50))
SIMILARITY = Similarity.of(scale=1.4, angle_deg=10, translation=(5, 6))
AFFINE = Affine([[1, 0.2, 3], [-0.1, 1.3, 4], [0, 0, 1]])


def pairs(truth: Affine, count: int, noise: float = 5.0, seed: int = 0) -> Landmarks:
    rng = np.random.default_rng(seed)
    fixed = rng.uniform(0, 10_000, (count, 2))
    return Landmarks.of(fixed, truth(fixed) + rng.normal(0, noise, fixed.shape))


def swapped(landmarks: Landmarks, a: int, b: int) -> Landmarks:
    moving = landmarks.moving
    return landmarks.moved(a, moving=moving[b]).moved(b, moving=moving[a])


def test_residuals_are_distances_in_the_fixed_frame() -> None:
    # Twice as large in the moving slide: 10 units there are 5 here.
    corners = np.array([[0, 0], [0, 1000], [1000, 0], [1000, 1000], [500, 500.0]])
    moving = corners * 2
    moving[4] += [0, 10]
    fit = fit_landmarks(Landmarks.of(corners, moving), "similarity")
    expected = fit.moving_to_fixed(moving) - corners
    np.testing.assert_allclose(fit.residuals, np.hypot(*expected.T))
    assert fit.residuals[4] == pytest.approx(4, abs=0.01)  # the shift takes a fifth of it away
    np.testing.assert_allclose(fit.residuals_px(0.5), fit.residuals * 2)
    np.testing.assert_allclose(fit.leave_one_out_px((0.5, 0.5)), fit.leave_one_out * 2)


@pytest.mark.parametrize("model", MODELS)
def test_leave_one_out_is_what_it_says(model: str) -> None:
    landmarks = pairs(AFFINE, 8)
    fit = fit_landmarks(landmarks, model)
    for k in range(8):
        rest = landmarks.without(k)
        back = fit_transform(model, rest.fixed, rest.moving).inverse()
        expected = np.linalg.norm(back(landmarks.moving[k : k + 1]) - landmarks.fixed[k])
        assert fit.leave_one_out[k] == pytest.approx(expected, rel=1e-6)


def test_a_pair_that_is_off_shows_what_the_others_say_of_it() -> None:
    landmarks = pairs(RIGID, 6).switched("3", False)
    fit = fit_landmarks(landmarks, "rigid")
    assert not fit.used[2]
    assert fit.residuals[2] == fit.leave_one_out[2] > 0
    assert fit.fixed_to_moving == fit_landmarks(landmarks.without("3"), "rigid").fixed_to_moving


def test_a_half_placed_pair_has_no_residual() -> None:
    fit = fit_landmarks(pairs(RIGID, 5).with_pair([1, 1], None), "rigid")
    assert np.isnan(fit.residuals[5])
    assert np.isfinite(fit.median_residual)
    assert np.isfinite(fit.median_leave_one_out)


@pytest.mark.parametrize(
    ("truth", "model"), [(RIGID, "rigid"), (SIMILARITY, "similarity"), (AFFINE, "affine")]
)
@pytest.mark.parametrize("count", [6, 12, 40])
def test_auto_finds_the_model_that_made_the_pairs(truth: Affine, model: str, count: int) -> None:
    chosen = [fit_landmarks(pairs(truth, count, seed=seed)).model for seed in range(10)]
    # Noise may favour a wider model in few draws; one standard error keeps these to about one in ten.
    assert chosen.count(model) >= 8
    assert all(MODELS.index(other) >= MODELS.index(model) for other in chosen)


@pytest.mark.parametrize(
    ("fixed", "moving", "model"),
    [
        ([[0, 0]], [[5, 5]], "translation"),
        ([[0, 0], [0, 100]], [[5, 5], [105, 5]], "rigid"),
        ([[0, 0], [0, 100]], [[5, 5], [205, 5]], "similarity"),
    ],
)
def test_auto_with_the_first_pairs(fixed: list, moving: list, model: str) -> None:
    fit = fit_landmarks(Landmarks.of(fixed, moving))
    assert fit.model == model
    assert np.isnan(fit.median_leave_one_out)
    assert any("exactly" in note for note in fit.notes)


@pytest.mark.parametrize("count", [3, 4, 6, 20])
def test_turned_over_tissue_is_found_and_said(count: int) -> None:
    truth = Rigid.of(angle_deg=40, mirrored=True, translation=(9, 9))
    for model in ("rigid", "similarity", "auto"):
        fit = fit_landmarks(pairs(truth, count), model)
        assert fit.mirrored
        assert any("mirrored" in note for note in fit.notes)
        assert fit.median_residual < 30
    assert not fit_landmarks(pairs(truth, count), "rigid", mirrored=False).mirrored


@pytest.mark.parametrize("count", [3, 4, 6, 20])
@pytest.mark.parametrize("truth", [RIGID, SIMILARITY])
def test_tissue_that_is_not_turned_over_is_not_mirrored(truth: Affine, count: int) -> None:
    for seed in range(10):
        fit = fit_landmarks(pairs(truth, count, seed=seed))
        assert not fit.mirrored
        assert not any("mirrored" in note for note in fit.notes)


def test_points_on_a_line_are_not_called_mirrored() -> None:
    line = np.linspace([0, 0], [5000, 900], 5)
    noise = np.random.default_rng(0).normal(0, 3, line.shape)
    assert not fit_landmarks(Landmarks.of(line, line + noise)).mirrored


@pytest.mark.parametrize("count", [7, 12, 40])
@pytest.mark.parametrize("truth", [RIGID, SIMILARITY, AFFINE])
def test_a_misplaced_pair_is_named(truth: Affine, count: int) -> None:
    landmarks = pairs(truth, count)
    landmarks = landmarks.moved("4", moving=landmarks.moving[3] + [900, 0])
    outliers = fit_landmarks(landmarks).outliers
    assert outliers[0].name == "4"
    assert outliers[0].index == 3
    assert "farther off" in outliers[0].reason


@pytest.mark.parametrize("count", [6, 7, 12, 40])
def test_swapped_pairs_are_named_with_one_another(count: int) -> None:
    fit = fit_landmarks(swapped(pairs(RIGID, count), 1, 3))
    found = {outlier.index: outlier.swapped_with for outlier in fit.outliers}
    assert found == {1: 3, 3: 1}
    assert all("swapped" in outlier.reason for outlier in fit.outliers)
    assert any('"2"' in note for note in fit.notes)


def test_places_count_among_all_pairs() -> None:
    landmarks = swapped(pairs(RIGID, 9), 5, 7).switched("1", False)
    assert {o.index for o in fit_landmarks(landmarks).outliers} == {5, 7}


def test_good_pairs_are_left_in_peace() -> None:
    named = [
        len(fit_landmarks(pairs(truth, 12, seed=s)).outliers) for truth in (RIGID, AFFINE) for s in range(20)
    ]
    # Four robust standard deviations: a false alarm in a few per cent of the fits.
    assert sum(map(bool, named)) <= 4


def test_exact_pairs_have_no_outliers() -> None:
    assert fit_landmarks(pairs(AFFINE, 10, noise=0)).outliers == ()


def test_auto_never_fails_for_wrong_pairs() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(1, 12))
        landmarks = Landmarks.of(rng.uniform(0, 1e4, (count, 2)), rng.uniform(0, 1e4, (count, 2)))
        assert fit_landmarks(landmarks).model in MODELS


def test_many_pairs_are_left_out_in_groups() -> None:
    landmarks = pairs(RIGID, 300)
    fit = fit_landmarks(landmarks, "rigid")
    # The noise of 5 per coordinate: a median distance of 5 sqrt(2 ln 2) = 5.9.
    assert fit.median_leave_one_out == pytest.approx(5.9, rel=0.1)


def test_what_cannot_be_fitted_is_said() -> None:
    with pytest.raises(DegenerateFit, match="no pair"):
        fit_landmarks(Landmarks.empty())
    with pytest.raises(DegenerateFit, match="no pair"):
        fit_landmarks(pairs(RIGID, 1).switched(0, False))
    with pytest.raises(DegenerateFit, match="at least 3"):
        fit_landmarks(pairs(RIGID, 2), "affine")
    with pytest.raises(ValueError, match="no model"):
        fit_landmarks(pairs(RIGID, 4), "cubic")


def test_two_pairs_at_one_place_still_give_a_shift() -> None:
    fit = fit_landmarks(Landmarks.of([[1, 1], [1, 1]], [[2, 2], [2, 2]]))
    assert fit.model == "translation"
    assert fit.fixed_to_moving.shift == (1, 1)


def test_a_thin_plate_follows_tissue_that_bends() -> None:
    rng = np.random.default_rng(0)
    fixed = rng.uniform(0, 10_000, (60, 2))
    bent = fixed + 120 * np.stack([np.sin(fixed[:, 1] / 2500), np.cos(fixed[:, 0] / 3000)], 1)
    landmarks = Landmarks.of(fixed, RIGID(bent) + rng.normal(0, 3, fixed.shape))
    spline, affine = (fit_landmarks(landmarks, model) for model in ("thin_plate", "affine"))
    assert spline.median_leave_one_out < 0.3 * affine.median_leave_one_out
    assert spline.median_residual < spline.median_leave_one_out
    assert np.isfinite(spline.leave_one_out).all()
    assert spline.residuals.shape == (60,)
    assert not spline.mirrored


def test_thin_plate_leave_one_out_is_what_it_says() -> None:
    landmarks = pairs(AFFINE, 20, noise=30)
    fit = fit_landmarks(landmarks, "thin_plate")
    for k in range(20):
        rest = landmarks.without(k)
        # Without a pair the mean squared error has one term less: the weight is relative to the count.
        smoothing = fit.fixed_to_moving.smoothing * 20 / 19
        smoother = ThinPlateSmoother(rest.fixed, smoothing)
        scaled = smoothing * (smoother.scale / ThinPlateSmoother(landmarks.fixed, 0).scale) ** -2
        back = ThinPlateSmoother(rest.fixed, scaled).spline(rest.moving).inverse()
        expected = np.linalg.norm(back(landmarks.moving[k : k + 1]) - landmarks.fixed[k])
        # To first order in the error: its square over the 10 000 units of the bend.
        assert fit.leave_one_out[k] == pytest.approx(expected, rel=0.02, abs=0.2)


def test_a_thin_plate_through_swapped_pairs_names_them() -> None:
    grid = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), -1).reshape(-1, 2) * 1000
    wrong = swapped(Landmarks.of(grid, grid + 50 * np.sin(grid[:, ::-1] / 1500)), 14, 21)
    assert {o.index for o in fit_landmarks(wrong, "thin_plate").outliers} == {14, 21}
