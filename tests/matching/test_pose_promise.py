"""A finer search looks where a coarser one found something, and finds the same there."""

import numpy as np

from napari_histreg.matching.picture import Picture
from napari_histreg.matching.pose_promise import Promise
from napari_histreg.matching.pose_search import Grid, search_poses
from napari_histreg.matching.poses import Poses
from phantoms import pair

COARSE, FINE = Grid(side=64, step_deg=10.0, step_scale=0.1), Grid(side=80, step_deg=5.0, step_scale=0.05)


def test_the_pose_survives_and_most_turns_are_spared():
    case = pair(angle_deg=47.0, mirrored=True)
    fixed, moving = Picture.of(case.fixed), Picture.of(case.moving)
    coarse = search_poses(fixed, moving, COARSE.scales(0.8, 1.25), grid=COARSE)
    scales = FINE.scales(0.8, 1.25)
    promise = Promise.of(coarse, 0.1)
    everywhere = search_poses(fixed, moving, scales, grid=FINE)
    some = search_poses(fixed, moving, scales, grid=FINE, worth=promise)
    assert len(some.z) < 0.5 * len(everywhere.z)
    best, again = everywhere.z.argmax(), some.z.argmax()
    np.testing.assert_array_equal(some.matrices[again], everywhere.matrices[best])
    kept = {(s, t) for s, t in zip(some.scales, some.turns, strict=True)}
    assert (everywhere.scales[best], everywhere.turns[best]) in kept


def test_turns_are_a_circle():
    best = np.zeros((1, 18))
    best[0, 0] = 9.0
    promise = Promise(np.array([1.0]), np.arange(0, 180, 10.0), best, np.array([False]), 5.0)
    fine = np.arange(0, 180, 4.0)
    assert fine[promise(1.0, fine, False)].tolist() == [0.0, 4.0, 8.0, 172.0, 176.0]
    # Turned the other way round, nothing can be spared.
    assert promise(1.0, fine, True).all()


def test_the_best_share_counts():
    poses = Poses(
        np.tile(np.eye(3), (8, 1, 1)),
        np.array([1.0, 2, 3, 4, 5, 6, 7, 8]),
        np.ones(8),
        np.repeat([0.0, 45.0, 90.0, 135.0], 2),
        np.zeros(8, bool),
    )
    promise = Promise.of(poses, 0.25)
    assert promise.best.tolist() == [[2.0, 4.0, 6.0, 8.0]]
    assert promise(1.0, promise.turns, False).tolist() == [False, False, False, True]
