"""A volume bent by a known smooth field and seen by another modality is straightened."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from napari_histreg.errors import Cancelled
from napari_histreg.methods.elastix.worker import elastix_worker
from napari_histreg.optional import is_installed
from napari_histreg.registration.volumes import bend_volumes
from napari_histreg.volumes import open_volume
from napari_histreg.volumes.folder import check_volume_folder, read_volume_pose, write_volume_folder
from napari_histreg.volumes.pose import VolumePose
from napari_histreg.volumes.registering import VolumeRegistration
from napari_histreg.volumes.verdict import VolumeVerdict
from volumes.bodies import bent_pair, best_affine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed("itk"), reason="itk-elastix is not installed"),
]
SMALL = {"shape": (34, 35, 32), "spacing": 6.0}


def aligned(size_mm, word="accepted"):
    """An affine alignment as good as any can be, with places and where they belong."""
    mr, ct, places, truth = bent_pair(size_mm, **SMALL)
    pose = best_affine(places, truth)
    return VolumeRegistration(mr, ct, pose, VolumeVerdict(word, 0.9, ("good",)), "affine", 1.0), places, truth


@pytest.fixture(scope="module")
def bent():
    straight, places, truth = aligned(14.0)
    return bend_volumes(straight, grid_spacing_mm=40, iterations=25), places, truth


def test_a_known_bend_is_found_across_modalities(bent):
    result, places, truth = bent
    before = np.linalg.norm(result.fixed_to_moving(places) - truth, axis=1)
    after = np.linalg.norm(result.fixed_to_moving(result.bend(places)) - truth, axis=1)
    assert after.mean() < before.mean() / 2
    assert np.percentile(after, 90) < np.percentile(before, 90) / 2
    assert result.bend.smallest_jacobian > 0.2
    assert result.verdict.word == "accepted"
    assert result.verdict.reasons[-1].startswith("Bent: ")
    assert result.verdict.measures["left_out_gain"] > 0.04


def test_the_folder_holds_the_whole_bend(bent, tmp_path):
    result, places, _ = bent
    written = {path.name for path in write_volume_folder(result, tmp_path)}
    # A matrix alone would be wrong.
    assert written == {
        "volume_registration.json",
        "fixed_to_moving.tfm",
        "moving_on_fixed.nii.gz",
        "overlay.png",
    }
    found = sitk.ReadTransform(str(tmp_path / "fixed_to_moving.tfm"))
    seen = np.array([found.TransformPoint(place[::-1].tolist())[::-1] for place in places])
    assert np.allclose(seen, result.fixed_to_moving(result.bend(places)), atol=1e-6)
    fixed, moving = result.fixed, result.moving
    grid = sitk.GetImageFromArray(fixed.pixels)
    grid.SetSpacing([6.0] * 3)
    other = sitk.GetImageFromArray(moving.pixels)
    other.SetSpacing([6.0] * 3)
    by_itk = sitk.GetArrayFromImage(
        sitk.Resample(other, grid, found, sitk.sitkLinear, float(moving.pixels.min()))
    )
    assert np.array_equal(open_volume(tmp_path / "moving_on_fixed.nii.gz").pixels, by_itk)
    told = json.loads((tmp_path / "volume_registration.json").read_text())
    assert told["bend"]["smallest_jacobian"] == result.bend.smallest_jacobian
    assert told["measures"]["smallest_jacobian"] == result.bend.smallest_jacobian
    # The affine part is a start for another run.
    assert np.allclose(read_volume_pose(tmp_path).matrix, result.fixed_to_moving.matrix)
    check_volume_folder(tmp_path)


def test_nothing_is_bent_that_lies_right_or_was_not_accepted():
    straight, *_ = aligned(0.0)
    result = bend_volumes(straight, grid_spacing_mm=40, iterations=25)
    assert result.bend is None
    assert "too little to trust" in result.verdict.reasons[-1]
    assert result.verdict.word == "accepted"
    doubtful, *_ = aligned(0.0, word="doubtful")
    assert bend_volumes(doubtful).verdict.reasons == ("good", "Not bent: only an accepted alignment is.")


def test_other_bodies_and_bad_numbers_are_refused_in_a_sentence():
    straight, *_ = aligned(0.0)
    aside = replace(straight, fixed_to_moving=VolumePose.of(shift_mm=(0, 60, 0)))
    assert "overlap too little" in bend_volumes(aside).verdict.reasons[-1]
    with pytest.raises(ValueError, match=r"grid_spacing_mm=5 is too narrow for mr, .* Give at least 18"):
        bend_volumes(straight, grid_spacing_mm=5)
    with pytest.raises(ValueError, match="above 0 mm, not -3"):
        bend_volumes(straight, grid_spacing_mm=-3)
    with pytest.raises(ValueError, match="weight from 0"):
        bend_volumes(straight, bending=-1)


def test_it_can_be_cancelled_and_ends_the_process():
    straight, *_ = aligned(0.0)
    seen = []

    def progress(fraction, _message):
        seen.append(elastix_worker().pid)
        if fraction > 0.05:
            raise Cancelled

    with pytest.raises(Cancelled):
        bend_volumes(straight, grid_spacing_mm=40, progress=progress)
    assert elastix_worker().pid != seen[-1]
