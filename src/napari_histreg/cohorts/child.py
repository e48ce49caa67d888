"""A worker process seen from outside: told, heard, measured and ended."""

import contextlib
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence

import psutil

from napari_histreg.threads import limited_environment

__all__ = ["WORKER", "Child"]

WORKER = (sys.executable, "-m", "napari_histreg.cohorts.worker")
_END = None


class Child:
    """A process that answers each line with a line.

    Parameters
    ----------
    threads : int
        How many it may take.
    command : sequence of str
        What to run.
    """

    def __init__(self, threads: int, command: Sequence[str] = WORKER) -> None:
        self.threads = threads
        self.is_ready = False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        # A session of its own: Ctrl-C in the terminal is for the run, which then ends its children.
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="utf-8",
            env=limited_environment(threads),
            start_new_session=True,
        )
        self._seen = psutil.Process(self._process.pid)
        self._family: list[psutil.Process] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def send(self, line: str) -> None:
        """Write a line; where the process has ended, `receive` tells."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()

    def receive(self, seconds: float) -> str | None:
        """Return the next line, "" where none came in time, or None where the process has ended."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            return ""
        if line is _END:
            self._lines.put(_END)
        return line

    def memory_bytes(self, *, look_for_others: bool) -> float:
        """Return the memory in use, with that of the processes it started.

        Parameters
        ----------
        look_for_others : bool
            Look for processes that it started since; this takes milliseconds.
        """
        try:
            if look_for_others:
                self._family = self._seen.children(recursive=True)
            used = float(self._seen.memory_info().rss)
        except psutil.Error:
            return 0.0
        for other in self._family:
            with contextlib.suppress(psutil.Error):
                used += other.memory_info().rss
        return used

    def ended(self) -> tuple[int, str]:
        """Wait for the end; returns the exit code and the last line that was printed outside a case."""
        code = self._process.wait()
        if self._said.closed:
            return code, ""
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").split("\n")
        return code, next((line.strip() for line in reversed(lines) if line.strip()), "")

    def kill(self) -> None:
        """End it at once, and whatever it started."""
        with contextlib.suppress(psutil.Error):
            self._family = self._seen.children(recursive=True)
        for process in (self._seen, *self._family):
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._said):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def _listen(self) -> None:
        stream = self._process.stdout
        if stream is not None:
            with stream:
                for line in stream:
                    self._lines.put(line.rstrip("\n"))
        self._lines.put(_END)
