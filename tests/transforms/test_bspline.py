"""B-spline grids: the same numbers as ITK's, exact Jacobian, inverse with its bound, JSON."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from napari_histreg.errors import NotInvertible
from napari_histreg.transforms.bspline import BSpline
from napari_histreg.transforms.kinds import transform_from_dict
from napari_histreg.transforms.matrix import Affine

SIZE_XY = (9, 7)
ORIGIN_XY = (-20.0, 11.0)
SPACING_XY = (15.0, 10.0)


@pytest.fixture
def parameters():
    # Steps of at most 6 between control points 10 apart: steep, but no fold.
    return np.random.default_rng(3).uniform(-3, 3, 2 * SIZE_XY[0] * SIZE_XY[1])


@pytest.fixture
def theirs(parameters):
    transform = sitk.BSplineTransform(2, 3)
    transform.SetFixedParameters([*SIZE_XY, *ORIGIN_XY, *SPACING_XY, 1, 0, 0, 1])
    transform.SetParameters(parameters.tolist())
    return transform


@pytest.fixture
def ours(parameters):
    return BSpline.from_itk(parameters, size_xy=SIZE_XY, origin_xy=ORIGIN_XY, spacing_xy=SPACING_XY)


@pytest.fixture
def inner():
    rng = np.random.default_rng(0)
    return np.array([21.5, -4.5]) + np.array([39.0, 89.0]) * rng.random((400, 2))


def test_points_as_in_itk(ours, theirs):
    everywhere = np.random.default_rng(1).uniform(-60, 160, (3000, 2))
    expected = np.array([theirs.TransformPoint((x, y))[::-1] for y, x in everywhere])
    np.testing.assert_allclose(ours(everywhere), expected, atol=1e-10)
    assert 0.05 < (ours(everywhere) != everywhere).any(axis=1).mean() < 0.5


@pytest.mark.parametrize("edge", [0.0, 1e-9, -1e-9])
def test_border_as_in_itk(ours, theirs, edge):
    """The deformed region starts at the second control point, and its own border belongs to it."""
    low, high = np.array([21.0, -5.0]) + edge, np.array([61.0, 85.0]) - edge
    points = np.array([[low[0], 30.0], [40.0, low[1]], [high[0], 30.0], [40.0, high[1]]])
    expected = np.array([theirs.TransformPoint((x, y))[::-1] for y, x in points])
    # ITK steps 1e-6 of a cell back from the far border: with slopes below 1 that is less than 2e-5.
    np.testing.assert_allclose(ours(points), expected, atol=2e-5)


def test_jacobian_as_in_itk(ours, inner):
    step = 1e-5
    for axis in range(2):
        offset = np.eye(2)[axis] * step
        numeric = (ours(inner + offset) - ours(inner - offset)) / (2 * step)
        np.testing.assert_allclose(ours.jacobian(inner)[..., axis], numeric, atol=1e-7)
    outside = ours.jacobian([[500.0, 500.0]])
    np.testing.assert_array_equal(outside, [np.eye(2)])


def test_itk_field_has_the_same_determinants(ours, theirs):
    """ITK's own dense field, differentiated by ITK, agrees with the folding test."""
    field = sitk.TransformToDisplacementField(
        theirs, sitk.sitkVectorFloat64, (890, 390), (-4.45, 21.05), (0.1, 0.1)
    )
    determinants = sitk.GetArrayFromImage(sitk.DisplacementFieldJacobianDeterminant(field))[1:-1, 1:-1]
    # Differences over 0.2 units of a field that bends over 10: good to about (0.2 / 10)^2.
    assert abs(ours.folding().minimum - determinants.min()) < 0.02


def test_inverse_within_its_bound(ours, inner):
    assert not ours.folding().is_folded
    back = ours.inverse()
    assert 0 < back.error_bound < 1e-3
    assert np.linalg.norm(back(ours(inner)) - inner, axis=1).max() <= back.error_bound
    far = np.array([[500.0, -300.0]])
    np.testing.assert_array_equal(back(far), far)


def test_inverse_in_the_gap_of_the_border_is_its_nearest_point():
    spline = BSpline(np.full((8, 8, 2), 3.0), spacing=(10, 10))  # all of the region 10..60 moves by 3
    back = spline.inverse()
    np.testing.assert_allclose(back([[33.0, 43.0]]), [[30.0, 40.0]], atol=1e-6)
    np.testing.assert_allclose(back([[11.0, 43.0]]), [[10.0, 40.0]], atol=1e-6)  # nothing maps here
    np.testing.assert_array_equal(back([[5.0, 43.0]]), [[5.0, 43.0]])


def test_a_fold_has_no_inverse(parameters):
    wild = BSpline.from_itk(parameters * 20, size_xy=SIZE_XY, origin_xy=ORIGIN_XY, spacing_xy=SPACING_XY)
    assert wild.folding().is_folded
    with pytest.raises(NotInvertible, match="folds"):
        wild.inverse()


def test_base_follows(ours, inner):
    base = Affine([[0, -2, 5], [1.5, 0, 2], [0, 0, 1]])
    spline = BSpline(ours.coefficients, origin=ours.origin, spacing=ours.spacing, base=base)
    np.testing.assert_allclose(spline(inner), base(ours(inner)))
    np.testing.assert_allclose(spline.inverse()(spline(inner)), inner, atol=1e-4)
    np.testing.assert_allclose(spline.jacobian(inner), base.matrix[:2, :2] @ ours.jacobian(inner), atol=1e-12)


def test_json_gives_the_same_transform(ours, inner):
    base = Affine([[0, -2, 5], [1.5, 0, 2], [0, 0, 1]])
    spline = BSpline(ours.coefficients, origin=ours.origin, spacing=ours.spacing, base=base)
    again = transform_from_dict(json.loads(json.dumps(spline.to_dict())))
    np.testing.assert_array_equal(again(inner), spline(inner))
    inverse = transform_from_dict(json.loads(json.dumps(spline.inverse().to_dict())))
    np.testing.assert_array_equal(inverse(inner), spline.inverse()(inner))


def test_nan_stays_nan(ours):
    assert np.isnan(ours([[np.nan, 30.0]])).any()
    assert np.isnan(ours.inverse()([[np.nan, 30.0]])).all()


def test_bad_grids_are_refused():
    with pytest.raises(ValueError, match="4 x 4"):
        BSpline(np.zeros((3, 5, 2)))
    with pytest.raises(ValueError, match="finite"):
        BSpline(np.full((5, 5, 2), np.nan))
    with pytest.raises(ValueError, match="has 126 parameters, not 7"):
        BSpline.from_itk(np.zeros(7), size_xy=SIZE_XY, origin_xy=ORIGIN_XY, spacing_xy=SPACING_XY)
