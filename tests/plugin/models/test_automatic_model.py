"""What the automatic widget thinks."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.models import ChosenSlide, Session
from napari_histreg.plugin.models.automatic_model import MOST_PAIRS, AutomaticModel, thin
from napari_histreg.progress import Cancelled, silent
from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.samples import phantom_pair
from napari_histreg.transforms import Affine, Projective, Similarity

IDENTITY = Affine.identity()


@pytest.fixture
def pair():
    return phantom_pair(700, angle_deg=20)


@pytest.fixture
def session(pair):
    made = Session()
    made.choose(ChosenSlide("f", pair.fixed), ChosenSlide("m", pair.moving))
    return made


@pytest.fixture
def model(session):
    return AutomaticModel(session)


def result(pair, verdict="accepted", transform=None, landmarks=None, confidence=0.93):
    outcome = Outcome(
        pair.fixed_to_moving if transform is None else transform,
        verdict,
        confidence,
        ("Because.",),
        landmarks,
    )
    records = SlideRecord.of(pair.fixed), SlideRecord.of(pair.moving)
    return Registration(*records, outcome, method="sift")


def test_nothing_runs_without_two_slides():
    model = AutomaticModel(Session())
    assert model.obstacle == "Choose a fixed and a moving slide first."
    with pytest.raises(ValueError, match="Choose a fixed"):
        model.begin(IDENTITY)


def test_the_method_by_hand_is_not_offered(model):
    names = [spec.name for spec in model.methods]
    assert names[0] == "auto"
    assert "landmarks" not in names


def test_a_run_aligns_the_slides_and_can_be_undone(model, session, pair):
    model.choose_method("sift")
    call = model.begin(IDENTITY)
    assert model.state == "running"
    assert model.obstacle == "It is running. Cancel it first."
    found = call(silent)
    model.succeed(found.registration, found.spots)
    # Where to look first comes with the result.
    assert [spot.name for spot in model.spots] == ["best", "median", "worst"]
    assert all("µm" in spot.off for spot in model.spots)
    assert model.state == "idle"
    assert model.verdict.headline.startswith("Aligned — confidence")
    points = pair.landmarks().fixed
    error = np.linalg.norm(session.fixed_to_moving(points) - pair.fixed_to_moving(points), axis=1)
    # Half a pixel of the moving slide is what SIFT states for two stains of one tissue.
    assert np.median(error) < pair.moving.pixel_size_um[0]
    assert session.origin == "automatic"
    session.undo()
    assert session.fixed_to_moving == IDENTITY


def test_wishes_reach_the_method(model, session, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        "napari_histreg.plugin.models.automatic_model.register",
        lambda *a, **k: seen.update(k) or SimpleNamespace(has_transform=False),
    )
    session.add_pair([1, 2], [3, 4])
    model.choose_method("ecc")
    model.parameters = {"iterations": 7}
    model.fixed_channel, model.moving_channel, model.start = 1, 0, "landmarks"
    model.begin(Similarity.of(angle_deg=3))(silent)
    assert (seen["method"], seen["iterations"], seen["must_find"]) == ("ecc", 7, False)
    assert (seen["fixed_channel"], seen["moving_channel"]) == (1, 0)
    assert len(seen["landmarks"]) == 1
    assert seen["initial"] is None
    model.cancel()
    model.start = "layers"
    model.begin(Similarity.of(angle_deg=3))(silent)
    assert seen["initial"] == Similarity.of(angle_deg=3)
    assert seen["landmarks"] is None
    assert seen["signal"] is None
    model.cancel()
    model.start, model.signal = "record", "grey"
    assert model.obstacle == "Choose the registration.json to start from."
    model.start_record = SimpleNamespace(fixed_to_moving=Similarity.of(angle_deg=5))
    model.begin(IDENTITY)(silent)
    assert seen["initial"] == Similarity.of(angle_deg=5)
    assert seen["signal"] == "grey"


def test_starting_from_landmarks_needs_some(model, session):
    model.start = "landmarks"
    assert model.obstacle == "There are no landmarks to start from. Click a pair, or start from nothing."
    session.add_pair([1, 2], [3, 4])
    assert model.obstacle is None


def test_cancelling_leaves_everything_as_it_was(model, session):
    call = model.begin(IDENTITY)
    model.stop()
    assert model.state == "stopping"

    def stop(fraction, message):
        raise Cancelled

    with pytest.raises(Cancelled):
        call(stop)
    model.cancel()
    assert model.state == "idle"
    assert model.verdict.headline == "Cancelled. The slides lie as before."
    assert session.undo_label is None


def test_an_error_is_shown_in_its_own_words(model):
    model.begin(IDENTITY)
    model.fail("The slide is blank. Choose another.")
    assert model.verdict.headline == "The slide is blank. Choose another."
    assert model.obstacle is None


@pytest.mark.parametrize(
    ("verdict", "headline"),
    [
        ("accepted", "Aligned — confidence 93%"),
        ("doubtful", "Aligned, but look at it — confidence 93%"),
        ("refused", "Not aligned. Click a few pairs"),
    ],
)
def test_the_verdict_in_plain_words(model, pair, verdict, headline):
    model.succeed(result(pair, verdict))
    assert model.verdict.headline.startswith(headline)
    assert model.verdict.reasons == ("Because.",)


def test_a_refused_guess_is_shown_only_when_asked_for(model, session, pair):
    model.succeed(result(pair, "refused"))
    assert session.fixed_to_moving == IDENTITY
    model.show_guess()
    assert session.fixed_to_moving == pair.fixed_to_moving


def test_a_refusal_without_a_guess(model, session, pair):
    records = SlideRecord.of(pair.fixed), SlideRecord.of(pair.moving)
    model.succeed(Registration(*records, Outcome(None, "refused", None, ("Blank.",)), method="sift"))
    model.show_guess()
    assert session.fixed_to_moving == IDENTITY
    assert model.verdict.headline.startswith("Not aligned, and there is not even a guess.")


def test_the_points_of_a_result_become_pairs(model, session, pair):
    with pytest.raises(ValueError, match="no result yet"):
        model.take_landmarks()
    model.succeed(result(pair))
    assert model.landmarks_obstacle == "SIFT features works without points, so it has none to give."
    points = np.stack(np.meshgrid(np.arange(8.0), np.arange(8.0)), -1).reshape(-1, 2) * 20
    model.succeed(result(pair, landmarks=Landmarks.of(points, pair.fixed_to_moving(points))))
    model.take_landmarks()
    assert len(session.landmarks) == MOST_PAIRS
    assert session.origin == "landmarks"
    assert session.undo_label == "landmarks of SIFT features"


def test_thinning_keeps_the_sure_and_the_far():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (500, 2))
    confidence = np.where(rng.random(500) < 0.2, 1.0, 0.01)
    kept = thin(Landmarks.of(points, points, confidence=confidence), 20)
    assert len(kept) == 20
    assert (kept.confidence == 1.0).sum() >= 15
    # Spread over the whole square: no gap between neighbours is tiny.
    distances = np.linalg.norm(kept.fixed[:, None] - kept.fixed[None], axis=2) + 1e9 * np.eye(20)
    assert distances.min() > 5


def test_what_layers_cannot_show_is_said(model, pair):
    model.succeed(result(pair))
    assert not model.bends
    model.succeed(result(pair, transform=Projective([[1, 0, 0], [0, 1, 0], [1e-5, 0, 1]])))
    assert model.bends


def test_a_method_that_is_missing_says_how_to_get_it(model, monkeypatch):
    from napari_histreg.methods import spec

    monkeypatch.setattr(spec, "is_installed", lambda module: False)
    model.choose_method("sift")
    assert model.obstacle.startswith("SIFT features is not installed. Install it with: pip install")
