"""Volumes in known poses are found again; what does not belong together is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from napari_histreg.errors import Cancelled, DamagedFile, ReadError, RegistrationError, WriteError
from napari_histreg.volumes import Volume, open_volume
from napari_histreg.volumes.body import body_of
from napari_histreg.volumes.folder import check_volume_folder, read_volume_pose, write_volume_folder
from napari_histreg.volumes.pose import VolumePose, mean_distance_mm
from napari_histreg.volumes.registering import register_volumes
from volumes.bodies import as_ct, as_mr, head, moved
from volumes.dicom_files import write_series

TRUTH = VolumePose.of(angles_deg=(12, -7, 9), shift_mm=(14, -20, 8), centre_mm=(70, 80, 70))


@pytest.fixture(scope="module")
def found():
    kinds, place = head()
    fixed, moving = as_mr(kinds, place), moved(as_ct(kinds, place), TRUTH)
    return fixed, moving, register_volumes(fixed, moving, search_deg=15)


def off_mm(result, truth, fixed):
    return mean_distance_mm(result.fixed_to_moving, truth, body_of(fixed, 10.0).points_mm)


def test_a_known_pose_is_found_across_modalities(found):
    fixed, _, result = found
    assert result.verdict.word == "accepted", result.verdict
    assert off_mm(result, TRUTH, fixed) < 2.0  # a third of a voxel


@pytest.mark.parametrize("seed", [9, 10])
def test_a_head_of_the_same_outline_with_another_inside_is_not_accepted(seed):
    kinds, place = head()
    other, _ = head(seed=seed)
    result = register_volumes(as_mr(kinds, place), as_ct(other, place), initial=VolumePose.identity())
    assert result.verdict.word != "accepted", result.verdict


def test_an_affine_start_is_refined():
    kinds, place = head()
    stretch = VolumePose(np.diag([1.05, 0.96, 1.03, 1.0]))
    truth = stretch.then(TRUTH)
    fixed, moving = as_mr(kinds, place), moved(as_ct(kinds, place), truth)
    result = register_volumes(fixed, moving, freedom="affine", initial=TRUTH)
    assert off_mm(result, truth, fixed) < 1.0
    assert result.fixed_to_moving.scales == pytest.approx((1.05, 1.03, 0.96), abs=0.015)


@pytest.mark.thorough
def test_the_same_input_gives_the_same_pose(found):
    fixed, moving, result = found
    again, once_more = (register_volumes(fixed, moving, initial=result.fixed_to_moving) for _ in range(2))
    assert np.array_equal(again.fixed_to_moving.matrix, once_more.fixed_to_moving.matrix)
    assert mean_distance_mm(again.fixed_to_moving, TRUTH, body_of(fixed, 10.0).points_mm) < 2.0


def test_the_folder_holds_what_itk_and_others_read(found, tmp_path):
    fixed, moving, result = found
    written = {path.name for path in write_volume_folder(result, tmp_path)}
    assert written == {
        "volume_registration.json", "fixed_to_moving.tfm", "matrix_lps_mm.csv", "moving_on_fixed.nii.gz",
        "overlay.png",
    }  # fmt: skip
    transform = sitk.ReadTransform(str(tmp_path / "fixed_to_moving.tfm"))
    point = np.array([30.0, 40.0, 50.0])  # (z, y, x)
    expected = result.fixed_to_moving([point])[0]
    assert transform.TransformPoint(point[::-1].tolist())[::-1] == pytest.approx(expected)
    matrix = np.loadtxt(tmp_path / "matrix_lps_mm.csv", delimiter=",")
    assert (matrix @ [*point[::-1], 1])[2::-1] == pytest.approx(expected)
    assert np.allclose(read_volume_pose(tmp_path).matrix, result.fixed_to_moving.matrix)
    carried = open_volume(tmp_path / "moving_on_fixed.nii.gz")
    assert carried.shape == fixed.shape
    kinds, place = head()
    inside = kinds > 0
    truth = as_ct(kinds, place).pixels
    # On the fixed grid the moved volume is the unmoved one again.
    assert np.corrcoef(carried.pixels[inside], truth[inside])[0, 1] > 0.95
    assert moving.pixels.dtype == carried.pixels.dtype


def test_a_refusal_leaves_no_matrix(found, tmp_path):
    _, _, result = found
    write_volume_folder(result, tmp_path)
    write_volume_folder(replace(result, verdict=replace(result.verdict, word="refused")), tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"volume_registration.json", "overlay.png"}
    with pytest.raises(RegistrationError, match="refused"):
        read_volume_pose(tmp_path)
    (tmp_path / "volume_registration.json").write_text('{"a": 1}')
    with pytest.raises(DamagedFile, match="no record"):
        read_volume_pose(tmp_path)


def test_no_patient_is_in_the_results(tmp_path):
    kinds, place = head()
    stored = as_ct(kinds, place).pixels
    write_series(tmp_path / "ct", stored, heights=np.arange(len(stored)) * 7.0, spacing=(6, 6))
    moving = open_volume(tmp_path / "ct")
    result = register_volumes(as_mr(kinds, moving.index_to_patient), moving, initial=VolumePose.identity())
    for path in write_volume_folder(result, tmp_path / "out"):
        assert b"ecret" not in path.read_bytes()
    told = json.loads((tmp_path / "out" / "volume_registration.json").read_text())
    assert told["moving"]["modality"] == "CT"


def test_blank_and_uneven_volumes_are_refused():
    kinds, place = head()
    fixed = as_mr(kinds, place)
    blank = Volume("blank", np.zeros((9, 9, 9), np.int16), place)
    assert "no body" in register_volumes(fixed, blank).verdict.reasons[0]
    with pytest.raises(ReadError, match="missing"):
        register_volumes(fixed, replace(fixed, uneven="planes may be missing."))
    with pytest.raises(ReadError, match="how large"):
        register_volumes(fixed, replace(fixed, is_scaled=False))
    sheared = fixed.index_to_patient.copy()
    sheared[1, 0] = 3.0
    with pytest.raises(ReadError, match="sheared"):
        register_volumes(fixed, replace(fixed, index_to_patient=sheared))
    with pytest.raises(ValueError, match="too flat"):
        register_volumes(fixed, replace(fixed, pixels=fixed.pixels[:2]))
    with pytest.raises(ValueError, match="rigid"):
        register_volumes(fixed, fixed, freedom="elastic")


def test_it_can_be_cancelled():
    kinds, place = head()

    def progress(fraction, _message):
        if fraction > 0.1:
            raise Cancelled

    with pytest.raises(Cancelled):
        register_volumes(as_mr(kinds, place), as_ct(kinds, place), search_deg=15, progress=progress)


def test_only_what_an_earlier_result_made_is_replaced(found, tmp_path):
    _, _, result = found
    write_volume_folder(result, tmp_path)
    check_volume_folder(tmp_path)
    (tmp_path / "matrix_lps_mm.csv").write_text("by hand")
    with pytest.raises(WriteError, match=r"matrix_lps_mm\.csv was changed after it was written") as error:
        check_volume_folder(tmp_path)
    assert error.value.wants == "overwrite"
    check_volume_folder(tmp_path, overwrite=True)
    (tmp_path / "volume_registration.json").unlink()
    with pytest.raises(WriteError, match=r"holds a file fixed_to_moving\.tfm that was not made there"):
        check_volume_folder(tmp_path)
