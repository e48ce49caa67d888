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


AT_THE_END = """
import os, signal
from napari_histreg.cli.signals import listening, stopping_at_once

class Last:
    def __del__(self, kill=os.kill, me=os.getpid(), number=signal.{signal}):
        kill(me, number)

stopping_at_once()
with listening():
    pass
os.kill(os.getpid(), signal.{signal})
last = Last()
"""


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_a_signal_after_the_work_changes_nothing(signal):
    """The first comes when all is done, the second when Python has taken its handlers away."""
    run = subprocess.run([sys.executable, "-c", AT_THE_END.format(signal=signal)], timeout=120, check=False)
    assert run.returncode == 0


IMPORTING = """
import time
from napari_histreg.cli.ending import ended_well

with ended_well(show_traceback=False):
    import slow
    print("made" if slow.MADE else "", flush=True)
    time.sleep(100)
"""
SLOW = "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(0.1)\nMADE = True\n"
LATE = """
import os
from napari_histreg.cli.ending import ended_well

with ended_well(show_traceback=False):
    import last
os.write(1, b"done")
import time
time.sleep(0.2)
"""
TURNED = """
import os, signal
from napari_histreg.cli.ending import ended_well

with ended_well(show_traceback=False):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        raise ImportError("initialization failed") from None
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no timer")
@pytest.mark.parametrize(("code", "made"), [(IMPORTING, "made\n"), (TURNED, "")], ids=["import", "turned"])
def test_a_signal_is_no_error_of_an_import(tmp_path, code, made):
    """A module of C++ that is broken off while it is made ends Python by SIGABRT."""
    (tmp_path / "slow.py").write_text(SLOW)
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stdout) == (143, made), run.stderr
    assert run.stderr.strip() == "Stopped. No half-written file was left."


@pytest.mark.skipif(sys.platform == "win32", reason="there is no timer")
def test_a_signal_in_the_last_import_changes_nothing_any_more(tmp_path):
    """The timer that waits for the end of an import would end the process by SIGALRM."""
    (tmp_path / "last.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    run = subprocess.run(
        [sys.executable, "-c", LATE], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "done", "")


CALLED_BACK = """
import os, signal
import numpy as np, SimpleITK as sitk
from napari_histreg.cli.ending import ended_well
from napari_histreg.methods.simpleitk import Watch

def progress(fraction, message):
    os.kill(os.getpid(), signal.SIGTERM)

with ended_well(show_traceback=False):
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMeanSquares()
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-9, 100000)
    method.SetInitialTransform(sitk.TranslationTransform(2, (3.0, 2.0)))
    image = sitk.GaussianSource(sitk.sitkFloat32, (64, 64), (9.0, 9.0), (30.0, 30.0))
    with Watch(method, progress) as watch:
        watch.tell(lambda: 0.5, "climbing")
        method.Execute(image, image)
    print("not stopped")
"""


def test_a_signal_in_what_an_engine_calls_back_ends_it_without_a_traceback():
    run = subprocess.run(
        [sys.executable, "-c", CALLED_BACK], capture_output=True, text=True, timeout=120, check=False
    )
    assert (run.returncode, run.stdout) == (143, "")
    assert run.stderr.strip() == "Stopped. No half-written file was left."


PENDING = """
import asyncio, threading
from napari_histreg.cli.ending import ended_well

async def broken_off():
    await asyncio.sleep(100)

def begin():
    loop = asyncio.new_event_loop()
    loop.create_task(broken_off())
    loop.run_until_complete(asyncio.sleep(0))

class Torn:
    def __del__(self):
        raise RuntimeError("torn")

torn = Torn()
never = broken_off()
with ended_well(show_traceback=False):
    begin()
    {how}
"""


@pytest.mark.parametrize("stopped", [True, False])
def test_what_is_broken_off_in_a_loop_says_nothing_after_the_one_sentence(stopped):
    """Zarr reads and writes in a loop of asyncio, which reports each task that it never ended."""
    code = PENDING.format(how="raise KeyboardInterrupt" if stopped else "pass")
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    if stopped:
        assert run.stderr.strip() == "Stopped. No half-written file was left."
    else:
        for words in ("was destroyed but it is pending", "was never awaited", "RuntimeError: torn"):
            assert words in run.stderr
