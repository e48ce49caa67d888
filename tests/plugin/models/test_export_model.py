"""What there is to write: read back with the library."""

import json

import numpy as np
import pytest
import tifffile

from napari_histreg.landmarks import DIALECTS, Landmarks, read_landmarks
from napari_histreg.plugin.models import ChosenSlide, Session
from napari_histreg.plugin.models.export_model import ExportModel
from napari_histreg.progress import Cancelled, silent
from napari_histreg.records.document import read_registration
from napari_histreg.records.record import Outcome, Registration, SlideRecord
from napari_histreg.samples import phantom_pair
from napari_histreg.slides import open_slide
from napari_histreg.transforms.formats import DIALECTS as TRANSFORM_DIALECTS
from napari_histreg.transforms.formats import SlideFrame, read_transform
from napari_histreg.warping import Output


@pytest.fixture(scope="module")
def pair():
    return phantom_pair(400, angle_deg=20)


@pytest.fixture
def session(pair):
    made = Session()
    made.choose(ChosenSlide("f", pair.fixed), ChosenSlide("m", pair.moving))
    return made


@pytest.fixture
def model(session):
    return ExportModel(session)


def automatic(pair):
    outcome = Outcome(pair.fixed_to_moving, "accepted", 0.9, ("It fits.",), pair.landmarks(9))
    return Registration(SlideRecord.of(pair.fixed), SlideRecord.of(pair.moving), outcome, method="sift")


def test_nothing_to_write_yet(model):
    assert ExportModel(Session()).obstacle == "Choose a fixed and a moving slide first."
    assert model.obstacle == "The slides are not aligned yet. Click pairs, or run an automatic method."
    assert model.landmarks_obstacle.startswith("There are no complete pairs.")
    with pytest.raises(ValueError, match="no complete pairs"):
        model.write_landmarks("x.csv", "histreg")
    with pytest.raises(ValueError, match="Choose"):
        ExportModel(Session()).write_record("x.json")


def test_an_automatic_result_is_written_as_it_is(tmp_path, model, session, pair):
    session.accept_registration(automatic(pair))
    said = model.write_folder(tmp_path / "out")(silent)
    assert said == f"Wrote 5 files into {tmp_path / 'out'}."
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [
        "landmarks.csv",
        "matrix.csv",
        "overlay.png",
        "registration.json",
        "session.histreg.json",
    ]
    found = read_registration(tmp_path / "out")
    assert (found.method, found.verdict, found.confidence) == ("sift", "accepted", 0.9)
    assert np.allclose(found.fixed_to_moving.matrix, pair.fixed_to_moving.matrix)


def test_pairs_are_written_with_their_verdict(tmp_path, model, session, pair):
    session.replace_landmarks(pair.landmarks(12))
    model.write_record(tmp_path / "r.json")(silent)
    found = read_registration(tmp_path / "r.json")
    assert (found.method, found.verdict) == ("landmarks", "accepted")
    assert "left out is predicted" in found.reasons[0]
    points = pair.landmarks(12).fixed
    assert np.allclose(found.fixed_to_moving(points), session.fixed_to_moving(points))


def test_the_report_judges_an_automatic_result_by_the_pairs_that_only_measure(tmp_path, model, session, pair):
    session.accept_registration(automatic(pair))
    said = model.write_report(tmp_path / "r.html")(silent)
    assert said == f"Wrote {tmp_path / 'r.html'} and r.json."
    assert json.loads((tmp_path / "r.json").read_text())["target_error"] is None
    clicked = pair.landmarks(5)
    off = Landmarks.of(clicked.fixed + np.array([0, 2.0]), clicked.moving)
    session.replace_landmarks(off)
    session.set_follow(False)
    model.write_report(tmp_path / "r.html")(silent)
    values = json.loads((tmp_path / "r.json").read_text())
    assert values["target_error"]["um"]["median"] == pytest.approx(2.0)
    assert values["left_out_error"] is None


def test_the_report_leaves_out_in_turn_the_pairs_that_made_the_alignment(tmp_path, model, session, pair):
    session.replace_landmarks(pair.landmarks(6))
    model.write_report(tmp_path / "r.html")(silent)
    values = json.loads((tmp_path / "r.json").read_text())
    assert values["method"] == "landmarks"
    assert values["target_error"] is None
    assert values["left_out_error"]["um"]["max"] < 1e-6


def test_a_placement_by_hand_is_judged(tmp_path, model, session):
    session.turn("turn left")
    model.write_record(tmp_path / "r.json")(silent)
    found = read_registration(tmp_path / "r.json")
    assert found.method == "by hand"
    assert found.verdict == "refused"


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_landmarks_in_every_dialect(tmp_path, model, session, pair, dialect):
    truth = pair.landmarks(9)
    session.replace_landmarks(truth)
    session.add_pair([1, 2], None)
    file = tmp_path / f"pairs{DIALECTS[dialect].suffixes[0]}"
    said = model.write_landmarks(file, dialect)
    assert said.startswith(f"Wrote {file}")
    second = file.with_name(f"{file.stem}_moving{file.suffix}") if DIALECTS[dialect].side_files else None
    sizes = {
        "fixed_pixel_size": pair.fixed.world_pixel_size,
        "moving_pixel_size": pair.moving.world_pixel_size,
    }
    found = read_landmarks(file, dialect=dialect, moving_path=second, **sizes)
    found = found.subset(found.placed)
    # Files hold at least a thousandth of a pixel.
    assert np.allclose(found.fixed, truth.fixed, rtol=0, atol=1e-3 * pair.fixed.pixel_size_um[0])
    assert np.allclose(found.moving, truth.moving, rtol=0, atol=1e-3 * pair.moving.pixel_size_um[0])


@pytest.mark.parametrize("dialect", sorted(TRANSFORM_DIALECTS))
def test_the_transform_in_every_dialect(tmp_path, model, session, pair, dialect):
    session.accept_registration(automatic(pair))
    kind = TRANSFORM_DIALECTS[dialect]
    file = tmp_path / f"transform{kind.suffixes[0]}"
    assert model.write_matrix(file, dialect)(silent) == f"Wrote {file}."
    frames = [SlideFrame(slide.pixel_size_um, slide.shape) for slide in (pair.fixed, pair.moving)]
    found = read_transform(file, dialect, fixed=frames[0], moving=frames[1])
    points = pair.landmarks(9).fixed
    # A field is sampled so that it is right within 0.02 px; matrices hold the rest to rounding.
    assert np.allclose(found(points), pair.fixed_to_moving(points), rtol=0, atol=0.02 * 0.325)


def test_the_warped_slide_lies_on_the_fixed_one(tmp_path, model, session, pair):
    session.accept_registration(automatic(pair))
    file = tmp_path / "warped.ome.tif"
    fractions = []
    model.write_warped(file, Output())(lambda fraction, message: fractions.append(fraction))
    with open_slide(file) as warped:
        assert warped.shape == pair.fixed.shape
        assert warped.pixel_size_um == pytest.approx(pair.fixed.pixel_size_um)
        assert [channel.name for channel in warped.channels] == ["DAPI", "PanCK", "SMA"]
    assert fractions == sorted(fractions)


def test_both_slides_in_one_file(tmp_path, model, session, pair):
    session.accept_registration(automatic(pair))
    file = tmp_path / "merged.ome.tif"
    model.write_warped(file, Output(cover="union", merge=True))(silent)
    with open_slide(file) as merged:
        assert len(merged.channels) == 6
        assert merged.shape[0] > pair.fixed.shape[0]


def test_only_the_channels_chosen_with_other_pixels_and_packing(tmp_path, model, session, pair):
    session.accept_registration(automatic(pair))
    assert model.channel_names == ("DAPI", "PanCK", "SMA")
    file = tmp_path / "some.ome.tif"
    model.write_warped(file, Output(channels=[2, 0], pixel_size=0.5), "zstd")(silent)
    with open_slide(file) as some:
        assert [channel.name for channel in some.channels] == ["SMA", "DAPI"]
        assert some.pixel_size_um == pytest.approx((0.5, 0.5))
        assert some.shape == (200, 200)
    with tifffile.TiffFile(file) as tif:
        assert tif.pages[0].compression.name == "ZSTD"
    with pytest.raises(ValueError, match="No channel is chosen"):
        model.write_warped(file, Output(channels=[]))


def test_cancelling_leaves_no_file(tmp_path, model, session, pair):
    session.accept_registration(automatic(pair))

    def stop(fraction, message):
        raise Cancelled

    with pytest.raises(Cancelled):
        model.write_warped(tmp_path / "warped.ome.tif", Output())(stop)
    assert list(tmp_path.iterdir()) == []


def test_names_for_files(model):
    assert model.stem == "phantom IF_on_phantom H&E"
    assert ExportModel(Session()).stem == "slide_on_slide"


def test_pairs_that_only_measure_do_not_replace_the_result(tmp_path, model, session, pair):
    session.accept_registration(automatic(pair))
    session.restore(session.state.with_landmarks(Landmarks.of([[0, 0]], [[5, 5]])))
    model.write_record(tmp_path / "r.json")(silent)
    assert read_registration(tmp_path / "r.json").method == "sift"
