"""The manifest: valid, and everything it names is there."""

from importlib import import_module
from pathlib import Path

from npe2 import PluginManifest

import napari_histreg

ROOT = Path(__file__).resolve().parents[2]


def manifest():
    return PluginManifest.from_distribution("napari-histreg")


def test_everything_named_can_be_imported():
    found = manifest()
    found.validate_imports()
    for command in found.contributions.commands:
        module, name = command.python_name.split(":")
        assert callable(getattr(import_module(module), name))


def test_widgets_are_in_the_menu_for_registration():
    contributions = manifest().contributions
    in_menu = {item.command for item in contributions.menus["napari/layers/register"]}
    assert in_menu == {widget.command for widget in contributions.widgets}


def test_every_landmark_dialect_has_a_writer_with_its_ending():
    from napari_histreg.landmarks import DIALECTS

    endings = {writer.command: writer.filename_extensions for writer in manifest().contributions.writers}
    for dialect in DIALECTS.values():
        assert endings.pop(f"napari-histreg.write_{dialect.name}") == [dialect.suffixes[0]]
    assert not endings


def test_the_file_at_the_top_is_the_one_in_the_package():
    inside = Path(napari_histreg.__file__).parent / "napari.yaml"
    assert (ROOT / "napari.yaml").resolve() == inside.resolve()


def test_models_know_neither_napari_nor_qt():
    import subprocess
    import sys

    code = (
        "import sys, pkgutil, importlib, napari_histreg.plugin.models as m\n"
        "for f in pkgutil.iter_modules(m.__path__): importlib.import_module(f'{m.__name__}.{f.name}')\n"
        "bad = {n.partition('.')[0] for n in sys.modules} & "
        "{'napari', 'qtpy', 'PyQt6', 'PySide6', 'vispy', 'superqt', 'magicgui'}\n"
        "sys.exit(f'imported {sorted(bad)}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
