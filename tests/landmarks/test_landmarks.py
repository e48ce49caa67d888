"""Landmarks are values: edits give new ones."""

import numpy as np
import pytest

from napari_histreg.landmarks import Landmarks

THREE = Landmarks.of([[0, 0], [1, 2], [3, 4]], [[5, 5], [6, 7], [8, 9]], confidence=[0.1, 0.2, 0.3])


def test_edits_leave_the_original_alone() -> None:
    before = Landmarks.of([[0, 0], [1, 2], [3, 4]], [[5, 5], [6, 7], [8, 9]], confidence=[0.1, 0.2, 0.3])
    THREE.with_pair([1, 1], [2, 2])
    THREE.without(0)
    THREE.moved("2", fixed=[9, 9])
    THREE.renamed(0, "vessel")
    THREE.switched(1, False)
    assert before == THREE
    with pytest.raises(ValueError, match="read-only"):
        THREE.fixed[0, 0] = 1


def test_a_new_pair_gets_a_name_of_its_own() -> None:
    assert THREE.with_pair([0, 0], [0, 0]).names == ("1", "2", "3", "4")
    assert THREE.without("3").without("1").with_pair([0, 0], [0, 0]).names == ("2", "3")
    assert THREE.with_pair([0, 0], [0, 0], name="gland").names[-1] == "gland"
    assert Landmarks.empty().with_pair([0, 0], [0, 0]).names == ("1",)


def test_a_half_placed_pair_waits() -> None:
    half = THREE.with_pair([7, 7], None)
    assert len(half) == 4
    assert not half.placed[3]
    assert len(half.active()) == 3
    whole = half.moved("4", moving=[1, 1])
    assert len(whole.active()) == 4
    assert np.isnan(half.moving[3]).all()


def test_moving_a_point_moves_only_it() -> None:
    moved = THREE.moved(1, moving=[60, 70])
    assert moved.moving.tolist() == [[5, 5], [60, 70], [8, 9]]
    assert moved.fixed.tolist() == THREE.fixed.tolist()


def test_switched_off_pairs_do_not_count() -> None:
    off = THREE.switched("2", False)
    assert off.active().names == ("1", "3")
    assert off.switched("2", True) == THREE


def test_leaving_out_and_choosing() -> None:
    assert THREE.without("1", 2).names == ("2",)
    assert THREE.subset([2, 0]).names == ("3", "1")
    assert THREE.subset([2, 0]).confidence.tolist() == [0.3, 0.1]
    assert THREE.swapped().fixed.tolist() == THREE.moving.tolist()
    assert THREE.swapped().swapped() == THREE


def test_confidence_appears_when_it_is_given() -> None:
    plain = Landmarks.of([[0, 0]], [[1, 1]])
    assert plain.with_pair([0, 0], [1, 1]).confidence is None
    mixed = plain.with_pair([0, 0], [1, 1], confidence=0.5).confidence
    assert np.isnan(mixed[0])
    assert mixed[1] == 0.5


def test_equality_sees_everything() -> None:
    assert THREE.renamed(0, "x") != THREE
    assert THREE.switched(0, False) != THREE
    assert THREE.moved(0, fixed=[0, 1]) != THREE
    assert Landmarks.of(THREE.fixed, THREE.moving) != THREE
    assert Landmarks.empty().with_pair(None, [1, 1]) == Landmarks.empty().with_pair(None, [1, 1])
    assert THREE != "landmarks"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[0, 0]], [[0, 0], [1, 1]]), "1 fixed points but 2 moving points"),
        (([[0, 0]], [[0, 0]], ["a", "b"]), "2 names"),
        (([[0, 0], [1, 1]], [[0, 0], [1, 1]], ["a", "a"]), "called 'a'"),
        (([[0, np.inf]], [[0, 0]]), "infinity"),
        (([0, 0], [[0, 0]]), "table"),
        (([[0, 0, 0]], [[0, 0]]), "table"),
    ],
)
def test_what_makes_no_landmarks(arguments: tuple, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Landmarks.of(*arguments)


@pytest.mark.parametrize("pair", [3, -1, "vessel"])
def test_a_pair_that_is_not_there(pair: int | str) -> None:
    with pytest.raises(ValueError, match="no landmark"):
        THREE.switched(pair, False)


def test_pairs_are_known_again_without_their_names():
    pairs = Landmarks.of([[0, 0], [0, 900.5], [70, 3]], [[5, 5], [9, 9], [1, 2]])
    renamed = Landmarks.of(pairs.fixed[[2, 0]] + 1e-9, pairs.moving[[2, 0]], ("x", "y"))
    assert pairs.holds(renamed)
    assert not renamed.holds(pairs)
    assert not pairs.holds(Landmarks.of(pairs.fixed, pairs.moving + 0.1))
    assert not pairs.holds(Landmarks.empty())
    assert not Landmarks.empty().holds(pairs)
