"""Optional packages come in through one door, and a missing one is told with the line that installs it."""

import json

import pytest

from napari_histreg.errors import MissingDependency
from napari_histreg.optional import is_installed, require


def test_what_is_there_is_given():
    assert require("json", extra="gui") is json
    assert is_installed("json.decoder")


def test_what_is_missing_is_said_with_the_line_that_installs_it():
    with pytest.raises(MissingDependency, match=r'pip install "napari-histreg\[elastix\]"') as raised:
        require("no_such_package.inside", extra="elastix")
    assert isinstance(raised.value, ImportError)
    assert not is_installed("no_such_package")
    assert not is_installed("no_such_package.inside")
