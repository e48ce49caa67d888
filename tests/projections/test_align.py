import itertools

import numpy as np
import pytest
from scipy import ndimage

from napari_histreg.errors import Cancelled, NoTissue, RegistrationError
from napari_histreg.projections import align_projections, open_projections
from napari_histreg.projections.gauge import fix_gauge, rms_without_gauge
from napari_histreg.samples import phantom_projections
from projections_truth import error


@pytest.fixture(scope="module")
def found(scan):
    return align_projections(scan.frames, scan.angles_deg)


def test_jitter_and_axis_are_found_and_accepted(found, scan):
    assert found.verdict == "accepted"
    assert error(found, scan) < 0.1
    truth = fix_gauge(scan.shifts_px + np.array([0, scan.axis_px]), np.radians(scan.angles_deg))[1]
    assert set(found.axis_ways) == {"opposite", "vo", "entropy", "mass"}
    assert abs(found.axis_px - truth) < 0.2
    assert not found.left_out


def test_the_expected_error_is_near_the_true_one(found, scan):
    assert error(found, scan) / 3 < max(found.error_px) < error(found, scan) * 4


def test_a_drift_that_views_hide_from_one_another_is_said():
    scan = phantom_projections(90, (64, 64), jitter_px=3, noise=0.03)
    found = align_projections(scan.frames, scan.angles_deg, method="correlation", must_find=False)
    assert error(found, scan) / 2 < max(found.error_px) < error(found, scan) * 2


def test_shifts_keep_the_convention(found, scan):
    fixed, constant = fix_gauge(found.shifts_px, np.radians(scan.angles_deg))
    assert np.allclose(fixed, found.shifts_px, atol=1e-6)
    assert abs(constant) < 1e-6


def test_aligned_frames_lie_where_they_should(found, scan):
    still = phantom_projections(60, (64, 64), jitter_px=0, noise=0, axis_offset_px=2, seed=1)
    radians = np.radians(scan.angles_deg)
    # The body's place is a matter of convention: move the still frames there too.
    gauge = scan.shifts_px - found.shifts_px
    for view in (0, 17, 59):
        mine = found.aligned(scan.frames[view], view)
        theirs = ndimage.shift(still.frames[view], gauge[view], order=3)
        assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] > 0.99
    assert radians.size == 60


@pytest.mark.parametrize("tilt", [-2.0, pytest.param(2.0, marks=pytest.mark.thorough)])
def test_a_leaning_axis_is_found_and_turned_upright(tilt):
    scan = phantom_projections(121, (96, 96), jitter_px=3, noise=0.01, tilt_deg=tilt, range_deg=181.5)
    found = align_projections(scan.frames, scan.angles_deg)
    assert abs(found.tilt_deg - tilt) < 0.4
    assert error(found, scan) < 0.2


def test_large_jitter_and_a_limited_range():
    scan = phantom_projections(80, (72, 72), jitter_px=9, noise=0.03, range_deg=120)
    found = align_projections(scan.frames, scan.angles_deg)
    assert error(found, scan) < 0.3
    assert any("no half turn" in note for note in found.notes)


def test_a_body_that_leaves_the_field_is_said_and_never_accepted():
    scan = phantom_projections(60, (64, 64), body=0.6, jitter_px=3, noise=0.02)
    found = align_projections(scan.frames, scan.angles_deg, must_find=False)
    assert found.verdict in ("doubtful", "refused")
    assert any("leaves the field" in reason for reason in found.reasons)
    assert error(found, scan) < 1


def test_bad_frames_are_marked_and_the_others_as_before(found, scan):
    other = phantom_projections(60, (64, 64), jitter_px=4, noise=0.02, seed=9)
    frames = scan.frames.copy()
    frames[11] = 0
    frames[23] = ndimage.shift(scan.frames[23], (0, 20), order=1)
    frames[42] = other.frames[20]
    again = align_projections(frames, scan.angles_deg)
    assert set(again.left_out) == {11, 23, 42}
    both = again.used
    radians = np.radians(scan.angles_deg)
    assert max(rms_without_gauge(again.shifts_px, found.shifts_px, radians, both)) < 0.05
    assert again.verdict == "accepted"


def test_noise_is_refused():
    frames = np.random.default_rng(0).normal(size=(24, 32, 32)).astype(np.float32)
    angles = np.arange(0, 180, 7.5)
    with pytest.raises(RegistrationError, match="could not be aligned"):
        align_projections(frames, angles)
    assert align_projections(frames, angles, must_find=False).verdict == "refused"


def test_views_in_a_wrong_order_are_not_accepted(scan):
    shuffled = np.random.default_rng(0).permutation(60)
    found = align_projections(scan.frames[shuffled], scan.angles_deg, must_find=False)
    assert found.verdict != "accepted"


def test_empty_frames_are_answered_with_a_sentence():
    with pytest.raises(NoTissue, match="no views of a body"):
        align_projections(np.ones((20, 32, 32)), "0:180", must_find=False)


def test_binning_keeps_pixels_of_the_detector(scan):
    found = align_projections(scan.frames, scan.angles_deg, working_px=32)
    assert found.bin == 2
    assert error(found, scan) < 0.3


def test_an_opened_series_has_its_angles(scan):
    with open_projections(scan.frames, scan.angles_deg, pixel_size_um=0.5) as series:
        found = align_projections(series, method="mass", must_find=False)
        assert np.allclose(found.shifts_um, found.shifts_px / 2)
        with pytest.raises(ValueError, match="has its angles"):
            align_projections(series, scan.angles_deg)


def test_it_can_be_stopped(scan):
    def stop(fraction, message):
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        align_projections(scan.frames, scan.angles_deg, progress=stop)


def test_progress_runs_forwards(scan):
    seen = []
    align_projections(scan.frames[::2], scan.angles_deg[::2], progress=lambda f, m: seen.append(f))
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(seen))


def test_parameters_are_checked(scan):
    with pytest.raises(ValueError, match="rounds"):
        align_projections(scan.frames, scan.angles_deg, rounds=0)
    with pytest.raises(ValueError, match="Its parameters are: none"):
        align_projections(scan.frames, scan.angles_deg, method="mass", rounds=3)
