import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_histreg.projections.gauge import fix_gauge, rms_without_gauge, without_harmonics

ANGLES = np.radians(np.arange(0, 180, 3.0))
NUMBERS = st.floats(-50, 50)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_another_place_of_the_body_is_no_error(height, constant, a, b):
    jitter = np.random.default_rng(0).normal(size=(60, 2))
    moved = jitter + np.stack([np.full(60, height), constant + a * np.cos(ANGLES) + b * np.sin(ANGLES)], 1)
    assert max(rms_without_gauge(moved, jitter, ANGLES)) < 1e-9


def test_the_constant_is_the_axis():
    shifts = np.stack([np.zeros(60), 41.5 + 7 * np.cos(ANGLES)], 1)
    fixed, constant = fix_gauge(shifts, ANGLES)
    assert abs(constant - 41.5) < 1e-9
    assert np.abs(fixed).max() < 1e-9


def test_real_errors_are_not_taken_out():
    wave = np.stack([np.zeros(60), np.cos(4 * ANGLES)], 1)
    assert rms_without_gauge(wave, 0 * wave, ANGLES)[1] > 0.6


def test_frames_left_out_do_not_pull():
    values = 3 + np.cos(ANGLES)
    values[7] += 100
    used = np.ones(60, bool)
    used[7] = False
    left, _ = without_harmonics(values, ANGLES, used)
    assert np.abs(left[used]).max() < 1e-9
    assert abs(left[7] - 100) < 1e-9
