"""A bend of a volume is what ITK makes of the same nodes, and its least Jacobian is the true one."""

import numpy as np
import pytest
import SimpleITK as sitk

from napari_histreg.cell_agreement import chessboard
from napari_histreg.volumes.bend import VolumeBend
from napari_histreg.volumes.bend_verdict import judge_bend
from napari_histreg.volumes.body import body_of
from napari_histreg.volumes.pose import VolumePose
from napari_histreg.volumes.resampling import itk_transform
from volumes.bodies import bent_pair

TURNED = VolumePose.of(angles_deg=(20, -10, 5), shift_mm=(3, 4, -5))


def wavy(size_mm, seed=0):
    """Nodes 20, 15 and 12 mm apart, on a grid that does not lie along the patient's axes."""
    rng = np.random.default_rng(seed)
    nodes = TURNED.matrix @ np.diag([20.0, 15.0, 12.0, 1.0])
    return VolumeBend(rng.normal(0, size_mm, (7, 8, 9, 3)), nodes)


@pytest.fixture(scope="module")
def places():
    inside = np.random.default_rng(1).uniform(1.05, [4.95, 5.95, 6.95], (300, 3)) * (20, 15, 12)
    return TURNED(inside)


def test_itk_reads_what_was_written(tmp_path, places):
    bend, pose = wavy(3.0), VolumePose(np.diag([1.1, 0.9, 1.0, 1.0]))
    sitk.WriteTransform(itk_transform(pose, bend), str(tmp_path / "a.tfm"))
    found = sitk.ReadTransform(str(tmp_path / "a.tfm"))
    seen = np.array([found.TransformPoint(place[::-1].tolist())[::-1] for place in places])
    assert np.allclose(seen, pose(bend(places)), atol=1e-6)
    assert np.abs(seen - pose(places)).max() > 3
    # Beyond its nodes neither moves anything.
    far = np.array([500.0, 0.0, 0.0])
    assert np.allclose(bend([far])[0], far)
    assert np.allclose(found.TransformPoint(far[::-1].tolist())[::-1], pose([far])[0])


@pytest.mark.parametrize(("size_mm", "folds"), [(1.0, False), (14.0, True)])
def test_the_least_jacobian_is_that_of_the_written_field(places, size_mm, folds):
    bend = wavy(size_mm)
    step = 1e-4
    columns = [(bend(places + step * e) - bend(places - step * e)) / (2 * step) for e in np.eye(3)]
    true = np.linalg.det(np.stack(columns, axis=-1))
    assert (bend.smallest_jacobian <= 0) == folds
    # Many random places come near the least one from above, and never far below what the grid saw.
    assert true.min() > bend.smallest_jacobian - 0.02 - 0.02 * size_mm
    image = sitk.Image([60, 60, 60], sitk.sitkUInt8)
    image.SetOrigin((TURNED([[20.0, 15.0, 12.0]])[0][::-1]).tolist())
    image.SetSpacing([72 / 60, 75 / 60, 80 / 60])
    turn = TURNED.matrix_lps[:3, :3]
    image.SetDirection(turn.ravel().tolist())
    spline = itk_transform(VolumePose.identity(), bend)
    place = image.GetSize(), image.GetOrigin(), image.GetSpacing(), image.GetDirection()
    field = sitk.TransformToDisplacementField(spline, sitk.sitkVectorFloat64, *place)
    oracle = sitk.GetArrayFromImage(sitk.DisplacementFieldJacobianDeterminant(field))
    # At its faces the differences are one-sided.
    least = oracle[2:-2, 2:-2, 2:-2].min()
    assert bend.smallest_jacobian <= least + 0.02 * size_mm


def test_a_fold_is_refused_whatever_it_gains():
    mr, ct, *_ = bent_pair(0.0, shape=(26, 27, 25), spacing=8.0)
    fixed, moving = body_of(mr, 8.0), body_of(ct, 8.0)
    node = np.diag([40.0, 40.0, 40.0, 1.0])
    node[:3, 3] = -100
    folding = VolumeBend(np.random.default_rng(0).normal(0, 60, (10, 10, 10, 3)), node)
    none = VolumeBend(np.zeros((10, 10, 10, 3)), node)
    cells = chessboard(fixed.values.shape, 4)
    gain = judge_bend(fixed, moving, VolumePose.identity(), folding, (none, none), cells)
    assert not gain.kept
    assert "folds" in gain.reason
    assert gain.smallest_jacobian < 0
    # No gain is no reason to bend.
    gain = judge_bend(fixed, moving, VolumePose.identity(), none, (none, none), cells)
    assert not gain.kept
    assert (gain.gain, gain.smallest_jacobian) == (0, pytest.approx(1))


def test_bad_nodes_are_named():
    with pytest.raises(ValueError, match="4 or more"):
        VolumeBend(np.zeros((3, 5, 5, 3)), np.eye(4))
    with pytest.raises(ValueError, match="not finite"):
        VolumeBend(np.full((5, 5, 5, 3), np.nan), np.eye(4))
