import json
from pathlib import Path

import numpy as np
import pytest

from napari_histreg.errors import DamagedFile, WriteError
from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.models import ChosenSlide, Session, SessionState
from napari_histreg.plugin.models.session_file import (
    SavedSession,
    is_same_slide,
    read_session,
    write_session,
)
from napari_histreg.registration import Outcome, Registration, SlideRecord
from napari_histreg.slides import Slide, open_slide
from napari_histreg.transforms import Affine, Similarity


def save(session: Session, path: Path) -> SavedSession:
    assert session.fixed is not None
    assert session.moving is not None
    records = SlideRecord.of(session.fixed.slide), SlideRecord.of(session.moving.slide)
    write_session(path, *records, session.state)
    return read_session(path)


def assert_same(found: SessionState, expected: SessionState) -> None:
    assert found.landmarks == expected.landmarks
    assert found.pair_ids == expected.pair_ids
    assert found.next_id == expected.next_id
    assert (found.model, found.follow) == (expected.model, expected.follow)
    assert found.placement_origin == expected.placement_origin
    points = np.array([[0.0, 0], [100, 30], [20, 90]])
    # The transform is fitted anew from the same numbers.
    np.testing.assert_array_equal(found.fixed_to_moving(points), expected.fixed_to_moving(points))


def test_an_untouched_session_comes_back(session: Session, tmp_path: Path) -> None:
    assert_same(save(session, tmp_path / "s.json").state, session.state)


def test_everything_comes_back(session: Session, tmp_path: Path) -> None:
    truth = Similarity.of(angle_deg=33, scale=1.01, mirrored=True)
    session.turn("flip left-right")
    for point in ([1.0, 2.5], [80, 90.125], [70, 5], [3, 77]):
        session.add_pair(point, truth([point])[0] + 0.1)
    session.add_pair([5, 5], [6, 6], confidence=0.25)
    session.switch_pair(session.state.pair_ids[1], False)
    session.rename_pair(session.state.pair_ids[0], "Gefäß µ")
    session.delete_pairs([session.state.pair_ids[2]])
    session.click("fixed", [9, 9])
    session.set_model("similarity")
    assert_same(save(session, tmp_path / "s.json").state, session.state)


def test_an_automatic_result_comes_back_with_its_verdict(session: Session, tmp_path: Path) -> None:
    assert session.fixed is not None
    assert session.moving is not None
    records = SlideRecord.of(session.fixed.slide), SlideRecord.of(session.moving.slide)
    outcome = Outcome(Affine(np.diag([1.1, 1.1, 1.0])), "doubtful", 0.4, ("Not much overlaps.",))
    session.accept_registration(Registration(*records, outcome, "automatic"))
    found = save(session, tmp_path / "s.json").state
    assert_same(found, session.state)
    assert found.registration is not None
    assert found.registration.verdict == "doubtful"
    assert found.registration.reasons == ("Not much overlaps.",)


def test_new_pairs_get_new_ids_after_reopening(session: Session, tmp_path: Path) -> None:
    session.add_pair([1, 1], [2, 2])
    session.add_pair([3, 1], [4, 2])
    session.delete_pairs([session.state.pair_ids[1]])
    state = save(session, tmp_path / "s.json").state
    assert state.with_pair([9, 9], [8, 8]).pair_ids == (1, 3)


def test_slides_are_known_again_wherever_they_lie(
    session: Session, fixed_slide: Slide, moving_slide: Slide, tmp_path: Path
) -> None:
    saved = save(session, tmp_path / "s.json")
    assert is_same_slide(fixed_slide, saved.fixed)
    assert not is_same_slide(moving_slide, saved.fixed)


def test_slides_that_moved_are_named(tmp_path: Path) -> None:
    import tifffile

    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for number, path in enumerate(paths):
        tifffile.imwrite(path, np.full((40, 50), number + 7, np.uint8))
    session = Session()
    slides = [open_slide(path) for path in paths]
    session.choose(ChosenSlide("a", slides[0]), ChosenSlide("b", slides[1]))
    saved = save(session, tmp_path / "s.json")
    assert saved.missing() == ()
    for slide in slides:
        slide.close()
    paths[1].rename(tmp_path / "elsewhere.tif")
    assert saved.missing() == ("moving",)
    assert saved.relocated(moving=str(tmp_path / "elsewhere.tif")).missing() == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v | {"format": "something"}, "not a session"),
        (lambda v: v | {"version": 99}, "Update napari-histreg"),
        (lambda v: {k: x for k, x in v.items() if k != "pairs"}, "pairs"),
        (lambda v: v | {"model": 3}, "model"),
        (lambda v: v | {"placement": {"kind": "magic"}}, "magic"),
        (lambda v: v | {"pairs": v["pairs"] * 2}, "1"),
        (lambda v: [v], "not a session"),
    ],
)
def test_damaged_files_are_refused_with_their_name(
    session: Session, tmp_path: Path, change: object, words: str
) -> None:
    path = tmp_path / "s.json"
    session.add_pair([1, 1], [2, 2])
    save(session, path)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))  # type: ignore[operator]
    with pytest.raises(DamagedFile, match=words) as caught:
        read_session(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00"])
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=r"a session was expected|can be read"):
        read_session(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match=r"none\.json"):
        read_session(tmp_path / "none.json")


def test_a_folder_that_is_not_there_is_named(session: Session, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="does not exist"):
        save(session, tmp_path / "no" / "s.json")


def test_the_file_is_plain_for_other_programs(session: Session, tmp_path: Path) -> None:
    session.replace_landmarks(Landmarks.of([[1, 2]], [[3, np.nan]]))
    save(session, tmp_path / "s.json")
    values = json.loads((tmp_path / "s.json").read_text())
    assert values["pairs"] == [
        {"id": 1, "name": "1", "fixed": [1.0, 2.0], "moving": None, "enabled": True, "confidence": None}
    ]
    assert values["fixed"]["pixel_size_um"] == [0.5, 0.5]
