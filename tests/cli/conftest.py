"""The command line called in this process, as a shell would call it."""

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from napari_histreg.cli import main


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def histreg(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run ``histreg`` with arguments; gives exit code, stdout and stderr."""

    def run(*arguments: object, columns: int = 200) -> Ended:
        monkeypatch.setattr(sys, "argv", ["histreg", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("NO_COLOR", "1")
        capsys.readouterr()
        kept = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
        try:
            with pytest.raises(SystemExit) as ending:
                main()
        finally:
            for number, handler in kept:
                signal.signal(number, handler)
        captured = capsys.readouterr()
        code = ending.value.code
        return Ended(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo writes that `demo` runs."""
    return tmp_path_factory.mktemp("demo") / "demo"


@pytest.fixture
def demo(histreg: Callable[..., Ended], demo_folder: Path) -> Callable[[], tuple[Path, str]]:
    """Run the demo, once for all that begin with it; gives its folder, to be copied, and what it said."""

    def run() -> tuple[Path, str]:
        said = demo_folder.with_suffix(".txt")
        if not said.exists():
            ended = histreg("demo", "-o", demo_folder)
            assert ended.code == 0, ended.err
            said.write_text(ended.out, encoding="utf-8")
        return demo_folder, said.read_text(encoding="utf-8")

    return run
