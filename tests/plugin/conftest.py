"""What the tests of the plugin share."""

import time

import pytest

from own_screen import open_own_screen

SCREEN = open_own_screen()


def pytest_unconfigure():
    if SCREEN is not None:
        SCREEN.terminate()


@pytest.fixture
def our_plugin():
    """Let napari know the plugin where there is no window to do so."""
    from npe2 import PluginManager

    manager = PluginManager.instance()
    if "napari-histreg" not in manager:
        manager.discover()
    return manager


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Keep sample files, sessions and settings out of the user's home."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def settle(qtbot):
    """Let the window work off what is waiting."""

    def wait(seconds=0.2):
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    return wait
