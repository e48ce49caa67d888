"""The exit code is the one that was meant, however the run was interrupted."""

import subprocess
import sys

import pytest

INTERRUPTED = """
from napari_histreg.cli.ending import ended_well

def interrupt():
    raise KeyboardInterrupt

if __name__ == "__main__":
    with ended_well(show_traceback=False):
        {how}
"""


@pytest.mark.parametrize(
    "how", ["interrupt()", 'exec("interrupt()")'], ids=["plainly", "within an exec of text"]
)
def test_an_interrupted_module_ends_with_130(tmp_path, how):
    """CPython would end by SIGINT (-2) after an interruption in the making of a dataclass."""
    (tmp_path / "interrupted.py").write_text(INTERRUPTED.format(how=how))
    run = subprocess.run(
        [sys.executable, "-m", "interrupted"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 130, run.stderr
    assert run.stderr.strip() == "Stopped. No half-written file was left."
