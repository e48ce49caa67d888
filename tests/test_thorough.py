"""What is left to `make thorough` leaves each room tests for every run."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
ROOMS = sorted({path.parent for path in TESTS.rglob("test_*.py")})


def is_thorough(node: ast.AST) -> bool:
    """Whether a decorator, or a value of `pytestmark`, marks all that it stands at."""
    return "pytest.mark.thorough" in {
        ast.unparse(part) for part in ([*node.elts] if isinstance(node, ast.List | ast.Tuple) else [node])
    }


def left_for_every_run(path: Path) -> list[str]:
    """Names of the tests of a file that are not left out as a whole."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    marks = [node.value for node in nodes if isinstance(node, ast.Assign)
             and "pytestmark" in map(ast.unparse, node.targets)]  # fmt: skip
    if any(map(is_thorough, marks)):
        return []
    tests = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return [test.name for test in tests if not any(map(is_thorough, test.decorator_list))]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(TESTS).as_posix())
def test_each_room_keeps_tests(room):
    assert any(left_for_every_run(path) for path in room.glob("test_*.py"))


def test_what_is_marked_is_seen(tmp_path):
    path = tmp_path / "test_it.py"
    path.write_text("@pytest.mark.slow\n@pytest.mark.thorough\ndef test_a(): ...\ndef test_b(): ...\n")
    assert left_for_every_run(path) == ["test_b"]
    path.write_text("pytestmark = [pytest.mark.qt, pytest.mark.thorough]\ndef test_a(): ...\n")
    assert left_for_every_run(path) == []
