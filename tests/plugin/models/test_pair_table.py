import numpy as np
import pytest

from napari_histreg.plugin.models import ChosenSlide, Session
from napari_histreg.plugin.models.pair_table import (
    OFF_COLOUR,
    SCALE,
    UNKNOWN_COLOUR,
    error_colour,
    error_text,
    pair_rows,
)
from napari_histreg.slides import Slide, open_slide
from napari_histreg.transforms import Translation

POINTS = np.array([[10.0, 10], [80, 20], [70, 120], [15, 110], [40, 60], [60, 50]])


def fill(session: Session) -> list[int]:
    truth = Translation.of((1, 2))
    return [session.add_pair(point, truth([point])[0]) for point in POINTS]


def test_numbers_follow_the_order_and_ids_do_not(session: Session) -> None:
    ids = fill(session)
    session.delete_pairs([ids[0]])
    rows = pair_rows(session)
    assert [row.number for row in rows] == [1, 2, 3, 4, 5]
    assert [row.pair_id for row in rows] == ids[1:]


def test_errors_in_both_units(session: Session) -> None:
    ids = fill(session)
    session.move_point(ids[4], "moving", [60, 62])
    row = pair_rows(session)[4]
    # The fixed slide has 0.5 µm per pixel.
    assert row.residual_px == pytest.approx(2 * row.residual)
    assert row.leave_one_out == pytest.approx(np.hypot(19, 0), rel=0.2)
    assert row.leave_one_out > row.residual


def test_the_pair_pulled_away_is_worst_doubted_and_red(session: Session) -> None:
    ids = fill(session)
    session.move_point(ids[4], "moving", [75, 90])
    rows = pair_rows(session, "worst first")
    assert rows[0].pair_id == ids[4]
    assert rows[0].doubt
    assert rows[0].colour == SCALE[-1]
    assert all(not row.doubt for row in rows[1:])
    assert [row.pair_id for row in pair_rows(session)] == ids


def test_swapped_pairs_are_told(session: Session) -> None:
    ids = fill(session)
    one, other = session.landmarks.moving[0].copy(), session.landmarks.moving[1].copy()
    session.move_point(ids[0], "moving", other)
    session.move_point(ids[1], "moving", one)
    doubts = [row.doubt for row in pair_rows(session)]
    assert "swapped" in doubts[0]
    assert "swapped" in doubts[1]


def test_an_exact_fit_is_not_drawn_as_a_good_one(session: Session) -> None:
    for point in POINTS[:2]:
        session.add_pair(point, point + 3)
    assert [row.colour for row in pair_rows(session)] == [UNKNOWN_COLOUR] * 2
    session.add_pair(POINTS[2], POINTS[2] + 3)
    session.add_pair(POINTS[3], POINTS[3] + 3)
    assert UNKNOWN_COLOUR not in [row.colour for row in pair_rows(session)]


def test_a_waiting_pair_has_no_errors_and_goes_last(session: Session) -> None:
    fill(session)
    waiting = session.click("fixed", [5, 5])
    rows = pair_rows(session, "worst first")
    assert rows[-1].pair_id == waiting
    assert not rows[-1].placed
    assert rows[-1].colour == UNKNOWN_COLOUR


def test_pairs_switched_off_are_grey_and_still_measured(session: Session) -> None:
    ids = fill(session)
    session.switch_pair(ids[2], False)
    row = pair_rows(session)[2]
    assert row.colour == OFF_COLOUR
    assert row.residual == pytest.approx(0, abs=1e-6)


def test_tiny_errors_are_never_drawn_as_large(session: Session) -> None:
    ids = fill(session)
    session.move_point(ids[0], "moving", session.landmarks.moving[0] + 0.1)
    # The worst error is far above the others but far below a quarter of a nucleus.
    assert {row.colour for row in pair_rows(session)} == {SCALE[0]}


def test_a_spline_that_runs_through_an_outlier_does_not_hide_it(session: Session) -> None:
    ids = fill(session)
    session.set_model("thin_plate")
    session.move_point(ids[4], "moving", session.landmarks.moving[4] + (0.0, 13.7))
    row = next(row for row in pair_rows(session) if row.pair_id == ids[4])
    assert row.leave_one_out > row.residual
    assert row.colour == error_colour(row.leave_one_out)
    assert SCALE.index(row.colour) >= 3


def test_without_pixel_size_units_are_pixels(moving_slide: Slide) -> None:
    session = Session()
    plain = open_slide(np.zeros((200, 200), np.uint8))
    session.choose(ChosenSlide("p", plain), ChosenSlide("m", moving_slide))
    fill(session)
    session.move_point(session.state.pair_ids[0], "moving", [30, 30])
    assert session.unit == "px"
    assert all(row.residual == row.residual_px for row in pair_rows(session))


def test_colours_grow_with_the_error() -> None:
    assert [SCALE.index(error_colour(um)) for um in (0, 2, 4, 8, 16, 1e9)] == [0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("error", "text"), [(0.004, "0.00"), (0.31, "0.31"), (9.94, "9.9"), (123.4, "123"), (np.inf, "–")]
)
def test_three_digits_at_most(error: float, text: str) -> None:
    assert error_text(error) == text
