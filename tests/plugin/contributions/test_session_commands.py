"""Dropped files: a session is known by what it says of itself, whatever it is called."""

import pytest

from napari_histreg.plugin.contributions.session_commands import get_session_reader, read_sessions
from napari_histreg.plugin.models.session_file import FORMAT


@pytest.fixture
def session(tmp_path):
    path = tmp_path / "work.json"
    path.write_text(f'{{"format": "{FORMAT}", "version": 1}}')
    return path


def test_a_session_is_read_as_one(session):
    assert get_session_reader(str(session)) is read_sessions
    assert get_session_reader([session, session]) is read_sessions


def test_other_files_are_left_to_others(session, tmp_path):
    other = tmp_path / "registration.json"
    other.write_text('{"format": "napari-histreg registration"}')
    assert get_session_reader(other) is None
    assert get_session_reader([session, other]) is None
    assert get_session_reader(tmp_path / "gone.json") is None
