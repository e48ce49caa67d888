"""Matrices between pixels (x, y, 1)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_histreg.errors import DegenerateFit, UnsupportedDialect
from napari_histreg.transforms import (
    MODELS,
    Affine,
    Bijection,
    Projective,
    Sequence,
    approximate_affine,
    from_pixel_matrix,
    pixel_matrix,
)
from transforms_truth import TRUTH

sizes = st.tuples(st.floats(0.1, 10), st.floats(0.1, 10))


@pytest.mark.parametrize("model", MODELS)
@given(fixed_size=sizes, moving_size=sizes)
def test_the_matrix_maps_pixels_as_the_transform_maps_their_centres(
    model: str, fixed_size: tuple, moving_size: tuple
) -> None:
    truth = TRUTH[model]
    matrix = pixel_matrix(truth, fixed_size, moving_size)
    pixels_xy = np.array([[0, 0, 1], [100, 0, 1], [37, 912.5, 1]]).T
    world_yx = pixels_xy[1::-1].T * fixed_size
    x, y, w = matrix @ pixels_xy
    np.testing.assert_allclose(np.stack([y / w, x / w], 1) * moving_size, truth(world_yx), rtol=1e-9)
    back = from_pixel_matrix(matrix, fixed_size, moving_size)
    assert isinstance(back, Projective if model == "projective" else Affine)
    np.testing.assert_allclose(back(world_yx), truth(world_yx), rtol=1e-9)


def test_two_rows_are_enough() -> None:
    assert from_pixel_matrix([[1, 0, 3], [0, 1, 4]]).shift == (4, 3)


@pytest.mark.parametrize("matrix", [np.eye(2), np.full((3, 3), np.nan), [1, 2, 3]])
def test_a_bad_matrix_is_refused(matrix: object) -> None:
    with pytest.raises(ValueError, match="matrix"):
        from_pixel_matrix(matrix)


@pytest.mark.parametrize("size", [0, -1, (1, np.nan)])
def test_a_pixel_size_is_positive(size: object) -> None:
    with pytest.raises(ValueError, match="pixel size"):
        pixel_matrix(Affine.identity(), size)


def test_a_transform_without_a_matrix_is_refused_with_advice() -> None:
    bend = Sequence((Bijection(TRUTH["affine"], TRUTH["affine"].inverse()),))
    with pytest.raises(UnsupportedDialect, match="approximate_affine"):
        pixel_matrix(bend)


def test_the_affine_approximation_is_exact_where_the_transform_is_affine() -> None:
    grid = np.stack(np.meshgrid([0, 1e4, 2e4], [0, 1e4]), -1).reshape(-1, 2)
    np.testing.assert_allclose(
        approximate_affine(TRUTH["rigid"], grid).matrix, TRUTH["rigid"].matrix, atol=1e-8
    )
    with pytest.raises(DegenerateFit):
        approximate_affine(TRUTH["rigid"], grid[:2])
