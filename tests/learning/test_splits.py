"""No specimen is on both sides of a split, whatever the table."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_histreg.learning.splits import fold_splits, split_by_specimen

NAMES = st.lists(st.sampled_from("abcdefgh"), min_size=4, max_size=40).filter(lambda n: len(set(n)) >= 3)


@settings(max_examples=60, deadline=None)
@given(NAMES, st.floats(0.05, 0.9), st.integers(0, 1000))
def test_a_specimen_is_in_one_set_only(names, held_back, seed):
    split = split_by_specimen(names, held_back, seed)
    assert sorted(split.training + split.validation) == list(range(len(names)))
    assert not {names[k] for k in split.training} & {names[k] for k in split.validation}
    assert split.training
    assert split.validation


@settings(max_examples=60, deadline=None)
@given(NAMES, st.integers(2, 3), st.integers(0, 1000))
def test_every_pair_is_tested_once_by_what_never_saw_its_specimen(names, folds, seed):
    splits = fold_splits(names, folds, 0.3, seed)
    assert sorted(k for split in splits for k in split.test) == list(range(len(names)))
    for split in splits:
        tested = {names[k] for k in split.test}
        assert not tested & {names[k] for k in split.training + split.validation}
        assert not {names[k] for k in split.training} & {names[k] for k in split.validation}


def test_too_few_specimens_are_named():
    with pytest.raises(ValueError, match="one specimen"):
        split_by_specimen(["a", "a"], 0.5, 0)
    with pytest.raises(ValueError, match="5 folds need at least 5 specimens; the table has 3"):
        fold_splits(["a", "b", "c"], 5, 0.2, 0)
