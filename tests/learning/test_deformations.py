"""Random deformations do not fold, stay within their length, and are taken back by their inverse."""

import numpy as np

from napari_histreg.learning.deformations import inverse_of, jacobian, random_deformation, shown


def test_there_and_back_is_nowhere():
    for seed in range(5):
        field = random_deformation((90, 70), 6.0, np.random.default_rng(seed))
        back = inverse_of(field)
        left = back + np.stack([shown(np.ascontiguousarray(field[..., k]), back) for k in range(2)], -1)
        assert np.abs(left[12:-12, 12:-12]).max() < 0.05


def test_no_draw_folds_or_is_too_long():
    for seed in range(20):
        field = random_deformation((48, 64), 6.0, np.random.default_rng(seed))
        assert 0 < np.linalg.norm(field, axis=-1).max() <= 6.0 + 1e-4
        assert jacobian(field).min() >= 0.3


def test_the_jacobian_is_that_of_an_affine_map():
    y, x = np.indices((6, 7), np.float32)
    field = np.stack([0.1 * y + 0.2 * x, -0.3 * y + 0.05 * x], -1)
    np.testing.assert_allclose(jacobian(field), 1.1 * 1.05 + 0.2 * 0.3, atol=1e-5)
