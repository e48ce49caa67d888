"""Help shows a value behind an option only where one is to be given."""

import pytest

VERBS = (
    "demo",
    "info",
    "register",
    "warp",
    "transform",
    "convert",
    "fuse",
    "evaluate",
    "report",
    "template",
    "methods",
)


@pytest.mark.parametrize("verb", [(), *((verb,) for verb in VERBS)])
def test_nothing_stands_behind_a_flag(histreg, verb):
    ended = histreg(*verb, "--help", columns=80)
    assert ended.code == 0
    assert "bool" not in ended.out.lower()
    assert "--help" in ended.out


def test_options_with_a_value_show_it(histreg):
    out = histreg("transform", "--help", columns=100).out
    assert "PX" in out
    assert "X,Y" in out
