"""What the inspect widget thinks."""

import numpy as np
import pytest

from napari_histreg.plugin.models import ChosenSlide, Session
from napari_histreg.plugin.models.inspection import Inspection, square_size
from napari_histreg.progress import silent
from napari_histreg.samples import phantom_pair
from napari_histreg.transforms import Affine, Translation

FIXED = np.array([[0.0, 0.0], [0.0, 50.0], [50.0, 0.0], [50.0, 50.0]])


@pytest.fixture
def session():
    pair = phantom_pair(700, angle_deg=0, mirrored=False, scale=1.0)
    made = Session()
    made.choose(ChosenSlide("f", pair.fixed), ChosenSlide("m", pair.moving))
    return made


@pytest.fixture
def model(session):
    return Inspection(session, Affine.identity)


def test_nothing_to_see_without_two_slides():
    model = Inspection(Session(), Affine.identity)
    assert model.obstacle == "Choose a fixed and a moving slide first."
    assert model.arrows_obstacle == model.obstacle
    assert model.numbers() == []
    with pytest.raises(ValueError, match="Choose"):
        model.begin_measuring()


def test_settings_tell(model):
    heard = []
    model.changed.connect(lambda: heard.append(model.mode))
    model.set(mode="curtain", curtain=0.2)
    assert heard == ["curtain"]
    with pytest.raises(ValueError, match="nothing called 'colour'"):
        model.set(colour="red")


def test_arrows_go_from_where_a_pair_lies_to_where_it_should(model, session):
    assert model.arrows_obstacle == "There are no landmarks. Click pairs first."
    for point in FIXED:
        session.add_pair(point, point + np.array([3, 4]))
    session.set_model("translation")
    session.move_point(session.state.pair_ids[0], "moving", [3 + 8, 4])
    model.set(exaggeration=10.0)
    starts, extents = model.residual_arrows().transpose(1, 0, 2)
    # The mean of the shifts is (5, 4): the first point lies 6 too low, the others 2 too high.
    assert np.allclose(starts[0], [6, 0])
    assert np.allclose(extents[0], [-60, 0])
    assert np.allclose(extents[1:], [20, 0])


def test_landmark_error_before_and_after(model, session):
    for point in FIXED:
        session.add_pair(point, point + np.array([3, 4]))
    (row,) = model.numbers()
    assert (row.label, row.before, row.after) == ("Landmarks, left out, median (µm)", "5", "0")


def test_pairs_that_are_switched_off_do_not_count(model, session):
    for point in FIXED:
        session.add_pair(point, point)
    session.switch_pair(session.add_pair([0, 0], [90, 90]), False)
    assert len(model.residual_arrows()) == 4
    assert model.numbers()[0].before == "0"


def test_measuring_tells_right_from_wrong(session):
    pair = phantom_pair(700, angle_deg=0, mirrored=False, scale=1.0)
    model = Inspection(session, lambda: Translation.of((60.0, -40.0)))
    session._put(pair.fixed_to_moving, "dragged", "the truth")
    assert not model.is_current
    model.take_measures(model.begin_measuring()(silent))
    assert model.is_current
    rows = {row.label: row for row in model.numbers()}
    before, after = (
        float(text.rstrip("%")) for text in (rows["Confidence"].before, rows["Confidence"].after)
    )
    assert before < 50 < after
    assert rows["Shared area"].after.endswith("%")
    # Measures of another alignment are not shown.
    session.undo()
    assert not model.is_current
    assert model.numbers() == []


def test_squares_are_about_as_large_on_screen_as_asked_for():
    for zoom in np.geomspace(1e-3, 1e3, 50):
        on_screen = square_size(120, zoom) * zoom
        assert 120 / 1.5 < on_screen < 120 * 1.5
