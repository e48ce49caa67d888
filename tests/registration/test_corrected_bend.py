"""A person's pairs correct a bent alignment near them, and nowhere else."""

import numpy as np
import pytest

from napari_histreg.errors import TransformError
from napari_histreg.landmarks import Landmarks
from napari_histreg.registration.corrected_bend import correct_bend
from napari_histreg.transforms import Similarity
from napari_histreg.transforms.displacement import DisplacementField

BASE = Similarity.of(angle_deg=40.0, scale=1.1, mirrored=True, translation=(300.0, 9000.0))


@pytest.fixture(scope="module")
def field():
    y, x = np.meshgrid(np.arange(0.0, 8001, 100), np.arange(0.0, 8001, 100), indexing="ij")
    waves = np.stack([np.sin(x / 900) * np.cos(y / 1100), np.cos(x / 1000) * np.sin(y / 800)], -1)
    return DisplacementField(15 * waves, spacing=(100.0, 100.0), base=BASE)


def pairs(field, places, off):
    """Pairs that say that the tissue lies further by `off` than the field says, in the fixed frame."""
    places = np.asarray(places, float)
    return Landmarks.of(places, BASE(places + field.displacement(places) + np.asarray(off, float)))


def test_a_pair_is_honoured_where_it_lies_and_leaves_the_rest_alone(field):
    fit = correct_bend(field, pairs(field, [[4000, 4000]], [30.0, -10.0]))
    assert fit.residuals[0] < 0.1
    assert fit.leave_one_out[0] == pytest.approx(np.hypot(30, 10), rel=0.05)
    change = fit.fixed_to_moving.values - field.values
    assert np.allclose(change[40, 40], [30, -10], atol=0.1)
    far = np.hypot(*np.meshgrid(np.arange(-40, 41), np.arange(-40, 41))) > 20
    assert np.abs(change[far]).max() < 0.3


def test_pairs_that_agree_with_the_field_change_nothing(field):
    places = np.random.default_rng(0).uniform(500, 7500, (12, 2))
    fit = correct_bend(field, pairs(field, places, np.zeros((12, 2))))
    assert np.abs(fit.fixed_to_moving.values - field.values).max() < 1e-3
    assert fit.median_leave_one_out < 1e-2


def test_neighbours_that_say_the_same_predict_one_another(field):
    y, x = np.meshgrid([3000, 3600, 4200, 4800], [3000, 3600, 4200, 4800], indexing="ij")
    places = np.stack([y, x], -1).reshape(-1, 2)
    fit = correct_bend(field, pairs(field, places, np.full((16, 2), 20.0)))
    assert fit.residuals.max() < 1.0
    assert fit.median_leave_one_out < 0.9 * np.hypot(20, 20)


def test_pairs_that_are_off_or_wait_are_measured_only(field):
    given = pairs(field, [[2000, 2000], [6000, 6000]], [[0, 25], [0, 25]]).switched(1, False)
    fit = correct_bend(field, given)
    assert list(fit.used) == [True, False]
    assert fit.residuals[0] < 0.1
    assert fit.residuals[1] == pytest.approx(25, rel=0.05)
    with pytest.raises(TransformError, match="No pair"):
        correct_bend(field, given.switched(0, False))


def test_it_never_folds(field):
    places = [[4000, 4000], [4000, 4250]]
    fit = correct_bend(field, pairs(field, places, [[0, 60.0], [0, -60.0]]))
    assert fit.fixed_to_moving.folding().minimum > 0.2
    with pytest.raises(TransformError, match="contradict"):
        correct_bend(field, pairs(field, places, [[0, 9000.0], [0, -9000.0]]))
