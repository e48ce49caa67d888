"""Runs a page of the documentation as it stands: its commands and its Python, one by one, in one folder.

A block ``text`` behind a block says what is printed: each of its lines must be found, in this order;
``…`` stands for anything. A command whose comment is ``# ends with N`` ends with N, any other with 0.
One that ends with ``&`` runs in the background until the page is done. A block
behind the remark ``<!-- not run: why -->`` is left out; the site does not show the remark.
"""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<why>[^>\n]+) -->\n)?```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
ENDS = re.compile(r"#.*\bends with (\d+)")
RUN = ("bash", "python")
MADE = ".json"
"""A file of this kind that a command in the background names is made by it, and waited for."""


@dataclass(frozen=True)
class Block:
    """A block to run, the lines that it should print, and why it is not run, if it is not."""

    language: str
    code: str
    printed: tuple[str, ...]
    not_run: str = ""


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page that hold commands or Python."""
    found = list(BLOCK.finditer(page.read_text(encoding="utf-8")))
    blocks = []
    for block, following in zip_longest(found, found[1:]):
        if block["language"] in RUN:
            says = following is not None and following["language"] == "text"
            printed = tuple(filter(str.strip, following["code"].splitlines())) if says else ()
            blocks.append(Block(block["language"], block["code"], printed, block["why"] or ""))
    return blocks


def commands_of(code: str) -> Iterator[tuple[list[str], int]]:
    """Yield the commands of a block as lists of words, and the exit code that each says it has."""
    for line in re.sub(r"\\\n\s*", " ", code).splitlines():
        words = shlex.split(line, comments=True)
        if words:
            ends = ENDS.search(line)
            words = [found for word in words for found in _expanded(os.path.expandvars(word))]
            yield words, int(ends[1]) if ends else 0


def _expanded(word: str) -> list[str]:
    return sorted(path.as_posix() for path in Path().glob(word)) if "*" in word else [word]


def missing_lines(printed: tuple[str, ...], output: str) -> list[str]:
    """Return the lines that should have been printed and were not, each looked for behind the one before."""
    missing, place = [], 0
    output = " ".join(output.split())
    for line in printed:
        pattern = ".*?".join(re.escape(" ".join(part.split())) for part in line.split("…"))
        found = re.compile(pattern).search(output, place)
        if found is None:
            missing.append(line)
        else:
            place = found.end()
    return missing


@contextmanager
def _in_the_background(words: list[str]) -> Iterator[None]:
    command = [sys.executable, "-m", *words]
    part = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for made in (Path(word) for word in words if word.endswith(MADE)):
            deadline = time.monotonic() + 120
            while not made.exists():
                assert part.poll() is None, f"{shlex.join(words)} ended with {part.returncode}"
                assert time.monotonic() < deadline, f"{shlex.join(words)} has not made {made}"
                time.sleep(0.1)
        yield
    finally:
        part.terminate()
        part.wait(timeout=60)


def run_page(page: Path, run: Callable[[list[str]], tuple[int, str]], printed: Callable[[], str]) -> None:
    """Run the blocks of a page in the current folder.

    `run` takes a command line and gives exit code and output; `printed` gives what Python has printed since.
    """
    names: dict[str, Any] = {"__name__": "__page__"}
    with ExitStack() as background:
        for block in blocks_of(page):
            if block.not_run:
                continue
            if block.language == "python":
                exec(compile(block.code, page.name, "exec"), names)
                output = printed()
            else:
                output = _said(page.name, block.code, run, background)
            missing = missing_lines(block.printed, output)
            assert not missing, f"{page.name}: not printed: {missing}\nbut:\n{output}"


def _said(page: str, code: str, run: Callable[[list[str]], tuple[int, str]], background: ExitStack) -> str:
    output = ""
    for words, ends in commands_of(code):
        if words[-1] == "&":
            background.enter_context(_in_the_background(words[:-1]))
            continue
        ended, said = run(words)
        assert ended == ends, f"{page}: {shlex.join(words)} ended with {ended}\n{said}"
        output += said
    return output
