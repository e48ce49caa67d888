"""Kinds of matrices, their parts, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_histreg.errors import NotInvertible
from napari_histreg.transforms import Affine, Projective, Rigid, Similarity, Translation


def test_positive_angles_turn_counter_clockwise_on_screen() -> None:
    # On screen y points down: from "right" (x = 1), counter-clockwise leads to "up" (y = -1).
    assert Rigid.of(angle_deg=90)([[0, 1]]).tolist() == [[-1, 0]]


def test_the_mirror_comes_before_the_turn() -> None:
    assert Similarity.of(mirrored=True)([[3, 5]]).tolist() == [[3, -5]]
    assert Similarity.of(mirrored=True, angle_deg=90)([[0, 1]]).tolist() == [[1, 0]]


def test_the_centre_stays_where_it_is() -> None:
    turn = Similarity.of(scale=3, angle_deg=33, mirrored=True, centre=(40, 70))
    np.testing.assert_allclose(turn([[40, 70]]), [[40, 70]], atol=1e-12)
    moved = Rigid.of(angle_deg=10, centre=(4, 7), translation=(1, 2))
    np.testing.assert_allclose(moved([[4, 7]]), [[5, 9]], atol=1e-12)


@given(st.floats(0.01, 100), st.floats(-179.9, 179.9), st.booleans())
def test_a_similarity_tells_its_parts(scale: float, angle: float, mirrored: bool) -> None:
    made = Similarity.of(scale=scale, angle_deg=angle, mirrored=mirrored, translation=(5, 6))
    assert made.scale == pytest.approx(scale)
    assert made.angle_deg == pytest.approx(angle, abs=1e-9)
    assert made.mirrored is mirrored
    assert made.shift == (5, 6)
    assert Affine(made.matrix).angle_deg == pytest.approx(angle, abs=1e-9)


def test_an_affine_map_tells_the_turn_nearest_to_it() -> None:
    # Stretching after a turn leaves the turn of the polar decomposition U P only if P is symmetric.
    stretch = np.array([[2.0, 0.3], [0.3, 1.0]])
    matrix = np.eye(3)
    matrix[:2, :2] = Rigid.of(angle_deg=25).matrix[:2, :2] @ stretch
    assert Affine(matrix).angle_deg == pytest.approx(25)
    assert Affine(matrix).scale == pytest.approx(np.sqrt(2 - 0.09))


def test_half_turns_and_mirrors_are_exact() -> None:
    assert Rigid.of(angle_deg=180).matrix[:2, :2].tolist() == [[-1, 0], [0, -1]]
    assert Rigid.of(angle_deg=-90).matrix[:2, :2].tolist() == [[0, 1], [-1, 0]]


@pytest.mark.parametrize(
    ("kind", "matrix", "words"),
    [
        (Translation, np.diag([2.0, 2, 1]), "turns or scales"),
        (Rigid, np.diag([2.0, 2, 1]), "changes lengths"),
        (Similarity, np.diag([2.0, 1, 1]), "stretches"),
        (Similarity, np.diag([0.0, 0, 1]), "stretches"),
        (Affine, [[1, 0, 0], [0, 1, 0], [0, 0.1, 1]], "last row"),
        (Affine, np.eye(2), "3 x 3"),
        (Projective, np.zeros((3, 3)), "all 0"),
        (Projective, np.full((3, 3), np.inf), "NaN or infinity"),
    ],
)
def test_a_matrix_of_another_kind_is_refused(kind: type, matrix: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        kind(matrix)


def test_a_scale_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Similarity.of(scale=0)


@pytest.mark.parametrize(
    "flat", [Affine(np.diag([1.0, 0, 1])), Projective([[1, 2, 3], [2, 4, 6], [0, 0, 1]])]
)
def test_a_squeezed_plane_has_no_inverse(flat: Affine | Projective) -> None:
    with pytest.raises(NotInvertible):
        flat.inverse()


def test_the_horizon_maps_to_infinity() -> None:
    tilt = Projective([[1, 0, 0], [0, 1, 0], [0, 1, 1]])
    out = tilt([[2, -1], [0, -1], [3, 1]])
    assert np.isinf(out[0]).all()
    assert np.isnan(out[1, 0])
    assert out[2].tolist() == [1.5, 0.5]


def test_the_factor_of_a_projective_matrix_means_nothing() -> None:
    matrix = np.array([[1, 2, 3], [-2, 1, 4], [1e-3, 0, 1]])
    assert Projective(matrix) == Projective(-8 * matrix)
    origin_on_horizon = Projective([[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    np.testing.assert_allclose(origin_on_horizon.inverse()(origin_on_horizon([[3, 4]])), [[3, 4]])


def test_a_matrix_cannot_be_changed() -> None:
    given_matrix = np.eye(3)
    shift = Translation(given_matrix)
    given_matrix[0, 2] = 99
    assert shift.shift == (0, 0)
    with pytest.raises(ValueError, match="read-only"):
        shift.matrix[0, 0] = 2


def test_equal_means_same_kind_and_same_numbers() -> None:
    assert Translation.of((1, 2)) == Translation.of((1, 2))
    assert Translation.identity() != Rigid.identity()
    assert Translation.identity() != 1
    assert len({Translation.of((0.0, 1)), Translation.of((-0.0, 1))}) == 1


def test_the_words_for_a_transform() -> None:
    assert repr(Rigid.of(angle_deg=12.5, mirrored=True, translation=(1, 2))) == (
        "Rigid(angle_deg=12.5, shift=(1, 2), mirrored=True)"
    )
    assert repr(Projective.identity()).startswith("Projective([[1.")


@pytest.mark.parametrize("points", [[1, 2], [[1, 2, 3]], 5])
def test_points_are_pairs(points: object) -> None:
    with pytest.raises(ValueError, match=r"\(N, 2\)"):
        Affine.identity()(points)
