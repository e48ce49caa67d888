"""Every row of the table keeps its word on a body that stays inside the field."""

import numpy as np
import pytest

from napari_histreg.errors import NotEnoughMatches
from napari_histreg.projections.gauge import fix_gauge, rms_without_gauge
from napari_histreg.projections.registry import (
    PROJECTION_METHODS,
    find_projection_method,
    projection_method_class,
)
from napari_histreg.projections.work import WorkStack
from napari_histreg.samples import phantom_projections


@pytest.fixture(scope="module")
def stack(scan):
    return WorkStack(scan.frames, np.radians(scan.angles_deg), np.ones(len(scan.frames), bool))


@pytest.mark.parametrize("spec", PROJECTION_METHODS, ids=lambda spec: spec.name)
def test_a_method_keeps_its_tolerance(spec, stack, scan):
    method = projection_method_class(spec.name)()
    assert method.name == spec.name
    assert spec.doi
    found = method.estimate(stack)
    before = max(rms_without_gauge(0 * scan.shifts_px, scan.shifts_px, stack.angles_rad))
    placed = ~np.isin(np.arange(stack.count), found.lost)
    after = max(rms_without_gauge(found.shifts, scan.shifts_px, stack.angles_rad, placed))
    assert after < spec.tolerance_px < before / 2, (after, before)
    if "axis" in spec.kinds:
        truth = fix_gauge(scan.shifts_px + np.array([0, scan.axis_px]), stack.angles_rad)[1]
        assert abs(found.axis - truth) < 0.3


@pytest.mark.thorough
def test_frames_left_out_change_nothing_for_the_others(stack, scan):
    frames = scan.frames.copy()
    frames[[4, 30]] = np.random.default_rng(0).normal(0, 0.3, frames[:2].shape)
    left_out = np.isin(np.arange(60), [4, 30])
    bad = WorkStack(frames, stack.angles_rad, ~left_out)
    for spec in PROJECTION_METHODS:
        if spec.name in ("features",):
            continue
        found = projection_method_class(spec.name)().estimate(bad)
        after = max(rms_without_gauge(found.shifts, scan.shifts_px, stack.angles_rad, ~left_out))
        assert after < spec.tolerance_px * 1.2, (spec.name, after)


def test_re_projection_needs_no_whole_body():
    scan = phantom_projections(60, (64, 64), body=0.6, jitter_px=3, noise=0.02)
    stack = WorkStack(scan.frames, np.radians(scan.angles_deg), np.ones(60, bool))
    assert not stack.is_whole
    joint = projection_method_class("joint")().estimate(stack)
    moments = projection_method_class("moments")().estimate(stack)
    errors = [max(rms_without_gauge(e.shifts, scan.shifts_px, stack.angles_rad)) for e in (joint, moments)]
    assert errors[0] < 0.5
    assert errors[0] < errors[1]


def test_features_refuse_a_body_without_detail():
    frames = np.zeros((20, 40, 40), np.float32)
    frames[:, 10:30, 10:30] = 1
    stack = WorkStack(frames, np.radians(np.arange(0, 180, 9.0)), np.ones(20, bool))
    with pytest.raises(NotEnoughMatches, match="joint"):
        projection_method_class("features")().estimate(stack)


def test_an_unknown_method_is_answered_with_the_list():
    with pytest.raises(ValueError, match="joint, reprojection"):
        find_projection_method("magic")
