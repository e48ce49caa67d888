import numpy as np
import pytest

from napari_histreg.plugin.models import ChosenSlide, Session
from napari_histreg.plugin.models.hints import (
    has_prediction,
    is_doubtful,
    notes,
    obstacle,
    summary,
    what_next,
)
from napari_histreg.slides import Slide
from napari_histreg.transforms import Translation

ACTIONS = [
    "click", "undo", "redo", "turn", "drag", "snap", "where next", "lock", "delete", "save", "follow",
    "automatic pairs",
]  # fmt: skip


def add(session: Session, count: int) -> None:
    points = np.array([[10.0, 10], [80, 20], [70, 120], [15, 110]])
    for point in points[:count]:
        session.add_pair(point, Translation.of((1, 2))([point])[0])


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_can_be_done_without_slides_and_the_reason_is_said(action: str) -> None:
    assert obstacle(Session(), action)


def test_an_unknown_action_is_an_error(session: Session) -> None:
    with pytest.raises(KeyError):
        obstacle(session, "dance")


def test_advice_leads_from_slides_to_pairs(session: Session, fixed_slide: Slide) -> None:
    assert "Open two slides" in what_next(Session(), placing=False)
    same = Session()
    same.choose(ChosenSlide("f", fixed_slide), ChosenSlide("f", fixed_slide))
    assert "same slide" in what_next(same, placing=True)
    assert "Click pairs" in what_next(session, placing=False)
    assert "fixed slide" in what_next(session, placing=True)
    session.click("fixed", [1, 1])
    assert "moving slide (pair 1)" in what_next(session, placing=True)
    session.click("moving", [2, 2])
    assert "far away" in what_next(session, placing=True)


def test_the_ring_is_named_once_there_is_one(session: Session) -> None:
    add(session, 2)
    session.click("moving", [50, 50])
    text = what_next(session, placing=True)
    assert "fixed slide" in text
    assert "ring" in text


@pytest.mark.parametrize(("count", "possible"), [(0, False), (1, False), (2, True)])
def test_guided_steps_need_two_pairs(session: Session, count: int, possible: bool) -> None:
    add(session, count)
    assert has_prediction(session) == possible
    for action in ("snap", "where next", "lock"):
        assert (obstacle(session, action) == "") == possible


def test_pairs_hold_the_slide_unless_they_only_measure(session: Session) -> None:
    add(session, 1)
    assert obstacle(session, "turn") == ""
    assert "pairs hold" in obstacle(session, "drag")
    add(session, 2)
    assert "pairs hold" in obstacle(session, "turn")
    session.set_follow(False)
    assert obstacle(session, "turn") == ""
    assert obstacle(session, "drag") == ""


def test_undo_and_redo_are_possible_when_there_is_something(session: Session) -> None:
    assert "nothing to undo" in obstacle(session, "undo")
    add(session, 1)
    assert obstacle(session, "undo") == ""
    assert obstacle(session, "redo")
    session.undo()
    assert obstacle(session, "redo") == ""


def test_summary_says_what_decides(session: Session) -> None:
    assert summary(session) == "Placement: as the layers lie."
    session.turn("turn left")
    assert "turned by hand" in summary(session)
    add(session, 1)
    assert summary(session) == "Translation by 1 pair; nothing checks it yet."
    add_more = np.array([[5.0, 90], [90, 90], [40, 50]])
    for point in add_more:
        session.add_pair(point, point + 3)
    assert "by 4 pairs" in summary(session)
    assert "µm" in summary(session)
    session.set_follow(False)
    assert "only measure" in summary(session)


def test_doubt_is_told_from_remarks(session: Session) -> None:
    add(session, 2)
    assert notes(session)
    assert not is_doubtful(session)
    line = Session()
    line.choose(session.fixed, session.moving)
    for x in (0, 10, 20, 30):
        line.add_pair([0, x], [0, x])
    line.set_model("affine")
    assert is_doubtful(line)
