import os
import time

import pytest

from napari_histreg.cohorts.lock import LOCK, UNREADABLE_SECONDS, holds, locked
from napari_histreg.errors import WriteError


def test_a_lock_is_there_with_its_words_or_not_at_all(tmp_path, monkeypatch):
    """A run that is killed while it takes the lock must not leave one that no one holds."""

    def killed(*names):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", killed)
    with pytest.raises(KeyboardInterrupt), locked(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_disk_without_links_has_locks_too(tmp_path, monkeypatch):
    def refused(*names):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    with locked(tmp_path) as token:
        assert holds(tmp_path, token)
        with pytest.raises(WriteError, match="another run"), locked(tmp_path):
            pass
    assert not list(tmp_path.iterdir())


def test_a_lock_that_says_nothing_is_taken_over_in_time(tmp_path):
    (tmp_path / LOCK).write_bytes(b"")
    with pytest.raises(WriteError, match="just begun"), locked(tmp_path):
        pass
    then = time.time() - UNREADABLE_SECONDS - 5
    os.utime(tmp_path / LOCK, (then, then))
    with locked(tmp_path) as token:
        assert holds(tmp_path, token)
