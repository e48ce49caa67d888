"""-p KEY=VALUE: parameters of methods, and nothing else."""

import pytest
import typer

from napari_histreg.cli.parameters import parsed
from napari_histreg.registration import register


def test_keys_and_values_are_told_apart():
    assert parsed(["iterations=200", " name = a=b "]) == {"iterations": "200", "name": "a=b"}
    assert parsed(None) == {}


@pytest.mark.parametrize("item", ["iterations", "=3", ""])
def test_what_is_no_pair_is_refused(item):
    with pytest.raises(typer.BadParameter, match="KEY=VALUE"):
        parsed([item])


@pytest.mark.parametrize("key", ["signal", "method", "fixed", "progress", "must_find"])
def test_what_has_an_option_of_its_own_is_no_parameter(key):
    with pytest.raises(typer.BadParameter, match="no parameter of a method"):
        parsed([f"{key}=grey"], given_to=register)
    assert parsed(["nonrigid=true", "parameters=1"], given_to=register) == {
        "nonrigid": "true",
        "parameters": "1",
    }
