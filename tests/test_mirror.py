"""Every source file has its test: under its own name, or by a row of `mirror.py` that reaches it."""

import ast
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from mirror import COVERED

TESTS = Path(__file__).resolve().parent
SOURCE = TESTS.parent / "src" / "napari_histreg"
STEPS = 4
"""Imports from a test to what it covers, at most: beyond, everything reaches everything."""

FILES = {
    path.relative_to(SOURCE).as_posix(): path
    for path in sorted(SOURCE.rglob("*.py"))
    if path.name not in ("__init__.py", "__main__.py")
}


def own_test(place: str) -> Path:
    path = TESTS / place
    return path.with_name(f"test_{path.name.lstrip('_')}")


def row_of(place: str) -> str | None:
    """Return the first pattern that fits a source file; a star stays within one folder."""
    fits = (p for p in COVERED if fnmatch(place, p) and p.count("/") == place.count("/"))
    return next(fits, None)


@cache
def named(path: Path) -> frozenset[Path]:
    """Source and helper files that a file imports, or names as text, as the tables do."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # "napari_histreg.methods.features.features:Sift", or "._netpbm:read_netpbm" behind a room's name
            words, colon, _ = node.value.partition(":")
            if "." in words or colon:
                found |= {words, *(f"{room}.{words.lstrip('.')}" for room in rooms_near(path.parent))}
    names = (name for name in found if name.replace(".", "").isidentifier())
    return frozenset(place for name in names if (place := file_of(name)) is not None)


def rooms_near(folder: Path) -> list[str]:
    if SOURCE not in (folder, *folder.parents):
        return []
    rooms = [folder, *(child for child in folder.iterdir() if child.is_dir())]
    return [".".join(("napari_histreg", *room.relative_to(SOURCE).parts)) for room in rooms]


def file_of(name: str) -> Path | None:
    parts = name.split(".")
    if parts[0] == "napari_histreg":
        base = SOURCE.joinpath(*parts[1:])
    elif parts[0] in ("slides", "cli") or len(parts) == 1:
        base = TESTS.joinpath(*parts)
    else:
        return None
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file() and path.parent != path), None)


def is_door(path: Path) -> bool:
    return path.name == "__init__.py" or TESTS in path.parents or path.parent == SOURCE / "cli"


@cache
def reached(test: Path) -> frozenset[Path]:
    """Return what lies within a few imports of a test and of the fixtures beside it."""
    seen = {test, *(path for path in (test.parent / "conftest.py",) if path.is_file())}
    edge = set(seen)
    steps = 0
    while edge and steps < STEPS:
        edge = {other for path in edge for other in named(path)} - seen
        # What a test's own helpers, a room's door and the verbs import counts as imported by the test.
        doors = set(filter(is_door, edge))
        while doors:
            more = {other for path in doors for other in named(path)} - seen - edge
            edge |= more
            doors = set(filter(is_door, more))
        seen |= edge
        steps += 1
    return frozenset(seen)


@pytest.mark.parametrize("place", FILES)
def test_every_source_file_is_tested(place):
    if own_test(place).is_file():
        return
    row = row_of(place)
    assert row is not None, (
        f"{place}: write tests/{own_test(place).relative_to(TESTS)}, or a row in tests/mirror.py"
    )
    test = TESTS / COVERED[row]
    assert test.is_file(), f"tests/mirror.py: {COVERED[row]} is not there"
    assert FILES[place] in reached(test), f"{COVERED[row]} does not reach {place}"


def test_every_row_fits_a_source_file():
    for row in COVERED:
        assert any(fnmatch(place, row) for place in FILES), (
            f"tests/mirror.py: nothing is called {row} any more"
        )
