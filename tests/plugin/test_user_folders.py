"""The folders are the platform's, and the user's variables are heard."""

import sys
from pathlib import Path

import pytest

from napari_histreg.plugin.user_folders import cache_folder, session_folder


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these variables are Linux's")
def test_the_variables_of_the_desktop_are_heard(cache):
    assert cache_folder() == cache / "cache" / "napari-histreg"
    assert session_folder() == cache / "data" / "napari-histreg" / "sessions"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the places differ by platform")
def test_without_them_the_folders_lie_in_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert cache_folder() == tmp_path / ".cache" / "napari-histreg"
    assert session_folder() == tmp_path / ".local" / "share" / "napari-histreg" / "sessions"


def test_asking_makes_no_folder(cache):
    assert isinstance(cache_folder(), Path)
    session_folder()
    assert list(cache.iterdir()) == []
