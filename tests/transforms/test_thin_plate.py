"""Thin-plate splines against their definition, and their inverses."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import RBFInterpolator

from napari_histreg.errors import DegenerateFit, NotInvertible, TransformError
from napari_histreg.transforms import (
    InverseThinPlate,
    Similarity,
    ThinPlate,
    Transform,
    fit_affine,
    fit_thin_plate,
    transform_from_dict,
)

TURN = Similarity.of(scale=0.7, angle_deg=130, mirrored=True, translation=(9000, -400))


def pairs(count: int, bend: float = 150.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points over 20 000 units, and a smooth bend of them after a turn and a mirror."""
    fixed = np.random.default_rng(seed).uniform(0, 20_000, (count, 2))
    waves = np.stack([np.sin(fixed[:, 1] / 5000), np.cos(fixed[:, 0] / 6000)], 1)
    return fixed, TURN(fixed + bend * waves)


TARGETS = np.random.default_rng(9).uniform(0, 20_000, (300, 2))


def test_without_smoothing_it_goes_through_the_points() -> None:
    fixed, moving = pairs(40)
    np.testing.assert_allclose(fit_thin_plate(fixed, moving, smoothing=0)(fixed), moving, atol=1e-6)


def test_it_is_the_spline_of_scipy() -> None:
    fixed, moving = pairs(40)
    oracle = RBFInterpolator(fixed, moving, kernel="thin_plate_spline", degree=1)
    np.testing.assert_allclose(
        fit_thin_plate(fixed, moving, smoothing=0)(TARGETS), oracle(TARGETS), atol=1e-5
    )


@pytest.mark.parametrize("smoothing", [1e-4, 1e-2, 1.0])
def test_smoothing_is_that_of_scipy(smoothing: float) -> None:
    fixed, moving = pairs(40)
    spline = fit_thin_plate(fixed, moving, smoothing=smoothing)
    # SciPy's weight multiplies the number of points and is in units of its own coordinates; its log has
    # another scale, which changes the affine part only.
    unit = (fixed - fixed.mean(0)) / spline.scale
    oracle = RBFInterpolator(unit, moving, kernel="thin_plate_spline", degree=1, smoothing=40 * smoothing)
    at = (TARGETS - fixed.mean(0)) / spline.scale
    np.testing.assert_allclose(spline(TARGETS), oracle(at), atol=1e-4)


def test_much_smoothing_leaves_the_affine_fit() -> None:
    fixed, moving = pairs(40)
    spline, affine = fit_thin_plate(fixed, moving, smoothing=1e9), fit_affine(fixed, moving)
    np.testing.assert_allclose(spline(TARGETS), affine(TARGETS), atol=1e-3)


def test_cross_validation_smooths_noise_and_keeps_a_bend() -> None:
    fixed, moving = pairs(120)
    noise = np.random.default_rng(1).normal(0, 15, moving.shape)
    error = {}
    for name, smoothing in {"chosen": None, "none": 0.0, "affine": 1e9}.items():
        seen = fit_thin_plate(fixed, moving + noise, smoothing=smoothing)(TARGETS)
        waves = np.stack([np.sin(TARGETS[:, 1] / 5000), np.cos(TARGETS[:, 0] / 6000)], 1)
        error[name] = np.median(np.linalg.norm(seen - TURN(TARGETS + 150 * waves), axis=1))
    assert error["chosen"] < 0.7 * error["none"]
    assert error["chosen"] < 0.5 * error["affine"]


def test_pairs_of_an_affine_map_give_that_map() -> None:
    fixed, moving = pairs(30, bend=0)
    np.testing.assert_allclose(fit_thin_plate(fixed, moving)(TARGETS), TURN(TARGETS), atol=1e-5)


@given(st.integers(0, 500))
def test_the_inverse_leads_back(seed: int) -> None:
    spline = fit_thin_plate(*pairs(25, seed=seed), smoothing=0)
    try:
        back = spline.inverse()
    except NotInvertible:
        # Points that happen to lie close together may make a fold: then there must be one.
        low, high = spline.centres.min(0), spline.centres.max(0)
        lattice = np.stack(np.meshgrid(*np.linspace(low, high, 200).T), -1).reshape(-1, 2)
        areas = np.linalg.det(spline.jacobian(np.vstack([lattice, spline.centres])))
        assert areas.min() < 0 < areas.max()
        return
    inside = spline.centres.min(0) + np.random.default_rng(seed).random((50, 2)) * np.ptp(
        spline.centres, axis=0
    )
    there = spline(inside)
    np.testing.assert_allclose(back(there), inside, atol=1e-4)
    assert (back.error_bound(there) < 1e-4).all()
    assert back.inverse() is spline


def test_the_inverse_works_beyond_the_points_too() -> None:
    spline = fit_thin_plate(*pairs(40), smoothing=0)
    far = np.array([[-5000, -5000], [30_000, 10_000], [np.nan, 0]])
    np.testing.assert_allclose(spline.inverse()(spline(far)), [*far[:2], [np.nan, np.nan]], atol=1e-4)


def test_the_jacobians_are_the_slopes() -> None:
    spline = fit_thin_plate(*pairs(40), smoothing=0)
    np.testing.assert_allclose(spline.jacobian(TARGETS), Transform.jacobian(spline, TARGETS), atol=1e-5)
    back, at = spline.inverse(), spline(TARGETS[:20])
    np.testing.assert_allclose(back.jacobian(at), Transform.jacobian(back, at), atol=1e-5)
    # On a centre the bend has no curvature yet a slope.
    assert np.isfinite(spline.jacobian(spline.centres)).all()


def test_a_fold_has_no_inverse() -> None:
    grid = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)), -1).reshape(-1, 2) * 100
    swapped = grid.copy()
    swapped[[6, 18]] = swapped[[18, 6]]
    with pytest.raises(NotInvertible, match="folds over"):
        fit_thin_plate(grid, swapped, smoothing=0).inverse()


def test_a_point_does_not_depend_on_its_company() -> None:
    spline = fit_thin_plate(*pairs(37), smoothing=0)
    whole = spline(TARGETS)
    for start, stop in ((0, 1), (5, 12), (100, 300)):
        assert np.array_equal(spline(TARGETS[start:stop]), whole[start:stop])


@pytest.mark.parametrize("kind", ["thin_plate", "inverse_thin_plate"])
def test_json_keeps_every_bit(kind: str) -> None:
    spline: Transform = fit_thin_plate(*pairs(12))
    transform = spline if kind == "thin_plate" else spline.inverse()
    again = transform_from_dict(json.loads(json.dumps(transform.to_dict())))
    assert again == transform
    assert np.array_equal(again(TARGETS), transform(TARGETS))


@pytest.mark.parametrize(
    ("fixed", "words"),
    [
        ([[0, 0], [1, 1]], "at least 3"),
        ([[0, 0], [1, 1], [2, 2], [3, 3]], "on one line"),
        ([[0, 0], [0, 5], [5, 0], [5, 0]], "same place"),
        ([[0, 0], [0, 5], [5, 0], [np.nan, 0]], "not a finite"),
    ],
)
def test_points_that_determine_nothing(fixed: list, words: str) -> None:
    moving = np.random.default_rng(0).random((len(fixed), 2))
    with pytest.raises(DegenerateFit, match=words):
        fit_thin_plate(fixed, moving)


def test_bad_values_are_refused() -> None:
    with pytest.raises(ValueError, match="smoothing"):
        fit_thin_plate(*pairs(5), smoothing=-1)
    good = fit_thin_plate(*pairs(5)).to_dict()
    for broken in ({**good, "scale": 0}, {**good, "weights": good["weights"][:2]}, {**good, "centres": "x"}):
        with pytest.raises(TransformError):
            transform_from_dict(broken)
    with pytest.raises(TransformError, match="no thin-plate"):
        transform_from_dict({"kind": "inverse_thin_plate", "forward": TURN.to_dict()})


def test_three_pairs_give_the_affine_map_through_them() -> None:
    fixed = np.array([[0, 0], [0, 5], [5, 0.0]])
    spline = fit_thin_plate(fixed, TURN(fixed))
    np.testing.assert_allclose(spline([[3, 3]]), TURN([[3, 3]]), atol=1e-9)
    assert isinstance(spline, ThinPlate)
    assert isinstance(spline.inverse(), InverseThinPlate)
