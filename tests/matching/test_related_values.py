"""Images whose values are related come onto one another at any turn; others are not confirmed."""

import numpy as np
import pytest

from napari_histreg.matching.related_evidence import weigh_related
from napari_histreg.matching.related_values import RelatedValues, background_level, ranked, with_background
from related_planes import modalities


def test_another_inside_of_the_same_outline_is_not_confirmed():
    fixed, _ = modalities(seed=0)
    _, other = modalities(seed=5)
    a, b = with_background(fixed), with_background(other)
    evidence = weigh_related(a, b, np.eye(3), 1.3)
    assert evidence.confidence < 0.25, evidence


def test_neither_gain_nor_window_counts():
    fixed, other = modalities()
    plain = RelatedValues(fixed, other, 64)(np.eye(3))
    brighter = type(other)(0.4 * other.channels, other.frame, other.mask)
    assert RelatedValues(fixed, brighter, 64)(np.eye(3)) == pytest.approx(plain, rel=1e-3)


def test_background_is_laid_where_a_picture_ends_in_it():
    fixed, _ = modalities()
    wide = with_background(fixed)
    assert wide.frame.shape[0] > fixed.frame.shape[0]
    row, column = (np.array(fixed.frame.origin) - wide.frame.origin).astype(int)
    rows, columns = fixed.frame.shape
    assert np.array_equal(wide.channels[0, row : row + rows, column : column + columns], fixed.channels[0])
    # The specimen that is cut off goes on.
    cut = type(fixed)(
        fixed.channels[:, 40:],
        type(fixed.frame)((fixed.frame.shape[0] - 40, fixed.frame.shape[1]), (1.0, 1.0), (40.0, 0.0)),
    )
    assert with_background(cut).frame.origin[0] == 40.0


def test_air_that_is_masked_is_background_all_the_same():
    fixed, other = modalities(noise=0.0)
    masked = [type(p)(p.channels, p.frame, p.channels[0] > 0.001) for p in (fixed, other)]
    scores = [RelatedValues(*map(with_background, pair), 64)(np.eye(3)) for pair in ((fixed, other), masked)]
    assert scores[1] == pytest.approx(scores[0], rel=0.02)


def test_ranks_are_even_and_background_is_below_one():
    fixed, _ = modalities()
    plane = fixed.channels[0]
    ranks = ranked(plane, fixed.mask, 6)
    assert (ranks[plane <= background_level(plane)] <= 1).all()
    assert (
        np.ptp(np.bincount(np.floor(ranks[ranks >= 1]).astype(int), minlength=6)[1:5])
        < 0.2 * (ranks >= 1).sum()
    )
