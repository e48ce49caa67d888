"""The parent's side of elastix's process: start it, hand it jobs, watch its log, end it."""

import contextlib
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from napari_histreg.errors import Cancelled, RegistrationError
from napari_histreg.methods.elastix.child import ANSWER, LOG
from napari_histreg.progress import Progress

__all__ = ["ElastixWorker", "elastix_worker"]

POLL_SECONDS = 0.05
ITERATION = re.compile(rb"^(\d+)\t", re.MULTILINE)


class ElastixWorker:
    """A process that runs elastix, started at the first job and again after it was killed.

    It may be shared by threads: one job runs at a time, the others wait. The process ends with this
    object, or with the program.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._finalizer: weakref.finalize[Any, Any] | None = None
        self._errors: Any = None
        self._owner = os.getpid()

    @property
    def pid(self) -> int | None:
        """Id of the process while there is one."""
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            return None
        return self._process.pid

    def run(
        self, folder: Path, levels: Sequence[int], *, timeout_seconds: float, progress: Progress
    ) -> dict[str, Any]:
        """Run the job in a folder; see `elastix_child.run_job`.

        Parameters
        ----------
        folder : Path
            The job.
        levels : sequence of int
            Most iterations of each resolution level of each stage, in order: the scale of the progress.
        timeout_seconds : float
            Longer than this counts as hanging; loading the library is not counted.
        progress : Progress
            Told of each level; where it raises, the process is killed.

        Returns
        -------
        dict
            The answer of the child.

        Raises
        ------
        RegistrationError
            The process died or hung.
        """
        with self._turn(progress):
            try:
                self._send(folder)
                return self._wait(folder, levels, timeout_seconds, progress)
            except Cancelled:
                self.close()
                # Whoever cancels often starts again at once: the library loads meanwhile.
                self._start()
                raise
            except BaseException:
                # Hung or dead: the next job gets a fresh process.
                self.close()
                raise

    def close(self) -> None:
        """End the process, now."""
        if self._finalizer is not None:
            self._finalizer()
        self._process = self._finalizer = None

    @contextlib.contextmanager
    def _turn(self, progress: Progress) -> Iterator[None]:
        """Wait for other threads' jobs, in a way that can be cancelled."""
        while not self._lock.acquire(timeout=0.2):
            progress(0.0, "waiting for another elastix run")
        try:
            yield
        finally:
            self._lock.release()

    def _send(self, folder: Path) -> None:
        if self.pid is None:
            self.close()
            self._start()
        process = self._process
        if process is None or process.stdin is None:
            raise RegistrationError("The elastix process could not be started.")
        try:
            process.stdin.write(json.dumps(str(folder)).encode() + b"\n")
            process.stdin.flush()
        except OSError as error:
            raise RegistrationError(self._last_words()) from error

    def _start(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        # On Windows a console window would open.
        flags: dict[str, Any] = {"creationflags": 0x08000000} if os.name == "nt" else {}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "napari_histreg.methods.elastix.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            **flags,
        )
        self._owner = os.getpid()
        self._finalizer = weakref.finalize(self, _end, self._process, self._errors, self._owner)

    def _wait(
        self, folder: Path, levels: Sequence[int], timeout_seconds: float, progress: Progress
    ) -> dict[str, Any]:
        """Watch the log until the answer is there."""
        log, answer = folder / LOG, folder / ANSWER
        begun: float | None = None
        told = ""
        while not answer.exists():
            if self.pid is None and not answer.exists():
                raise RegistrationError(self._last_words())
            if begun is None and log.exists():
                begun = time.monotonic()
            if begun is not None and time.monotonic() - begun > timeout_seconds:
                raise RegistrationError(
                    f"elastix did not finish within {timeout_seconds:g} s and was stopped. Give it more time "
                    "(timeout_seconds), fewer iterations or a smaller working size."
                )
            fraction, words = _progress_of(log, levels)
            if words != told:
                told = words
            progress(fraction, words)
            time.sleep(POLL_SECONDS)
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found

    def _last_words(self) -> str:
        """Say that the process died, with what it left behind."""
        code = None if self._process is None else self._process.poll()
        words = ""
        if self._errors is not None:
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            words = f" ({lines[-1].strip()})" if lines else ""
        return (
            f"The elastix process ended by itself, exit code {code}{words}. Try again with a smaller working "
            "size; if it happens again, use another method."
        )


def _progress_of(log: Path, levels: Sequence[int]) -> tuple[float, str]:
    """Read from elastix's log how far it is."""
    try:
        text = log.read_bytes()
    except OSError:
        return 0.0, "starting elastix"
    level = len(re.findall(rb"^Resolution: \d", text, re.MULTILINE))
    if level == 0:
        return 0.0, "starting elastix"
    last = text.rfind(b"\nResolution: ")
    done = len(ITERATION.findall(text, max(last, 0)))
    share = sum(levels[: level - 1]) + min(done, levels[min(level, len(levels)) - 1])
    return min(share / max(sum(levels), 1), 1.0), f"elastix, level {level} of {len(levels)}"


def _end(process: "subprocess.Popen[bytes]", errors: Any, owner: int) -> None:
    """Kill a process and wait for it, so that no zombie stays."""
    if os.getpid() != owner:
        # In a fork of the program: the process is its parent's.
        return
    process.kill()
    if process.stdin is not None:
        # There may be unwritten lines for a process that is gone.
        with contextlib.suppress(OSError):
            process.stdin.close()
    process.wait()
    errors.close()


@functools.cache
def elastix_worker() -> ElastixWorker:
    """Return the process that all elastix runs of this program share.

    It is kept because loading the library takes far longer than most runs.
    """
    return ElastixWorker()
