"""Where cases are aligned: on this machine, or on a Dask cluster; both are executors of `attend`."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from napari_histreg.cohorts.attendance import attend, end_children
from napari_histreg.cohorts.note import CaseNote
from napari_histreg.cohorts.task import Task

__all__ = ["Begun", "Engine", "this_machine"]

Begun = Callable[[int, str, int], None]
"""Told the number of a case, and on which host and in which process it begins; from any thread."""


class Engine(Protocol):
    """Something that has cases aligned.

    Attributes
    ----------
    workers : int
        How many cases go on at a time.
    """

    @property
    def workers(self) -> int:
        """How many cases go on at a time."""

    def submit(self, task: Task) -> "Future[CaseNote]":
        """Have a case aligned."""


@dataclass(frozen=True)
class _ThisMachine:
    """Threads that do nothing but attend worker processes."""

    threads: Executor
    workers: int
    stop: threading.Event
    announce: Callable[[int, int], None]

    def submit(self, task: Task) -> "Future[CaseNote]":
        return self.threads.submit(attend, task, self.announce, self.stop)


@contextmanager
def this_machine(workers: int, begun: Begun) -> Iterator[Engine]:
    """Have cases aligned by so many processes of this machine.

    Parameters
    ----------
    workers : int
        From 1.
    begun : callable
        Told when a case begins.

    Yields
    ------
    Engine
    """
    host = socket.gethostname()
    stop = threading.Event()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="case")
    try:
        yield _ThisMachine(pool, workers, stop, lambda number, pid: begun(number, host, pid))
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        end_children()
