"""Mutual information of slices that share few edges: found at any turn, refused where they do not belong."""

import numpy as np
import pytest

from napari_histreg.cell_agreement import CellAgreement
from napari_histreg.errors import NotConverged
from napari_histreg.matching.related_evidence import RelatedEvidence
from napari_histreg.methods.intensity.all_turns import swept_finding
from napari_histreg.methods.intensity.stretching import is_stretch_proven, nearest_rigid
from napari_histreg.progress import silent
from napari_histreg.registration.related_verdict import judge_related
from napari_histreg.transforms import Rigid
from related_planes import modalities, moved_plane, off_px


def swept(fixed, moving, **wishes):
    wishes = {"freedom": "rigid", "search_deg": 20.0, "failure": "Edges failed.", "progress": silent} | wishes
    return swept_finding(fixed, moving, wishes.pop("initial", None), **wishes)


def test_a_slice_turned_at_will_is_accepted():
    fixed, other = modalities()
    moving, truth = moved_plane(other, -140.0, (5.0, 7.0))
    found = swept(fixed, moving)
    assert off_px(found.fixed_to_moving.matrix, truth) < 1.0
    verdict = judge_related(found.related)
    assert verdict.word == "accepted"
    assert len(verdict.reasons) == 3


def test_a_start_is_kept_to_and_what_is_far_from_it_is_no_answer():
    fixed, other = modalities()
    moving, _ = moved_plane(other, 100.0, (3.0, 2.0))
    with pytest.raises(NotConverged, match="turned by up to 20 degrees"):
        swept(fixed, moving, initial=Rigid(np.eye(3)))


def test_a_stretch_is_believed_only_where_it_is_worth_something():
    fixed, other = modalities()
    rigid, stretched = np.eye(3), np.diag([1.12, 0.9, 1.0])
    assert is_stretch_proven(fixed, other, stretched, rigid, gain=1.3)
    assert not is_stretch_proven(fixed, other, stretched, rigid, gain=1.05)
    assert is_stretch_proven(fixed, other, rigid, stretched, gain=1.05)
    middle = np.array([10.0, 20.0])
    near = nearest_rigid(stretched, middle)
    assert np.allclose(near[:2, :2], np.eye(2))
    assert np.allclose(near[:2, :2] @ middle + near[:2, 2], stretched[:2, :2] @ middle)


@pytest.mark.parametrize(
    ("all_of", "inside", "margin"), [(20, 2, 1.5), (20, 15, 1.0), (4, 15, 1.5), (0, 0, 2.0)]
)
def test_one_measure_that_fails_is_enough_to_refuse(all_of, inside, margin):
    evidence = RelatedEvidence(CellAgreement(all_of, 30, 0.11), CellAgreement(inside, 30, 0.11), margin)
    assert judge_related(evidence).word == "refused"
