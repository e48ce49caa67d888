"""The table of methods."""

import subprocess
import sys

import pytest

from napari_histreg.errors import MissingDependency
from napari_histreg.methods import METHODS, MethodSpec, find_method, list_methods, method_class


def test_an_unknown_name_is_answered_with_those_known() -> None:
    with pytest.raises(ValueError, match="sift, orb") as error:
        method_class("shift")
    assert "'shift'" in str(error.value)


def test_names_are_unique_and_found() -> None:
    assert len({spec.name for spec in METHODS}) == len(METHODS)
    assert all(find_method(spec.name) is spec for spec in METHODS)
    assert set(list_methods(available=True)) | set(list_methods(available=False)) == set(METHODS)


def test_a_missing_package_is_named_with_its_install_line() -> None:
    spec = MethodSpec("x", "X", "None.", "json:JSONDecoder", requires=("no_such_package",), extra="elastix")
    assert not spec.is_available
    with pytest.raises(MissingDependency, match=r'pip install "napari-histreg\[elastix\]"'):
        spec.load()


def test_the_table_imports_no_engine() -> None:
    code = (
        "import sys, napari_histreg.methods as m\n"
        "[s.install_line for s in m.list_methods()]\n"
        "bad = {'cv2', 'SimpleITK', 'itk', 'skimage', 'napari', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
