import numpy as np
import pytest

from group_truth import Truth, corner_motion, placed
from napari_histreg.groups.assembly import assemble
from napari_histreg.groups.choice import AnyOrder, InOrder
from napari_histreg.groups.hand_links import hand_links
from napari_histreg.groups.wishes import Wishes
from napari_histreg.landmarks import Landmarks

FIVE = Truth.random(5)
NAMES = [slide.name for slide in FIVE.slides]
SPOTS = np.array([[200.0, 150.0], [800.0, 300.0], [500.0, 850.0], [300.0, 600.0]])


def clicked(i, j, *, off=(0.0, 0.0)):
    """Click the same four spots on two slides."""
    return Landmarks.of(SPOTS, FIVE.between(i, j)(SPOTS) + off)


def test_either_slide_may_be_the_fixed_one_and_the_names_decide_the_places():
    links = hand_links({(3, 1): clicked(3, 1)}, NAMES, places=[4, 3, 2, 1, 0])
    assert [link.ends for link in links] == [(1, 3)]
    assert np.allclose(links[0].outcome.fixed_to_moving(SPOTS), FIVE.between(3, 1)(SPOTS))
    back = hand_links({(3, 1): clicked(3, 1)}, NAMES)[0]
    assert back.ends == (1, 3)
    assert np.allclose(back.outcome.fixed_to_moving(clicked(3, 1).moving), SPOTS)


def test_pairs_that_are_clicked_both_ways_round_are_one_link():
    there, back = clicked(0, 2).subset([0, 1]), clicked(2, 0).subset([2, 3])
    (link,) = hand_links({(0, 2): there, (2, 0): back}, NAMES)
    assert len(link.outcome.landmarks) == 4
    found = link.outcome.fixed_to_moving(SPOTS)
    assert np.allclose(found, FIVE.between(0, 2)(SPOTS), atol=30)


@pytest.mark.parametrize(
    ("landmarks", "said"),
    [
        ({(0, 7): clicked(0, 1)}, "slide 7, and there are 5"),
        ({(2, 2): clicked(2, 2)}, r"both are s2\.tif"),
        ({(0, 1): clicked(0, 1).subset([0, 1])}, r"s0\.tif and s1\.tif have 2 pairs.*takes 3"),
        ({(0, 1): clicked(0, 1).switched(0, False).switched(1, False)}, "have 2 pairs"),
    ],
)
def test_landmarks_that_say_nothing_are_named(landmarks, said):
    with pytest.raises(ValueError, match=said):
        hand_links(landmarks, NAMES)


def test_a_link_by_hand_places_a_slide_that_nothing_else_fits_and_is_never_contradicted():
    auto = [FIVE.link(i, j) for i in range(4) for j in range(i + 1, 4)]
    auto += [FIVE.link(k, 4, verdict="refused", confidence=0.1) for k in range(3)]
    found = assemble(FIVE.slides, auto + hand_links({(3, 4): clicked(3, 4)}, NAMES), Wishes(frame=0))
    assert found.members[4].verdict == "accepted"
    away = FIVE.errors(placed(found.members), 0)
    assert away[4] < 1e-6
    # Clicked 30 µm off, it is believed all the same: a person has said so.
    wrong = hand_links({(0, 1): clicked(0, 1, off=(30.0, 0.0))}, NAMES)
    others = [link for link in auto if link.ends != (0, 1)]
    pulled = assemble(FIVE.slides, others + wrong, Wishes(frame=0))
    link = next(link for link in pulled.links if link.by_hand)
    assert (link.state, link.weight) == ("used", 1.0)
    before, after = (group.members[1].frame_to_slide for group in (found, pulled))
    assert corner_motion(before, after) > 1.0


def test_pairs_joined_by_hand_do_not_end_the_choice_of_others():
    joined = hand_links({(1, 0): clicked(1, 0)}, NAMES)
    some = AnyOrder(np.ones((4, 4)) - np.eye(4)).further(joined)
    assert some == [(0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    assert (0, 1) not in InOrder(5).further(joined)
    many = AnyOrder(np.abs(np.subtract.outer(np.arange(8.0), np.arange(8.0)))).further(joined)
    assert {k for ends in many for k in ends} == set(range(8))
