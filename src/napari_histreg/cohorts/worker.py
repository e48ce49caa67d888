"""The process in which cases are aligned: ``python -m napari_histreg.cohorts.worker``.

Each line of its input is a task as JSON, each line of its output the note of how it ended. It stays for the
next one, for loading the libraries takes seconds; it ends with its input, even in the middle of a case: then
whoever asked is gone. What a case prints goes to a log in the case's own folder.
"""

import faulthandler
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from napari_histreg.cohorts.layout import LOG
from napari_histreg.cohorts.note import CaseNote
from napari_histreg.cohorts.task import Task
from napari_histreg.files import allow_gb
from napari_histreg.progress import Progress
from napari_histreg.threads import thread_count

__all__ = ["READY", "main", "serve"]

READY = "ready"
IDLE_SECONDS = 120.0
_LOG_EVERY_SECONDS = 1.0


def main() -> None:
    """Align the cases that come in, one after another."""
    from napari_histreg.cohorts.aligning import align_case

    limit_threads()
    serve(align_case)


def limit_threads() -> None:
    """Hold the libraries that do not read the environment to the same number of threads."""
    import cv2
    import SimpleITK

    cv2.setNumThreads(thread_count())
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(thread_count())


def serve(work: Callable[[Task, Progress], CaseNote]) -> None:
    """Do `work` for each task that comes in, until no more come.

    Parameters
    ----------
    work : callable
        Called with a task and a progress; returns the note.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What libraries print must not get between the answers.
    _silence(1)
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    faulthandler.enable()
    _answer(answers, READY)
    while True:
        try:
            line = lines.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            return
        task = Task.model_validate_json(line)
        if task.max_gb is not None:
            allow_gb(task.max_gb)
        log = _Log(task.folder / LOG)
        try:
            note = work(task, log.progress)
            print(f"{log.seconds():8.1f} s  {note.state}: {note.reason}", file=sys.stderr, flush=True)  # noqa: T201
        finally:
            log.close()
        _answer(answers, note.model_dump_json())


def _listen(lines: "queue.Queue[str]") -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _answer(answers: TextIO, line: str) -> None:
    print(line, file=answers, flush=True)


def _silence(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


class _Log:
    """Takes what one case prints, also from libraries and in a crash."""

    def __init__(self, path: Path) -> None:
        self.before = os.dup(2)
        self.start = self.last = time.monotonic()
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        for number in (1, 2):
            os.dup2(file, number)
        os.close(file)
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} process {os.getpid()}", file=sys.stderr, flush=True)  # noqa: T201

    def seconds(self) -> float:
        return time.monotonic() - self.start

    def progress(self, fraction: float, message: str) -> None:
        if time.monotonic() - self.last > _LOG_EVERY_SECONDS:
            self.last = time.monotonic()
            print(f"{self.seconds():8.1f} s  {fraction:4.0%} {message}", file=sys.stderr, flush=True)  # noqa: T201

    def close(self) -> None:
        os.dup2(self.before, 2)
        os.close(self.before)
        _silence(1)


if __name__ == "__main__":
    main()
