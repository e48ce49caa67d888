"""The questions that the window asks before it saves or opens a sitting."""

from types import SimpleNamespace

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_histreg.plugin.widgets.session_dialogs import ask_for_slide, ask_what_to_open, ask_where_to_save


@pytest.fixture
def asked(monkeypatch):
    """What each dialog was asked with; it answers with a path, or with nothing where the person cancels."""
    questions = []
    answer = SimpleNamespace(path="")

    def dialog(parent, title, start="", choice=""):
        questions.append((title, start, choice))
        return answer.path, choice

    for name in ("getSaveFileName", "getOpenFileName"):
        monkeypatch.setattr(QFileDialog, name, dialog)
    return questions, answer


def test_saving_begins_with_a_name_that_can_be_kept(asked, tmp_path):
    questions, answer = asked
    answer.path = str(tmp_path / "mine.histreg.json")
    assert ask_where_to_save(None, "session", tmp_path / "he", ".histreg.json") == answer.path
    title, start, choice = questions[0]
    assert title == "Save session"
    assert start == str(tmp_path / "he.histreg.json")
    assert "*.histreg.json" in choice


def test_opening_shows_the_folder_and_only_what_can_be_opened(asked, tmp_path):
    questions, _ = asked
    assert ask_what_to_open(None, "group", tmp_path, ".group.json") == ""
    assert questions == [("Open group", str(tmp_path), "Sessions (*.group.json);;JSON (*.json)")]


def test_a_slide_that_moved_is_asked_for_by_name_and_a_person_may_not_know(asked, tmp_path):
    questions, answer = asked
    record = SimpleNamespace(name="he.svs")
    assert ask_for_slide(None, "moving", record, tmp_path) is None
    assert questions[0][0] == "Where is the moving slide he.svs now?"
    answer.path = str(tmp_path / "he.svs")
    assert ask_for_slide(None, "moving", record, tmp_path) == answer.path
