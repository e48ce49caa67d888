import numpy as np
import pytest

from napari_histreg.geometry import Frame
from napari_histreg.matching.picture import Picture
from napari_histreg.matching.pose_search import Grid, search_poses
from napari_histreg.progress import Cancelled
from phantoms import pair

QUICK = Grid(side=96, step_deg=5.0, step_scale=0.08)


def picture(raster):
    return Picture.of(raster)


def off(truth, fixed, matrix):
    """How far a pose is off, as a share of the fixed side."""
    points = fixed.box.mean(0) + (fixed.box - fixed.box.mean(0)) / 2
    found = points @ matrix[:2, :2].T + matrix[:2, 2]
    scale = np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    return np.linalg.norm(found - truth(points), axis=1).mean() / scale / fixed.extent


@pytest.mark.parametrize(
    ("angle", "mirrored", "scale"), [(0, False, 1.0), (97, False, 1.0), (-140, True, 1.06), (178, True, 0.94)]
)
def test_the_best_pose_is_the_true_one(angle, mirrored, scale):
    case = pair(angle_deg=angle, mirrored=mirrored, scale=scale, shift=(12, -20))
    fixed, moving = picture(case.fixed), picture(case.moving)
    poses = search_poses(fixed, moving, QUICK.scales(0.88, 1.14), grid=QUICK)
    assert off(case.fixed_to_moving, fixed, poses.matrices[poses.z.argmax()]) < 0.03
    inner = fixed.box.mean(0) + (fixed.box - fixed.box.mean(0)) / 2
    chosen = poses.distinct(3, inner, 0.12 * fixed.extent)
    assert poses.z[chosen[0]] > 1.3 * poses.z[chosen[1]]


@pytest.mark.parametrize("scale", [0.55, 1.8])
def test_an_unknown_scale_is_found_whichever_picture_is_turned(scale):
    case = pair(angle_deg=60, scale=scale, spacings=(1.0, scale))
    fixed, moving = picture(case.fixed), picture(case.moving)
    poses = search_poses(fixed, moving, QUICK.scales(0.4, 2.5), grid=QUICK)
    assert off(case.fixed_to_moving, fixed, poses.matrices[poses.z.argmax()]) < 0.04


def test_without_mirror_none_is_tried():
    case = pair()
    poses = search_poses(picture(case.fixed), picture(case.moving), [1.0], grid=QUICK, mirror=False)
    assert (np.linalg.det(poses.matrices[:, :2, :2]) > 0).all()
    assert len(poses.z) == 72


def test_empty_pictures_have_no_best_pose():
    empty = Picture(np.zeros((1, 60, 60), np.float32), Frame((60, 60), (1.0, 1.0), (0.0, 0.0)))
    poses = search_poses(empty, picture(pair().moving), [1.0], grid=QUICK)
    assert poses.z.max() == 0


def test_the_answer_does_not_depend_on_threads():
    case = pair(angle_deg=20)
    one, two = (
        search_poses(picture(case.fixed), picture(case.moving), [1.0], grid=QUICK, workers=k) for k in (1, 3)
    )
    assert np.array_equal(one.z, two.z)
    assert np.array_equal(one.matrices, two.matrices)


def test_progress_rises_and_can_cancel():
    case, told = pair(), []
    search_poses(
        picture(case.fixed),
        picture(case.moving),
        [0.95, 1, 1.05],
        grid=QUICK,
        progress=lambda f, m: told.append(f),
    )
    assert told == sorted(told)
    assert told[-1] == 1.0

    def stop(fraction, message):
        raise Cancelled

    with pytest.raises(Cancelled):
        search_poses(picture(case.fixed), picture(case.moving), [1.0], grid=QUICK, progress=stop)
