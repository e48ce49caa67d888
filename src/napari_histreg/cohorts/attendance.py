"""One case handed to a worker process and watched: if it crashes or takes too much, it ends alone."""

import atexit
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from napari_histreg.cohorts.beginning import begun
from napari_histreg.cohorts.child import WORKER, Child
from napari_histreg.cohorts.leftovers import take_away_if_ours
from napari_histreg.cohorts.lock import holds
from napari_histreg.cohorts.note import CaseNote, write_note
from napari_histreg.cohorts.task import Task
from napari_histreg.cohorts.worker import READY
from napari_histreg.errors import Cancelled, WriteError

__all__ = ["Announce", "attend", "end_children"]

POLL_SECONDS = 0.1
STOP_SECONDS = 1.0
START_SECONDS = 300.0
REST_SHARE = 0.25
"""A worker that keeps more than this of the limit after a case is replaced: the next case gets all of it."""
MB = 1 << 20

Announce = Callable[[int, int], None]
"""Told the number of a case and of the process that begins it."""


class _Children:
    """The workers of this process that have nothing to do, and all that there are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[tuple[tuple[str, ...], Child]] = []
        self._all: set[Child] = set()
        self.closed = False

    def take(self, threads: int, command: Sequence[str]) -> Child:
        wanted = tuple(command)
        with self._lock:
            for place, (started, child) in enumerate(self._idle):
                if started == wanted and child.threads == threads:
                    del self._idle[place]
                    if child.is_alive:
                        return child
                    self._all.discard(child)
                    break
        child = Child(threads, command)
        with self._lock:
            self._all.add(child)
        return child

    def give_back(self, child: Child, command: Sequence[str]) -> None:
        with self._lock:
            self._idle.append((tuple(command), child))

    def end(self, child: Child) -> None:
        child.kill()
        with self._lock:
            self._all.discard(child)

    def end_all(self) -> None:
        with self._lock:
            children, self._all, self._idle = list(self._all), set(), []
        for child in children:
            child.kill()


_children = _Children()
atexit.register(_children.end_all)


def end_children() -> None:
    """End all workers that this process has."""
    _children.end_all()


@dataclass
class _Watch:
    """What was seen of a case while it ran."""

    start: float
    peak_bytes: float = 0.0
    looks: int = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.start


def attend(
    task: Task,
    announce: Announce | None = None,
    stop: threading.Event | None = None,
    command: Sequence[str] | None = None,
) -> CaseNote:
    """Have a case aligned by a worker process, and say how it ended.

    Parameters
    ----------
    task : Task
    announce : callable, optional
        Told when the case begins.
    stop : threading.Event, optional
        Set to end it; the lock of the results does the same for those who are far away.
    command : sequence of str, optional
        What to run as worker.

    Returns
    -------
    CaseNote
        It lies in the case's folder, too.

    Raises
    ------
    Cancelled
        The run has ended.
    WriteError
        The results are not where they are expected, or cannot be written.
    """
    _check_results(task)
    command = command or WORKER
    child = _children.take(task.threads, command)
    try:
        _await_ready(child)
        if announce is not None:
            announce(task.case.number, child.pid)
        watch = _Watch(time.monotonic())
        child.send(task.model_dump_json())
        answer = _watched(task, child, watch, stop)
        is_done = answer.startswith("{")
        note = CaseNote.model_validate_json(answer) if is_done else _without_answer(task, child, answer)
        note = note.model_copy(
            update={
                "peak_memory_mb": round(watch.peak_bytes / MB, 1),
                "seconds": round(note.seconds or watch.seconds, 3),
            }
        )
        write_note(note, task.folder)
    except BaseException:
        _children.end(child)
        raise
    rest = child.memory_bytes(look_for_others=False) if is_done else float("inf")
    if rest <= REST_SHARE * (task.memory_bytes or float("inf")) and is_done:
        _children.give_back(child, command)
    else:
        _children.end(child)
    return note


def _without_answer(task: Task, child: Child, reason: str) -> CaseNote:
    """Make the note of a case whose worker did not come to write it."""
    task.folder.mkdir(parents=True, exist_ok=True)
    take_away_if_ours(task.folder)
    said = {"state": "failed", "reason": reason, "can_pass": reason.startswith(_DIED), "pid": child.pid}
    return begun(task).model_copy(update=said)


_DIED = "Its worker"


def _watched(task: Task, child: Child, watch: _Watch, stop: threading.Event | None) -> str:
    """Wait for the answer; returns it, or a sentence that says why there is none."""
    asked = watch.start
    while True:
        answer = child.receive(POLL_SECONDS)
        watch.peak_bytes = max(watch.peak_bytes, child.memory_bytes(look_for_others=watch.looks % 10 == 0))
        watch.looks += 1
        if answer is None:
            return _death(child)
        if answer:
            return answer
        if task.memory_bytes is not None and watch.peak_bytes > task.memory_bytes:
            child.kill()
            return (
                f"It took more memory than the {task.memory_bytes / 1e9:.3g} GB that a case may take. "
                "Raise --memory, or run fewer --workers at a time."
            )
        if task.timeout_seconds is not None and watch.seconds > task.timeout_seconds:
            child.kill()
            return (
                f"It took longer than the {task.timeout_seconds:g} s that a case may take. Raise --timeout."
            )
        if stop is not None and stop.is_set():
            raise Cancelled
        if time.monotonic() - asked > STOP_SECONDS:
            asked = time.monotonic()
            if task.token and not holds(task.results_here, task.token):
                raise Cancelled


def _await_ready(child: Child) -> None:
    """Wait until a new worker has loaded its libraries; one that waits already has said so before."""
    if child.is_ready:
        return
    answer = child.receive(START_SECONDS)
    if answer != READY:
        child.kill()
        raise WriteError(f"No worker could be started. {child.ended()[1]}")
    child.is_ready = True


def _death(child: Child) -> str:
    code, said = child.ended()
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        because = f"was killed ({name})"
    else:
        because = f"ended (exit code {code}) {said}".strip()
    hint = " If the machine ran out of memory, run fewer --workers or set --memory." if code == -9 else ""
    return f"{_DIED} {because}; see log.txt.{hint}"


def _check_results(task: Task) -> None:
    """Refuse to write where the run does not look: a folder of the same name on another machine."""
    if task.token and not holds(task.results_here, task.token):
        if task.results_here.is_dir():
            raise Cancelled
        raise WriteError(
            f"{task.results_here} is not there on {socket.gethostname()}: "
            "share the folder with all workers, or say where it lies there with --path-map OLD=NEW."
        )
