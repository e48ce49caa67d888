import numpy as np
import pytest

from napari_histreg.matching.affine_refinement import COARSE, FINE, fit_affine, is_plausible, refine_affine
from napari_histreg.matching.block_correlation import Shifts, correlate_blocks
from napari_histreg.matching.description import learn_description
from napari_histreg.matching.left_out_blocks import Agreement, left_out_agreement
from napari_histreg.matching.picture import Picture
from napari_histreg.matching.pose_score import score_planes
from napari_histreg.transforms import Affine
from phantoms import pair


def picture(raster):
    return Picture.of(raster)


def disturbed(transform, *, angle_deg=2.5, scale=1.03, shift=(5.0, -4.0)):
    """The truth, off by what a search leaves."""
    a = np.deg2rad(angle_deg)
    off = np.array(
        [[scale * np.cos(a), -np.sin(a), shift[0]], [np.sin(a), scale * np.cos(a), shift[1]], [0, 0, 1]]
    )
    return transform.matrix @ off


@pytest.fixture(scope="module")
def case():
    return pair(angle_deg=25, mirrored=True, scale=1.05, stains=("nuclear", "inverted"), shape=(320, 320))


def test_blocks_bring_a_search_result_below_half_a_pixel(case):
    fixed, moving = picture(case.fixed), picture(case.moving)
    start = disturbed(case.fixed_to_moving)
    coarse = refine_affine(fixed, moving, start, COARSE)
    fine = refine_affine(fixed, moving, coarse, FINE, describe=learn_description(fixed, moving, coarse))
    assert np.median(case.errors(Affine(start))) > 4
    assert np.median(case.errors(Affine(coarse))) < 1.0
    assert np.median(case.errors(Affine(fine))) < 0.3


def test_a_shear_is_found_too():
    case = pair(angle_deg=5, stretch=1.08)
    fixed, moving = picture(case.fixed), picture(case.moving)
    found = refine_affine(fixed, moving, disturbed(case.fixed_to_moving, angle_deg=1), (*COARSE, *FINE))
    assert np.median(case.errors(Affine(found))) < 0.4


def test_unrelated_pictures_leave_a_usable_pose():
    one, other = picture(pair(seed=1).fixed), picture(pair(seed=2).moving)
    found = refine_affine(one, other, np.eye(3), COARSE)
    assert is_plausible(found)


def test_no_overlap_leaves_the_start(case):
    start = np.array([[1.0, 0, 0], [0, 1, 9999], [0, 0, 1]])
    assert np.array_equal(refine_affine(picture(case.fixed), picture(case.moving), start), start)


def test_the_density_of_inverted_stains_is_taken_negatively(case):
    describe = learn_description(picture(case.fixed), picture(case.moving), case.fixed_to_moving.matrix)
    assert describe.density.sign == -1
    assert describe.ratio > 0


def test_a_known_shift_is_measured_below_a_pixel():
    rng = np.random.default_rng(0)
    from scipy.ndimage import gaussian_filter
    from scipy.ndimage import shift as moved

    plane = gaussian_filter(rng.normal(size=(120, 120)), 1.5).astype(np.float32)
    maps = correlate_blocks(
        [plane], [moved(plane, (1.3, -2.6), order=3).astype(np.float32)], block=40, reach=6
    )
    assert np.allclose(np.median(maps.shifts().offsets, axis=0), (1.3, -2.6), atol=0.1)
    assert maps.reach == 6


def test_a_third_of_wrong_shifts_does_not_pull_the_fit():
    rng = np.random.default_rng(0)
    centres = rng.uniform(0, 200, (60, 2))
    truth = np.array([[1.01, -0.02, 1.5], [0.03, 0.98, -2.0], [0, 0, 1]])
    offsets = centres @ truth[:2, :2].T + truth[:2, 2] - centres
    offsets[:20] = rng.uniform(-10, 10, (20, 2))
    shifts = Shifts(centres, offsets, np.full(60, 8.0), np.tile(np.eye(2), (60, 1, 1)))
    found = fit_affine(shifts, width=10)
    corners = np.array([[0, 0, 1], [200, 200, 1], [0, 200, 1.0]])
    assert np.abs(corners @ (found - truth).T).max() < 0.5


def test_fits_through_nothing_change_nothing():
    empty = Shifts(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros((0, 2, 2)))
    assert np.array_equal(fit_affine(empty, width=5), np.eye(3))


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (np.eye(3), True),
        (np.diag([1.0, 2.0, 1.0]), False),
        (np.diag([1.0, 0.0, 1.0]), False),
        (np.full((3, 3), np.nan), False),
    ],
)
def test_implausible_matrices_are_told(matrix, expected):
    assert is_plausible(matrix) is expected


@pytest.mark.parametrize(("factor", "expected"), [(1.2, True), (1 / 1.2, True), (1.3, False), (0.01, False)])
def test_an_update_may_not_enlarge_or_reduce_beyond_its_scale(factor, expected):
    matrix = np.diag([factor, factor, 1.0])
    assert is_plausible(matrix, scale=1.25) is expected
    assert is_plausible(matrix)  # of a whole pose any scale will do


def test_left_out_blocks_agree_with_the_truth_only(case):
    fixed, moving = picture(case.fixed), picture(case.moving)
    right = left_out_agreement(fixed, moving, disturbed(case.fixed_to_moving, angle_deg=1, shift=(2, 2)))
    turned = case.fixed_to_moving.matrix @ np.array([[0.0, -1, 319], [1, 0, 0], [0, 0, 1]])
    wrong = left_out_agreement(fixed, moving, turned)
    assert right.above_chance > 8
    assert wrong.above_chance < 3


def test_agreement_of_nothing_is_none():
    assert (Agreement(0, 0, 0.1).share, Agreement(0, 0, 0.1).above_chance) == (0.0, 0.0)
    assert Agreement(0, 30, 0.1).above_chance < 0


def test_a_score_is_high_where_planes_lie_right_only():
    plane = np.random.default_rng(0).normal(size=(90, 90)).astype(np.float32)
    assert score_planes([plane], [plane]).z > 30
    assert score_planes([plane], [np.roll(plane, 20, 0)]).z < 5
    assert score_planes([plane], [0 * plane]).z == 0


def test_empty_planes_hold_no_blocks():
    nothing = np.zeros((80, 80), np.float32)
    maps = correlate_blocks([nothing], [nothing], block=32, reach=4)
    assert not len(maps.shifts().z)
    assert not len(maps.pooled(0.5).shifts().z)
