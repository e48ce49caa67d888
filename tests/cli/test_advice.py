"""Errors of the library name what they want; the command line says how it is given."""

import re
from pathlib import Path

import napari_histreg
from napari_histreg.cli.advice import ADVICE, advice
from napari_histreg.errors import DamagedFile

PACKAGE = Path(napari_histreg.__file__).parent


def test_every_want_of_the_library_has_its_advice():
    wanted = set()
    for path in PACKAGE.rglob("*.py"):
        if "cli" not in path.relative_to(PACKAGE).parts:
            text = path.read_text(encoding="utf-8")
            wanted.update(re.findall(r'wants="([^"]+)"', text))
            wanted.update(re.findall(r' reopen\([^)]*"([^"]+)"\)', text))
    assert wanted == set(ADVICE)


def test_an_error_that_wants_nothing_gets_no_advice():
    assert advice(DamagedFile("It is broken.")) == ""
    assert advice(ValueError("3 is too few.")) == ""
