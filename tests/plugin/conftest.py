"""What the tests of the plugin share."""

import gc
import importlib
import os
import time

import pytest

from own_screen import open_own_screen

SCREEN = open_own_screen()


def pytest_unconfigure():
    if SCREEN is not None:
        SCREEN.terminate()


@pytest.fixture(scope="session", autouse=True)
def set_up_once(tmp_path_factory):
    """Do once what napari does for every window anew, which takes longer than most tests.

    It asks all installed packages whether they are plugins, writes its settings to disk at every change of
    one, and collects garbage whenever a layer goes: among all that any library has ever imported. Mesa builds
    its shaders, unless it finds those of the window before.
    """
    os.environ.setdefault("MESA_SHADER_CACHE_DIR", str(tmp_path_factory.mktemp("shaders")))
    importlib.import_module("napari.qt")
    importlib.import_module("napari_histreg.plugin.widgets.align_widget")
    from napari.settings import NapariSettings
    from npe2 import PluginManager

    discover, found = PluginManager.discover, {}

    def discover_once(manager, *arguments, **options):
        key = (id(manager), arguments, *sorted(options.items()))
        if key not in found:
            # The manager is kept, so that no other one gets its number.
            found[key] = (discover(manager, *arguments, **options), manager)
        return found[key][0]

    save = NapariSettings.save
    PluginManager.discover, NapariSettings.save = discover_once, lambda settings, *rest, **options: None
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    PluginManager.discover, NapariSettings.save = discover, save


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
