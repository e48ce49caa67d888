from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.models import ChosenSlide, Session, SessionState
from napari_histreg.registration import Outcome, Registration, SlideRecord
from napari_histreg.slides import Slide, open_slide
from napari_histreg.transforms import Affine, Similarity, Translation


def registration(session: Session, transform: Affine) -> Registration:
    assert session.fixed is not None
    assert session.moving is not None
    return Registration(
        SlideRecord.of(session.fixed.slide),
        SlideRecord.of(session.moving.slide),
        Outcome(transform, "accepted", 0.9, ("fits",), Landmarks.of([[0, 0]], [[1, 1]])),
        "automatic",
    )


def four_pairs(session: Session, truth: Affine) -> list[int]:
    points = np.array([[10.0, 10], [80, 20], [70, 120], [15, 110]])
    return [session.add_pair(p, truth([p])[0]) for p in points]


def test_clicks_alternate_between_the_sides(session: Session) -> None:
    assert session.next_side == "fixed"
    first = session.click("fixed", [5, 5])
    assert session.next_side == "moving"
    assert session.click("moving", [6, 7]) == first
    assert session.next_side == "fixed"
    np.testing.assert_array_equal(session.landmarks.moving, [[6, 7]])


def test_a_pair_may_begin_in_the_moving_slide(session: Session) -> None:
    session.click("moving", [6, 7])
    assert session.next_side == "fixed"
    session.click("fixed", [5, 5])
    assert session.next_side == "moving"
    assert session.state.usable_count == 1


def test_a_second_click_on_the_same_side_moves_the_waiting_point(session: Session) -> None:
    pair = session.click("fixed", [5, 5])
    assert session.click("fixed", [9, 9]) == pair
    assert len(session.landmarks) == 1
    np.testing.assert_array_equal(session.landmarks.fixed, [[9, 9]])
    session.undo()
    np.testing.assert_array_equal(session.landmarks.fixed, [[5, 5]])


def test_the_moving_slide_follows_from_the_first_pair_on(session: Session) -> None:
    seen: list[Any] = []
    session.events.transform_changed.connect(seen.append)
    session.add_pair([0, 0], [3, 4])
    np.testing.assert_allclose(seen[-1]([[0, 0]]), [[3, 4]])
    assert session.origin == "landmarks"


def test_ids_stay_with_their_pairs(session: Session) -> None:
    ids = four_pairs(session, Translation.of((1, 2)))
    session.delete_pairs([ids[1]])
    session.move_point(ids[2], "fixed", [71, 121])
    np.testing.assert_array_equal(session.landmarks.fixed[session.state.index(ids[2])], [71, 121])
    new = session.add_pair([1, 1], [2, 3])
    assert new not in ids
    with pytest.raises(ValueError, match="no pair"):
        session.move_point(ids[1], "fixed", [0, 0])


def test_undone_ids_are_not_taken_for_other_pairs(session: Session) -> None:
    first = session.add_pair([1, 1], [1, 1])
    session.undo()
    assert session.state.pair_ids == ()
    session.redo()
    assert session.state.pair_ids == (first,)


def test_a_pair_switched_off_does_not_pull(session: Session) -> None:
    ids = four_pairs(session, Translation.of((1, 2)))
    session.move_point(ids[0], "moving", [90, 90])
    assert not np.allclose(session.fixed_to_moving([[50, 50]]), [[51, 52]], atol=0.1)
    session.switch_pair(ids[0], False)
    np.testing.assert_allclose(session.fixed_to_moving([[50, 50]]), [[51, 52]], atol=1e-6)


def test_names_are_kept_apart(session: Session) -> None:
    ids = four_pairs(session, Affine.identity())
    session.rename_pair(ids[0], " vessel ")
    assert session.landmarks.names[0] == "vessel"
    with pytest.raises(ValueError, match="vessel"):
        session.rename_pair(ids[1], "vessel")
    with pytest.raises(ValueError, match="needs a name"):
        session.rename_pair(ids[1], "  ")


def test_a_rename_or_move_to_what_is_there_makes_no_history(session: Session) -> None:
    pair = session.add_pair([1, 1], [2, 2])
    label = session.undo_label
    session.rename_pair(pair, "1")
    session.move_point(pair, "fixed", [1, 1])
    session.switch_pair(pair, True)
    session.set_model("auto")
    session.set_follow(True)
    session.delete_pairs([99])
    assert session.undo_label == label


def test_model_can_be_chosen(session: Session) -> None:
    four_pairs(session, Similarity.of(scale=1.1, angle_deg=20))
    session.set_model("affine")
    assert session.state.fit is not None
    assert session.state.fit.model == "affine"
    session.undo()
    assert session.state.model == "auto"


def test_an_automatic_result_stands_until_the_pairs_are_to_decide(session: Session) -> None:
    four_pairs(session, Translation.of((1, 2)))
    found = registration(session, Affine(Translation.of((10, 20)).matrix))
    session.accept_registration(found)
    assert session.origin == "automatic"
    assert session.registration is found
    np.testing.assert_allclose(session.fixed_to_moving([[0, 0]]), [[10, 20]])
    residual = np.linalg.norm(session.state.pair_fit.residual_vectors, axis=1)
    np.testing.assert_allclose(residual, np.hypot(9, 18))
    session.add_pair([50, 50], [51, 52])
    assert session.origin == "automatic"
    session.set_follow(True)
    assert session.origin == "landmarks"
    np.testing.assert_allclose(session.fixed_to_moving([[0, 0]]), [[1, 2]], atol=1e-6)


def test_landmarks_can_be_exchanged_for_others(session: Session) -> None:
    ids = four_pairs(session, Affine.identity())
    session.accept_registration(registration(session, Affine.identity()))
    session.replace_landmarks(Landmarks.of([[0, 0], [5, 50]], [[1, 1], [6, 51]]), "edit as landmarks")
    assert session.origin == "landmarks"
    assert not set(ids) & set(session.state.pair_ids)
    assert session.undo_label == "edit as landmarks"


@pytest.mark.parametrize("turn", ["flip left-right", "flip up-down", "turn left", "turn right"])
def test_turns_keep_the_centre_of_the_moving_slide_in_place(session: Session, turn: str) -> None:
    assert session.moving is not None
    slide = session.moving.slide
    centre = [((slide.shape[0] - 1) / 2 * 0.4, (slide.shape[1] - 1) / 2 * 0.4)]
    before = session.fixed_to_moving.inverse()(centre)
    session.turn(turn)
    np.testing.assert_allclose(session.fixed_to_moving.inverse()(centre), before, atol=1e-9)
    assert session.origin == "turned"
    assert isinstance(session.fixed_to_moving, Affine)
    assert session.fixed_to_moving.mirrored == turn.startswith("flip")


def test_turn_left_is_counter_clockwise_on_screen(session: Session) -> None:
    assert session.moving is not None
    session.turn("turn left")
    back = session.fixed_to_moving.inverse()
    # What points right in the moving slide points up on screen: to smaller y.
    here, right = back([[40.0, 40.0], [40.0, 50.0]])
    np.testing.assert_allclose(right - here, [-10, 0], atol=1e-9)


def test_flip_left_right_exchanges_left_and_right(session: Session) -> None:
    session.turn("flip left-right")
    here, right = session.fixed_to_moving.inverse()([[40.0, 40.0], [40.0, 50.0]])
    np.testing.assert_allclose(right - here, [0, -10], atol=1e-9)


def test_four_quarter_turns_are_none(session: Session) -> None:
    before = session.fixed_to_moving
    for _ in range(4):
        session.turn("turn right")
    points = [[0, 0], [100, 0], [0, 100]]
    np.testing.assert_allclose(session.fixed_to_moving(points), before(points), atol=1e-9)


def test_a_flip_survives_the_first_two_pairs(session: Session) -> None:
    truth = Similarity.of(angle_deg=10, mirrored=True, translation=(0, 80))
    session.turn("flip left-right")
    for point in ([10.0, 10.0], [80.0, 90.0]):
        session.add_pair(point, truth([point])[0])
        assert isinstance(session.fixed_to_moving, Affine)
        assert session.fixed_to_moving.mirrored
    np.testing.assert_allclose(session.fixed_to_moving([[50, 20]]), truth([[50, 20]]), atol=1e-6)


def test_a_drag_is_one_entry_in_the_history_however_long_it_was(session: Session) -> None:
    seen: list[Any] = []
    session.events.transform_changed.connect(seen.append)
    for x in (10, 20, 30):
        session.preview_drag([0, 0], [5, x])
    session.end_drag()
    assert len(seen) == 4
    # What lay at (0, 0) lies at (5, 30) now.
    np.testing.assert_allclose(session.fixed_to_moving([[5, 30]]), [[0, 0]], atol=1e-9)
    assert session.origin == "dragged"
    session.undo()
    np.testing.assert_allclose(session.fixed_to_moving([[5, 30]]), [[5, 30]])
    assert session.undo_label is None


def test_a_drag_about_a_point_turns(session: Session) -> None:
    session.preview_drag([50, 60], [40, 50], about=[50, 50])
    session.end_drag()
    # From right of the centre to above it: a quarter turn counter-clockwise.
    np.testing.assert_allclose(session.fixed_to_moving([[40, 50]]), [[50, 60]], atol=1e-9)


def test_a_cancelled_drag_leaves_no_trace(session: Session) -> None:
    session.preview_drag([0, 0], [5, 5])
    session.cancel_drag()
    np.testing.assert_allclose(session.fixed_to_moving([[0, 0]]), [[0, 0]])
    assert session.undo_label is None


def test_each_pairing_has_its_own_history(session: Session, fixed_slide: Slide, moving_slide: Slide) -> None:
    other = open_slide(np.zeros((50, 50), np.uint8))
    session.add_pair([1, 1], [2, 2])
    session.choose(ChosenSlide("f", fixed_slide), ChosenSlide("o", other))
    assert len(session.landmarks) == 0
    assert session.undo_label is None
    session.choose(ChosenSlide("f", fixed_slide), ChosenSlide("m", moving_slide))
    assert len(session.landmarks) == 1
    session.undo()
    assert len(session.landmarks) == 0


def test_the_layers_own_place_is_the_start(fixed_slide: Slide, moving_slide: Slide) -> None:
    session = Session()
    start = Affine(Similarity.of(angle_deg=30).matrix)
    session.choose(ChosenSlide("f", fixed_slide), ChosenSlide("m", moving_slide), initial=start)
    assert session.fixed_to_moving is start
    assert session.origin == "initial"


def test_not_ready_without_two_different_slides(fixed_slide: Slide) -> None:
    session = Session()
    assert not session.is_ready
    chosen = ChosenSlide("f", fixed_slide)
    session.choose(chosen, chosen)
    assert not session.is_ready
    with pytest.raises(ValueError, match="no moving slide"):
        Session().turn("turn left")


def test_signals_tell_of_undo_too(session: Session) -> None:
    seen: list[SessionState] = []
    session.add_pair([1, 1], [2, 2])
    session.events.state_changed.connect(seen.append)
    session.undo()
    session.undo()
    assert len(seen) == 1
    assert len(seen[0].landmarks) == 0


COORDINATE = st.floats(0, 100).map(lambda value: round(value, 3))
POINT = st.tuples(COORDINATE, COORDINATE)
EDIT = st.one_of(
    st.tuples(st.just("click"), st.sampled_from(["fixed", "moving"]), POINT),
    st.tuples(st.just("add"), POINT, POINT),
    st.tuples(st.just("move"), st.integers(0, 9), st.sampled_from(["fixed", "moving"]), POINT),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("switch"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("rename"), st.integers(0, 9), st.text("abc", min_size=1, max_size=2)),
    st.tuples(st.just("model"), st.sampled_from(["auto", "rigid", "affine", "projective"])),
    st.tuples(st.just("follow"), st.booleans()),
    st.tuples(st.just("turn"), st.sampled_from(["flip left-right", "turn left"])),
    st.tuples(st.just("drag"), POINT, POINT),
    st.tuples(st.just("automatic"), POINT),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
)


def edit(session: Session, what: str, *values: Any) -> None:
    ids = session.state.pair_ids
    if what in ("move", "delete", "switch", "rename"):
        if not ids:
            return
        pair = ids[values[0] % len(ids)]
        rest = values[1:]
        if what == "move":
            session.move_point(pair, *rest)
        elif what == "delete":
            session.delete_pairs([pair])
        elif what == "switch":
            session.switch_pair(pair, *rest)
        elif rest[0] not in session.landmarks.names:
            session.rename_pair(pair, *rest)
    elif what == "drag":
        session.preview_drag(*values)
        session.end_drag()
    elif what == "automatic":
        session.accept_registration(registration(session, Affine(Translation.of(values[0]).matrix)))
    else:
        {
            "click": session.click,
            "add": session.add_pair,
            "model": session.set_model,
            "follow": session.set_follow,
            "turn": session.turn,
            "undo": session.undo,
            "redo": session.redo,
        }[what](*values)


@settings(max_examples=40)
@given(st.lists(EDIT, max_size=14))
def test_any_edits_undone_give_the_start_and_redone_the_end(edits: list[tuple[Any, ...]]) -> None:
    session = Session()
    pixels = np.arange(2500, dtype=np.uint16).reshape(50, 50)
    session.choose(ChosenSlide("f", open_slide(pixels)), ChosenSlide("m", open_slide(pixels + 1)))
    start = session.state
    for step in edits:
        edit(session, *step)
    end, steps = session.state, 0
    while session.undo_label is not None:
        session.undo()
        steps += 1
        assert steps <= len(edits)
    assert session.state is start
    for _ in range(steps):
        session.redo()
    assert session.state is end


@settings(max_examples=40)
@given(st.lists(EDIT, max_size=14))
def test_ids_and_landmarks_stay_in_step(edits: list[tuple[Any, ...]]) -> None:
    session = Session()
    pixels = np.arange(2500, dtype=np.uint16).reshape(50, 50)
    session.choose(ChosenSlide("f", open_slide(pixels)), ChosenSlide("m", open_slide(pixels + 1)))
    for step in edits:
        edit(session, *step)
        state = session.state
        assert len(state.pair_ids) == len(state.landmarks) == len(state.pair_fit.residual_vectors)
        assert len(set(state.pair_ids)) == len(state.pair_ids)
        assert all(pair_id < state.next_id for pair_id in state.pair_ids)
        assert int((~state.landmarks.placed).sum()) <= 1
