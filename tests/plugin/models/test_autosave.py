from pathlib import Path

import pytest

from napari_histreg.plugin.models import ChosenSlide, Session
from napari_histreg.plugin.models.autosave import Autosave
from napari_histreg.plugin.models.session_file import read_session
from napari_histreg.slides import Slide


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_nothing_is_written_before_anything_is_done(session: Session, tmp_path: Path, clock: Clock) -> None:
    saving = Autosave(session, tmp_path / "sessions", clock=clock)
    saving.tick()
    saving.stop()
    assert files(tmp_path) == []


def test_the_first_edit_is_written_at_once(session: Session, tmp_path: Path, clock: Clock) -> None:
    saving = Autosave(session, tmp_path / "sessions", clock=clock)
    session.add_pair([1, 2], [3, 4])
    assert saving.path is not None
    assert len(read_session(saving.path).state.landmarks) == 1


def test_further_edits_wait_and_are_not_lost(session: Session, tmp_path: Path, clock: Clock) -> None:
    saving = Autosave(session, tmp_path / "sessions", clock=clock)
    assert saving.path is not None
    for k in range(5):
        session.add_pair([k, 2], [3, k])
    assert len(read_session(saving.path).state.landmarks) == 1
    clock.now += 2.5
    saving.tick()
    assert len(read_session(saving.path).state.landmarks) == 5
    session.undo()
    saving.stop()
    assert len(read_session(saving.path).state.landmarks) == 4


def test_a_new_sitting_finds_what_the_last_one_left(
    session: Session, fixed_slide: Slide, moving_slide: Slide, tmp_path: Path, clock: Clock
) -> None:
    first = Autosave(session, tmp_path, clock=clock)
    session.add_pair([1, 2], [3, 4])
    assert first.problem is None
    # The first process crashed here. In the next one the slides have other keys.
    again = Session()
    saving = Autosave(again, tmp_path, clock=clock)
    assert saving.found() is None
    again.choose(ChosenSlide("x", fixed_slide), ChosenSlide("y", moving_slide))
    found = saving.found()
    assert found is not None
    again.restore(found.state)
    assert again.landmarks == session.landmarks
    assert saving.found() is None


def test_starting_anew_keeps_the_old_file_beside(
    session: Session, fixed_slide: Slide, moving_slide: Slide, tmp_path: Path, clock: Clock
) -> None:
    first = Autosave(session, tmp_path, clock=clock)
    session.add_pair([1, 2], [3, 4])
    first.write_now()
    again = Session()
    saving = Autosave(again, tmp_path, clock=clock)
    again.choose(ChosenSlide("x", fixed_slide), ChosenSlide("y", moving_slide))
    again.add_pair([9, 9], [9, 9])
    assert saving.path is not None
    assert len(read_session(saving.path).state.landmarks) == 1
    assert len(read_session(tmp_path / f"before-{saving.path.name}").state.landmarks) == 1


def test_each_pairing_has_its_own_file(
    session: Session, fixed_slide: Slide, moving_slide: Slide, tmp_path: Path, clock: Clock
) -> None:
    saving = Autosave(session, tmp_path, clock=clock)
    session.add_pair([1, 2], [3, 4])
    session.add_pair([11, 2], [13, 4])
    first = saving.path
    session.choose(ChosenSlide("m", moving_slide), ChosenSlide("f", fixed_slide))
    assert first is not None
    assert saving.path != first
    # What had not been written when the slides were exchanged went to the file it belongs to.
    assert len(read_session(first).state.landmarks) == 2


def test_a_damaged_file_is_not_offered(session: Session, tmp_path: Path, clock: Clock) -> None:
    saving = Autosave(session, tmp_path, clock=clock)
    assert saving.path is not None
    saving.path.write_text("{")
    assert saving.found() is None


def test_a_folder_that_cannot_be_made_is_a_problem_and_no_crash(
    session: Session, tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    saving = Autosave(session, tmp_path / "taken", clock=clock)
    session.add_pair([1, 2], [3, 4])
    assert saving.problem is not None
    assert "Save it by hand" in saving.problem
