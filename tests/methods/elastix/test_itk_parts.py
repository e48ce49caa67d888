"""elastix is loaded without the rest of ITK, or in the usual way where its parts have other names."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from napari_histreg.methods.elastix import itk_parts
from napari_histreg.methods.elastix.itk_parts import parameter_object, registration_method, transformix_filter
from napari_histreg.optional import is_installed

LOADED = """
import sys
from napari_histreg.methods.elastix.itk_parts import parameter_object, registration_method, transformix_filter
for made in (parameter_object(), registration_method(2), registration_method(3), transformix_filter(2)):
    assert hasattr(made, "GetNameOfClass"), made
print(*[name for name in sys.modules if name in ("itk.itkFlipImageFilterPython", "itk._ITKFFTPython")])
"""


@pytest.mark.thorough
@pytest.mark.skipif(not is_installed("itk"), reason="itk-elastix is not installed")
def test_what_elastix_does_not_need_is_not_loaded():
    ran = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=200)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == ""


class Templates:
    """Stands for the classes of ITK before a pixel type was chosen."""

    def __init__(self, name):
        self.name = name

    def __getitem__(self, kind):
        return SimpleNamespace(New=lambda: (self.name, kind))

    def New(self):
        return self.name


@pytest.mark.parametrize("there", [False, True], ids=["no such part", "no such class"])
def test_a_release_with_other_names_is_asked_in_the_usual_way(monkeypatch, there):
    names = ("ParameterObject", "ElastixRegistrationMethod", "TransformixFilter")
    whole = SimpleNamespace(F="F", Image={("F", 2): "F2"}, **{name: Templates(name) for name in names})

    def load(name):
        if name == "itk":
            return whole
        if there:
            return SimpleNamespace()
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(itk_parts.importlib, "import_module", load)
    assert parameter_object() == "ParameterObject"
    assert registration_method(2) == ("ElastixRegistrationMethod", ("F2", "F2"))
    assert transformix_filter(2) == ("TransformixFilter", "F2")
