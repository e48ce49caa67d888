import numpy as np
import pytest

from napari_histreg.landmarks import fit_landmarks
from napari_histreg.registration.automatic.block_landmarks import block_landmarks
from napari_histreg.registration.automatic.overview import look_at
from napari_histreg.samples import phantom_pair


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(1200, angle_deg=30)


def pictures(pair):
    return look_at(pair.fixed).picture, look_at(pair.moving).picture


def test_blocks_lie_nearer_to_the_truth_than_the_pose_they_start_from(pair):
    start = pair.fixed_to_moving.matrix.copy()
    start[:2, 2] += (0.6, -0.5)
    found = block_landmarks(*pictures(pair), start)
    assert len(found) >= 10
    back = pair.fixed_to_moving.inverse()(found.moving)
    # An overview pixel is 0.4 µm here; blocks are found to a fraction of it.
    assert np.median(np.linalg.norm(back - found.fixed, axis=1)) < 0.25
    assert (np.diff(found.confidence) <= 0).all()
    assert found.confidence.max() <= 1
    fitted = fit_landmarks(found, "similarity").fixed_to_moving
    corners = np.array([[50.0, 50], [250, 250]])
    assert np.abs(fitted(corners) - pair.fixed_to_moving(corners)).max() < 1.0


def test_where_nothing_overlaps_there_are_none(pair):
    away = pair.fixed_to_moving.matrix.copy()
    away[:2, 2] += 1e6
    assert block_landmarks(*pictures(pair), away) is None
