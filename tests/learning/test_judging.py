"""Blocks prefer the true bend to the affine map, and to half of it; a wrong one they refuse."""

import numpy as np
import pytest

from bent import BASE, bend, bent_pair
from napari_histreg.learning.judging import prefer
from napari_histreg.methods.signal import comparable_pair


@pytest.fixture(scope="module")
def preferences():
    case = bent_pair(5.0)
    pictures = comparable_pair(case.fixed, case.moving)
    bends = {"true": bend(5.0), "half": bend(2.0), "wrong": bend(-5.0), "none": bend(0.0)}
    return prefer(*pictures, BASE.matrix, bends)


def test_the_truth_wins(preferences):
    assert preferences["true"].is_confirmed
    assert preferences["true"].gain > preferences["half"].gain > preferences["none"].gain
    assert preferences["none"].gain == pytest.approx(0, abs=1e-3)


def test_what_is_wrong_or_nothing_is_not_confirmed(preferences):
    assert not preferences["wrong"].is_confirmed
    assert not preferences["none"].is_confirmed
    assert preferences["wrong"].gain < 0


def test_without_overlap_nothing_is_said():
    case = bent_pair(5.0)
    away = np.eye(3)
    away[:2, 2] = 1e6
    assert prefer(*comparable_pair(case.fixed, case.moving), away, {}) == {}
