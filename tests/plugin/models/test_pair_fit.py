import numpy as np
import pytest

from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.models.chosen_slide import ChosenSlide
from napari_histreg.plugin.models.pair_fit import allowed_models, follow_pairs
from napari_histreg.plugin.models.session import Session
from napari_histreg.slides import Slide
from napari_histreg.transforms import Affine, Similarity, Translation
from napari_histreg.transforms.displacement import DisplacementField

FIXED = np.array([[0.0, 0.0], [0.0, 900.0], [700.0, 30.0], [800.0, 850.0], [400.0, 300.0]])
IDENTITY = Affine.identity()


def pairs(truth: Affine, count: int = 5, **options: object) -> Landmarks:
    return Landmarks.of(FIXED[:count], truth(FIXED[:count]), **options)  # type: ignore[arg-type]


def test_without_pairs_the_placement_stands() -> None:
    placement = Translation.of((3, 4))
    found = follow_pairs(Landmarks.empty(), "auto", placement, follow=True)
    assert found.fixed_to_moving is placement
    assert found.fit is None


def test_one_pair_shifts_the_placement_and_keeps_its_turn_mirror_and_scale() -> None:
    placement = Similarity.of(scale=1.3, angle_deg=40, mirrored=True)
    landmarks = Landmarks.of([[10, 20]], [[500, 600]])
    found = follow_pairs(landmarks, "auto", placement, follow=True)
    assert isinstance(found.fixed_to_moving, Affine)
    np.testing.assert_allclose(found.fixed_to_moving.linear, placement.linear)
    np.testing.assert_allclose(found.fixed_to_moving([[10, 20]]), [[500, 600]])
    assert found.residual_vectors == pytest.approx(np.zeros((1, 2)), abs=1e-9)
    assert np.isnan(found.leave_one_out_vectors).all()


def test_shift_errors_are_measured_in_the_fixed_frame() -> None:
    # Two pairs that disagree by 20 in a moving frame twice as large: 10 in the fixed one, 5 for each.
    placement = Similarity.of(scale=2)
    landmarks = Landmarks.of([[0, 0], [0, 100]], [[0, 0], [0, 220]])
    found = follow_pairs(landmarks, "translation", placement, follow=True)
    np.testing.assert_allclose(np.linalg.norm(found.residual_vectors, axis=1), [5, 5])
    np.testing.assert_allclose(np.linalg.norm(found.leave_one_out_vectors, axis=1), [10, 10])


def test_two_pairs_keep_the_mirror_of_the_placement() -> None:
    truth = Similarity.of(angle_deg=200, mirrored=True, translation=(50, 60))
    landmarks = pairs(truth, 2)
    mirrored = follow_pairs(landmarks, "auto", Similarity.of(mirrored=True), follow=True)
    np.testing.assert_allclose(mirrored.fixed_to_moving(FIXED), truth(FIXED), atol=1e-9)
    plain = follow_pairs(landmarks, "auto", IDENTITY, follow=True)
    assert isinstance(plain.fixed_to_moving, Affine)
    assert not plain.fixed_to_moving.mirrored


@pytest.mark.parametrize("mirrored_placement", [False, True])
@pytest.mark.parametrize("mirrored_truth", [False, True])
def test_more_pairs_find_the_mirror_whatever_the_placement(
    mirrored_placement: bool, mirrored_truth: bool
) -> None:
    truth = Similarity.of(scale=1.02, angle_deg=75, mirrored=mirrored_truth, translation=(9, 5))
    placement = Similarity.of(mirrored=mirrored_placement)
    found = follow_pairs(pairs(truth), "similarity", placement, follow=True)
    np.testing.assert_allclose(found.fixed_to_moving(FIXED), truth(FIXED), atol=1e-6)


def test_pairs_that_only_measure_leave_the_placement_alone() -> None:
    placement = Translation.of((0, 3))
    found = follow_pairs(pairs(IDENTITY), "auto", placement, follow=False)
    assert found.fixed_to_moving is placement
    np.testing.assert_allclose(np.linalg.norm(found.residual_vectors, axis=1), 3)
    np.testing.assert_allclose(np.linalg.norm(found.leave_one_out_vectors, axis=1), 3)


def test_too_few_pairs_for_the_model_get_the_widest_they_allow() -> None:
    found = follow_pairs(pairs(IDENTITY, 3), "projective", IDENTITY, follow=True)
    assert found.fit is not None
    assert found.fit.model == "affine"


def test_points_on_a_line_fall_back_to_a_stiffer_model_and_say_so() -> None:
    line = [[0, 0], [0, 10], [0, 20], [0, 30]]
    found = follow_pairs(Landmarks.of(line, line), "affine", IDENTITY, follow=True)
    assert found.fit is not None
    assert found.fit.model == "similarity"
    assert found.problem


def test_two_points_at_one_place_only_shift() -> None:
    found = follow_pairs(Landmarks.of([[5, 5], [5, 5]], [[9, 9], [9, 9]]), "auto", IDENTITY, follow=True)
    np.testing.assert_allclose(found.fixed_to_moving([[0, 0]]), [[4, 4]])


def test_pairs_switched_off_or_waiting_do_not_count() -> None:
    truth = Translation.of((7, -2))
    landmarks = pairs(truth, 3).with_pair([1, 1], None).with_pair([5, 5], [500, 500]).switched(4, False)
    found = follow_pairs(landmarks, "auto", IDENTITY, follow=True)
    np.testing.assert_allclose(found.fixed_to_moving(FIXED), truth(FIXED), atol=1e-9)
    assert np.isnan(found.residual_vectors[3]).all()
    assert np.linalg.norm(found.residual_vectors[4]) > 400


def test_models_by_number_of_pairs() -> None:
    assert allowed_models(0) == ()
    assert allowed_models(1) == ("translation",)
    assert "affine" in allowed_models(3)
    assert "projective" not in allowed_models(3)
    assert "thin_plate" not in allowed_models(3)
    assert allowed_models(4)[-1] == "thin_plate"


def test_a_spline_follows_where_the_tissue_is_bent() -> None:
    y, x = np.meshgrid(np.linspace(0, 900, 5), np.linspace(0, 900, 5), indexing="ij")
    fixed = np.stack([y.ravel(), x.ravel()], 1)
    bent = fixed + np.stack([np.zeros(25), 30 * np.sin(fixed[:, 0] / 300)], 1)
    found = follow_pairs(Landmarks.of(fixed, bent), "thin_plate", IDENTITY, follow=True)
    assert found.fit is not None
    assert found.fit.model == "thin_plate"
    assert np.abs(found.residual_vectors).max() < 1
    stiff = follow_pairs(Landmarks.of(fixed, bent), "affine", IDENTITY, follow=True)
    assert np.abs(stiff.residual_vectors).max() > 5
    # What leaving a pair out says is of the same size as the bend that the others know.
    assert np.nanmedian(np.linalg.norm(found.leave_one_out_vectors, axis=1)) < 5


def test_a_spline_that_folds_falls_back_to_what_does_not() -> None:
    grid = np.stack(np.meshgrid(np.arange(4.0), np.arange(4.0)), -1).reshape(-1, 2) * 100
    swapped = grid.copy()
    swapped[[5, 6]] = swapped[[6, 5]]
    found = follow_pairs(Landmarks.of(grid, swapped), "thin_plate", IDENTITY, follow=True)
    assert found.fit is not None
    assert (found.fit.model == "thin_plate") == (found.problem is None)


def test_pairs_correct_a_placement_that_bends_and_undo_takes_them_out(
    fixed_slide: Slide, moving_slide: Slide
) -> None:
    y, x = np.meshgrid(np.arange(41) * 100.0, np.arange(41) * 100.0, indexing="ij")
    bend = DisplacementField(12 * np.stack([np.sin(x / 700), np.cos(y / 600)], -1), spacing=(100.0, 100.0))
    session = Session()
    session.choose(ChosenSlide("f", fixed_slide), ChosenSlide("m", moving_slide), initial=bend)
    before = session.fixed_to_moving.values
    session.add_pair([2000.0, 2000.0], [2030.0, 2000.0])
    after = session.fixed_to_moving
    assert isinstance(after, DisplacementField)
    np.testing.assert_allclose(after([[2000.0, 2000.0]]), [[2030.0, 2000.0]], atol=0.1)
    np.testing.assert_allclose(after.values[2:8, 2:8], before[2:8, 2:8], atol=0.1)
    assert session.state.fit is not None
    assert session.state.fit.model == "bend"
    session.undo()
    np.testing.assert_array_equal(session.fixed_to_moving.values, before)
