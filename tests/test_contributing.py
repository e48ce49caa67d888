"""The pages on how to add something work as they stand: each is followed to the letter in a copy."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs" / "contributing").glob("*.md"))
LEAVE = shutil.ignore_patterns("__pycache__", "plugin", "images")

BLOCK = re.compile(r"^(?P<lead>[^\n]*:)\n\n```(?P<language>\w+)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
NEW_FILE = re.compile(r"New file `(?P<path>[^`]+)`:")
BELOW = re.compile(r"In `(?P<path>[^`]+)`, below the line `(?P<line>[^`]+)`:")


def follow(page: Path, house: Path) -> list[str]:
    """Do what a page says, in `house`; return what its last step asks to run."""
    commands = []
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        lead, code = block["lead"], block["code"]
        if new := NEW_FILE.fullmatch(lead):
            path = house / new["path"]
            assert not path.exists(), f"{page.name}: {new['path']} is there already"
            path.write_text(code, encoding="utf-8")
        elif below := BELOW.fullmatch(lead):
            path = house / below["path"]
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            places = [k for k, line in enumerate(lines) if line == below["line"] + "\n"]
            assert len(places) == 1, f"{page.name}: {below['line']!r} in {below['path']}"
            lines.insert(places[0] + 1, code)
            path.write_text("".join(lines), encoding="utf-8")
        else:
            assert lead == "Then run:", f"{page.name}: {lead!r} is no step that this test knows"
            commands += code.splitlines()
    return commands


def test_the_pages_are_there_and_fit_a_page():
    assert {page.stem for page in PAGES} >= {"reader", "method", "transform-dialect", "landmark-dialect"}
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for page in PAGES:
        assert f"docs/contributing/{page.name}" in contributing
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 110


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_followed_to_the_letter_passes_the_contract(page, tmp_path):
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=LEAVE)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    commands = follow(page, tmp_path)
    assert commands
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    for command in commands:
        asked = [sys.executable, *shlex.split(command)[1:]]
        done = subprocess.run(
            [*asked, "-p", "no:cacheprovider"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:]
        # The contract has rows for what is new, and none was skipped.
        assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 4
        assert "skipped" not in done.stdout.splitlines()[-1]
    new = [
        path for path in (tmp_path / "src").rglob("*.py") if not (ROOT / path.relative_to(tmp_path)).exists()
    ]
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--config", tmp_path / "pyproject.toml", *new],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
