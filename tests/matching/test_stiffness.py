"""Leaving data out by formula is the same as fitting without them."""

import numpy as np

from napari_histreg.matching.smooth_basis import SmoothBasis
from napari_histreg.matching.stiffness import StiffnessPath, overlapping


def problem():
    rng = np.random.default_rng(0)
    basis = SmoothBasis((100.0, 80.0), modes=5)
    centres = rng.uniform(0, 80, (60, 2))
    root = rng.normal(size=(60, 2, 2))
    information = root @ root.transpose(0, 2, 1)
    return basis, centres, rng.normal(size=(60, 2)), information


def test_left_out_is_a_fit_without_the_group():
    basis, centres, values, information = problem()
    functions = basis.at(centres)
    path = StiffnessPath(functions, values, information, basis.bending)
    groups = overlapping(centres, np.full(60, 20.0), 40)
    predicted = path.left_out(3.0, groups)
    for row, expected in zip(groups, predicted, strict=True):
        keep = np.setdiff1d(np.arange(60), row)
        without = StiffnessPath(functions[keep], values[keep], information[keep], basis.bending)
        np.testing.assert_allclose(functions[row[0]] @ without.weights(3.0), expected, atol=1e-7)


def test_very_stiff_is_affine():
    basis, centres, values, information = problem()
    path = StiffnessPath(basis.at(centres), values, information, basis.bending)
    fitted = basis.at(centres) @ path.weights(1e12)
    design = np.c_[np.ones(60), centres]
    residual = fitted - design @ np.linalg.lstsq(design, fitted, rcond=None)[0]
    assert np.abs(residual).max() < 1e-6
    assert np.abs(fitted).max() > 0.1


def test_bending_is_the_integral_of_squared_curvature():
    basis = SmoothBasis((100.0, 100.0), modes=6)
    step = 0.5
    places = np.arange(0, 100 + step / 2, step)
    for k in (7, 14, 20):  # both directions bent
        weights = np.zeros((36, 2))
        weights[k, 0] = 1.0
        plane = basis.lattice(weights, places, places)[..., 0]
        h = step / 20.0  # in fifths of the side
        yy = np.diff(plane, 2, axis=0)[:, 1:-1] / h**2
        xx = np.diff(plane, 2, axis=1)[1:-1] / h**2
        xy = (plane[2:, 2:] - plane[2:, :-2] - plane[:-2, 2:] + plane[:-2, :-2]) / (4 * h**2)
        measured = (yy**2 + 2 * xy**2 + xx**2).mean()
        # The functions are known at 21 places along each side only: good to a quarter.
        assert abs(measured / basis.bending[k] - 1) < 0.25


def test_lattice_and_points_agree():
    basis = SmoothBasis((50.0, 70.0), modes=6)
    weights = np.random.default_rng(1).normal(size=(36, 2))
    rows, columns = np.array([0.0, 20.0, 50.0]), np.array([5.0, 70.0])
    points = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
    np.testing.assert_allclose(
        basis.lattice(weights, rows, columns).reshape(-1, 2), basis.at(points) @ weights, atol=1e-10
    )
