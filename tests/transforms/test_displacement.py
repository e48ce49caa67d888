"""Displacement fields: exact at the samples, smooth beyond, inverted with a bound, kept in JSON."""

import json

import numpy as np
import pytest

from napari_histreg.errors import NotInvertible, TransformError
from napari_histreg.transforms import Affine, Similarity
from napari_histreg.transforms.displacement import DisplacementField
from napari_histreg.transforms.kinds import transform_from_dict

SPACING = (8.0, 12.0)
ORIGIN = (-5.0, 3.0)
SHAPE = (20, 24)


def wave(points):
    """A smooth displacement of up to 6 units with slopes of up to 0.3: no fold."""
    y, x = points[..., 0], points[..., 1]
    return np.stack([6 * np.sin(x / 30 + 0.3) * np.cos(y / 45), 5 * np.cos(x / 50) * np.sin(y / 25)], axis=-1)


def sample_points():
    y, x = (ORIGIN[k] + SPACING[k] * np.arange(SHAPE[k]) for k in range(2))
    return np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1)


@pytest.fixture
def base():
    return Affine([[0.9, -1.1, 40.0], [-1.2, -0.8, 7.0], [0, 0, 1]])  # turned, mirrored, scaled


@pytest.fixture
def field(base):
    return DisplacementField(wave(sample_points()), origin=ORIGIN, spacing=SPACING, base=base)


@pytest.fixture
def inner():
    rng = np.random.default_rng(0)
    size = np.array(SPACING) * (np.array(SHAPE) - 1)
    return ORIGIN + size * rng.uniform(0.12, 0.88, (500, 2))


def test_samples_are_met_and_base_follows(field, base):
    points = sample_points().reshape(-1, 2)
    # Samples are float32: seven digits of 6.
    np.testing.assert_allclose(field(points), base(points + wave(points)), atol=2e-6)


def test_interpolation_is_that_of_a_cubic_spline(field, inner):
    # Fourth derivative (1/25)^4 * 6 times h^4 / 384 per axis for h = 12, and as much again from the
    # mirrored edges: far below a hundredth of a cell.
    np.testing.assert_allclose(field.displacement(inner), wave(inner), atol=0.02)


def test_jacobian_is_exact(field, inner):
    step = 1e-5
    for axis in range(2):
        offset = np.eye(2)[axis] * step
        numeric = (field(inner + offset) - field(inner - offset)) / (2 * step)
        # Central differences are good to step^2 and rounding / step, about 1e-9.
        np.testing.assert_allclose(field.jacobian(inner)[..., axis], numeric, atol=1e-7)


def test_extension_is_smooth(field):
    last = ORIGIN[0] + SPACING[0] * (SHAPE[0] - 1)
    rows = last + np.linspace(-20, 200, 2201)
    points = np.stack([rows, np.full_like(rows, 60.0)], axis=1)
    slopes = np.diff(field.displacement(points), axis=0) / 0.1
    # Steps of 0.1 in a field that bends over a spacing of 8: the slope never jumps.
    assert np.abs(np.diff(slopes, axis=0)).max() < 0.02 * np.abs(slopes).max()
    np.testing.assert_array_equal(slopes[rows[1:] > last + 6 * SPACING[0] + 0.2], 0)
    np.testing.assert_allclose(
        field.displacement([[5000.0, 60.0]]), field.displacement(points[-1:]), atol=1e-12
    )


def test_a_slope_at_the_edge_is_kept():
    """A stretch of 90 % up to the very edge is neither overshot inside nor folded beyond."""
    values = np.zeros((10, 10, 2))
    values[..., 0] = -0.9 * np.arange(10.0)[:, None]
    field = DisplacementField(values)
    # Where its slope halves, a cubic spline overshoots by less than a tenth of it.
    assert field.folding().minimum > 1 - 1.1 * 0.9
    inside = np.array([[0.3, 4.0], [8.7, 4.0]])
    # There it also overshoots a straight line, by a thirtieth of the slope: the spline of a knee.
    np.testing.assert_allclose(field.displacement(inside)[:, 0], -0.9 * inside[:, 0], atol=0.9 / 25)


def test_folding_measures_the_smallest_determinant(field, inner):
    folding = field.folding()
    without_base = DisplacementField(field.values, origin=ORIGIN, spacing=SPACING)
    determinants = np.linalg.det(without_base.jacobian(inner))
    assert not folding.is_folded
    assert folding.share == 0
    assert 0.3 < folding.minimum <= determinants.min() + 1e-3
    assert folding.minimum > determinants.min() - 0.05


def test_a_fold_is_found_and_has_no_inverse():
    values = np.zeros((12, 12, 2))
    values[5, 5] = (0.0, 9.0)
    values[5, 6] = (0.0, -9.0)  # neighbours 5 apart pushed past one another
    field = DisplacementField(values, spacing=(5, 5))
    folding = field.folding()
    assert folding.is_folded
    assert folding.minimum < 0 < folding.share < 0.2
    with pytest.raises(NotInvertible, match="folds"):
        field.inverse()


def test_inverse_within_its_bound(field, inner):
    back = field.inverse()
    assert 0 < back.error_bound < 1e-4
    everywhere = np.vstack([inner, inner + np.array([300.0, -200.0]), [[ORIGIN[0], ORIGIN[1]]]])
    assert np.linalg.norm(back(field(everywhere)) - everywhere, axis=1).max() <= back.error_bound
    assert back.inverse() is field


def test_inverse_of_a_steep_field():
    grid = np.stack(np.meshgrid(np.arange(30.0), np.arange(30.0), indexing="ij"), axis=-1)
    steep = np.stack([np.zeros((30, 30)), 0.93 * 3 * np.sin(grid[..., 1] / 3)], axis=-1)  # slopes to -0.93
    field = DisplacementField(steep)
    back = field.inverse()
    points = np.random.default_rng(1).uniform(0, 29, (2000, 2))
    assert np.linalg.norm(back(field(points)) - points, axis=1).max() <= back.error_bound


def test_jacobian_of_the_inverse(field, inner):
    back = field.inverse()
    product = back.jacobian(field(inner)) @ field.jacobian(inner)
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(2), product.shape), atol=1e-6)


def test_nan_stays_nan(field):
    points = np.array([[np.nan, 1.0], [20.0, 30.0]])
    assert np.isnan(field(points)[0]).all()
    assert np.isfinite(field(points)[1]).all()
    back = field.inverse()(field(points))
    assert np.isnan(back[0]).all()
    np.testing.assert_allclose(back[1], points[1], atol=1e-4)


def test_no_points(field):
    assert field(np.empty((0, 2))).shape == (0, 2)
    assert field.inverse()(np.empty((0, 2))).shape == (0, 2)


def test_json_gives_the_same_transform(field, inner):
    again = transform_from_dict(json.loads(json.dumps(field.to_dict())))
    assert isinstance(again, DisplacementField)
    np.testing.assert_array_equal(again(inner), field(inner))
    inverse = transform_from_dict(json.loads(json.dumps(field.inverse().to_dict())))
    np.testing.assert_array_equal(inverse(inner), field.inverse()(inner))


def test_json_is_compact(field):
    # 20 x 24 x 2 float32 are 3840 bytes, 5120 in base64; decimal text would take some 9000.
    assert len(json.dumps(field.to_dict())) < 6000


def test_damaged_json_is_refused(field):
    values = field.to_dict()
    values["shape"] = [20, 25, 2]
    with pytest.raises(TransformError, match="damaged"):
        transform_from_dict(values)
    values = field.to_dict()
    values["base"] = field.to_dict()
    with pytest.raises(TransformError, match="Only a matrix"):
        transform_from_dict(values)


@pytest.mark.parametrize(
    ("values", "options", "why"),
    [
        (np.zeros((1, 5, 2)), {}, "2 x 2"),
        (np.zeros((5, 5)), {}, "2 x 2"),
        (np.full((5, 5, 2), np.inf), {}, "finite"),
        (np.zeros((5, 5, 2)), {"spacing": (0, 1)}, "positive"),
        (np.zeros((5, 5, 2)), {"origin": (np.nan, 1)}, "finite"),
    ],
)
def test_bad_grids_are_refused(values, options, why):
    with pytest.raises(ValueError, match=why):
        DisplacementField(values, **options)


def test_input_is_copied_and_kept():
    values = np.ones((4, 4, 2))
    field = DisplacementField(values)
    values[:] = 7
    assert field([[1.0, 1.0]]).tolist() == [[2.0, 2.0]]
    with pytest.raises(ValueError, match="read-only"):
        field.values[0] = 3


def test_works_in_a_sequence(field, inner):
    step = Similarity.of(angle_deg=10, scale=1.1)
    chain = field.then(step)
    np.testing.assert_allclose(chain(inner), step(field(inner)))
    np.testing.assert_allclose(chain.inverse()(chain(inner)), inner, atol=1e-4)
