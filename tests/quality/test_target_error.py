import numpy as np
import pytest

from napari_histreg.errors import LandmarkError
from napari_histreg.landmarks import Landmarks
from napari_histreg.quality.target_error import left_out_error, summarise_target_errors, target_error
from napari_histreg.transforms import Affine, Similarity, Translation

TRUTH = Similarity.of(scale=2.0, angle_deg=40, mirrored=True, translation=(5, 9))


def marks(count=30, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    fixed = rng.uniform(0, 500, (count, 2))
    return Landmarks.of(fixed, TRUTH(fixed + noise * rng.normal(size=fixed.shape)))


def test_a_known_shift_is_the_error_in_the_fixed_frame():
    # the moving slide is twice as large: an error of (3, 4) there would be 5, here it is 2.5 and not 5
    wrong = TRUTH.then(Translation.of((3, 4)))
    found = target_error(marks(), wrong, shape=(300, 400), pixel_size_um=(0.5, 0.5))
    np.testing.assert_allclose(found.errors_um, 2.5)
    np.testing.assert_allclose(found.errors_px, 5.0)
    np.testing.assert_allclose(found.relative, 5.0 / 500)


def test_pixels_may_be_oblong():
    pairs = Landmarks.of([[0, 0], [10, 10]], [[0, 1], [10, 11]])
    found = target_error(pairs, Affine.identity(), shape=(30, 40), pixel_size_um=(0.25, 0.5))
    np.testing.assert_allclose(found.errors_um, 1.0)
    np.testing.assert_allclose(found.errors_px, 2.0)


def test_without_pixel_size_there_are_no_micrometres():
    found = target_error(marks(), TRUTH, shape=(300, 400))
    assert found.median_um is None
    assert found.to_dict()["um"] is None
    assert "µm" not in found.table()


def test_figures_are_those_of_numpy():
    found = target_error(marks(noise=3.0), TRUTH, shape=(300, 400), pixel_size_um=(1, 1))
    figures = found.to_dict()["px"]
    errors = found.errors_px
    assert figures["median"] == pytest.approx(np.median(errors))
    assert figures["mean"] == pytest.approx(errors.mean())
    assert figures["p90"] == pytest.approx(np.percentile(errors, 90))
    assert figures["max"] == found.max_px == errors.max()


def test_robustness_counts_what_came_closer():
    pairs = Landmarks.of([[0, 0], [0, 10], [0, 20], [0, 30]], [[0, 1], [0, 11], [0, 21], [0, 35]])
    found = target_error(pairs, Translation.of((0, 1)), shape=(9, 9), initial=Affine.identity())
    assert found.robustness == 1.0
    found = target_error(pairs, Translation.of((0, 5)), shape=(9, 9), initial=Affine.identity())
    assert found.robustness == 0.25


def test_only_pairs_in_use_count():
    pairs = marks(5).switched("1", False)
    assert len(target_error(pairs, TRUTH, shape=(9, 9)).names) == 4
    with pytest.raises(LandmarkError, match="None of the landmarks"):
        target_error(Landmarks.empty(), TRUTH, shape=(9, 9))


def test_summary_over_pairs_of_slides():
    one = target_error(marks(), TRUTH.then(Translation.of((6, 8))), shape=(300, 400))
    two = target_error(marks(), TRUTH.then(Translation.of((12, 16))), shape=(300, 400))
    found = summarise_target_errors([one, two, two])
    assert found["average_median_rtre"] == pytest.approx((0.01 + 0.02 + 0.02) / 3)
    assert found["median_median_rtre"] == pytest.approx(0.02)
    assert np.isnan(found["average_robustness"])
    with pytest.raises(ValueError, match="no errors"):
        summarise_target_errors([])


def test_each_pair_left_out_is_judged_by_the_others():
    fixed = np.array([[0.0, 0], [0, 80], [60, 0], [60, 80]])
    pairs = Landmarks.of(fixed, fixed + np.array([[0, 0], [0, 0], [0, 0], [0, 6]]))
    found = left_out_error(pairs, "translation", shape=(60, 80), pixel_size_um=(0.5, 0.5))
    # The others put the last point where it was, and the last shifts their mean by 2 for each of them.
    np.testing.assert_allclose(found.errors_um, [2, 2, 2, 6])
    np.testing.assert_allclose(found.errors_px, [4, 4, 4, 12])
    assert left_out_error(pairs.subset(np.arange(4) < 1), "translation", shape=(60, 80)) is None
