import numpy as np
import pytest
from skimage.transform import radon

from napari_histreg.projections.projector import Projector, angular_weights
from napari_histreg.projections.rounds import left_out_predictions
from napari_histreg.projections.work import WorkStack

ANGLES = np.radians(np.arange(0, 180, 6.0))


def test_projecting_is_the_transpose_of_back_projecting():
    rng = np.random.default_rng(0)
    projector = Projector(ANGLES, 31, 16.3)
    volume = rng.random((projector.count, 2)).astype(np.float32)
    frame = rng.random((31, 2)).astype(np.float32)
    rays = projector.rays(3)
    assert np.isclose(((rays @ volume) * frame).sum(), (volume * (rays.T @ frame)).sum(), rtol=1e-5)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 135.0])
def test_rays_are_those_of_scikit_image(angle):
    picture = np.zeros((65, 65), np.float32)
    picture[20:30, 38:44] = 1
    projector = Projector(np.radians([angle]), 65, 32.0)
    x, y = projector._voxels
    volume = picture[(y + 32).astype(int), (x + 32).astype(int)][:, None]
    mine = (projector.rays(0) @ volume)[:, 0]
    theirs = radon(picture, [angle], circle=True)[:, 0]
    columns = np.arange(65)
    assert abs(mine @ columns / mine.sum() - theirs @ columns / theirs.sum()) < 0.05
    assert np.corrcoef(mine, theirs)[0, 1] > 0.98


def test_what_a_view_says_about_itself_is_taken_off_exactly(scan):
    stack = WorkStack(scan.frames[:12, 20:44], np.radians(scan.angles_deg[:12]), np.ones(12, bool))
    shifts = np.zeros((12, 2))
    predicted = {v: p.copy() for v, _, p in left_out_predictions(stack, shifts, 33.0)}
    weights = angular_weights(stack.angles_rad)
    changed = stack.frames.copy()
    changed[5] += np.random.default_rng(0).normal(size=changed[5].shape).astype(np.float32)
    again = {
        v: p
        for v, _, p in left_out_predictions(WorkStack(changed, stack.angles_rad, stack.used), shifts, 33.0)
    }
    assert weights[5] > 0
    assert np.allclose(predicted[5], again[5], atol=1e-3)
    assert np.abs(predicted[6] - again[6]).max() > 1e-2


def test_views_of_an_even_half_turn_weigh_the_same_and_sum_to_it():
    weights = angular_weights(ANGLES)
    assert np.allclose(weights, np.pi / 30)


def test_nobody_stands_for_a_missing_range():
    weights = angular_weights(np.radians(np.arange(0, 120, 2.0)))
    assert weights.sum() < np.radians(125)


def test_a_full_turn_sees_everything_twice():
    weights = angular_weights(np.radians(np.arange(0, 360, 4.0)))
    assert abs(weights.sum() - np.pi) < 1e-9
