import pytest

from napari_histreg.optional import is_installed, require
from napari_histreg.progress import Cancelled, portion, silent


def test_a_portion_stays_inside_its_part():
    seen = []
    part = portion(lambda fraction, message: seen.append((fraction, message)), 0.25, 0.75)
    for fraction in (-1, 0, 0.5, 1, 2):
        part(fraction, "x")
    assert [fraction for fraction, _ in seen] == [0.25, 0.25, 0.5, 0.75, 0.75]
    silent(0.5, "nothing happens")


def test_cancelling_passes_through_a_portion():
    def stop(fraction, message):
        raise Cancelled

    with pytest.raises(Cancelled):
        portion(stop, 0, 1)(0.5, "x")


def test_a_missing_package_names_the_line_that_installs_it():
    assert not is_installed("no_such_package")
    assert not is_installed("no_such_package.inner")
    with pytest.raises(ImportError, match=r'pip install "napari-histreg\[elastix\]"'):
        require("no_such_package", extra="elastix")
