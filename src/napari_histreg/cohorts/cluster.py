"""Cases aligned on a Dask cluster: each of its workers attends worker processes of its own.

A worker of Dask that did the work itself would be lost with a case that crashes, and Dask would hand that
case to the next three; nor could a case be ended. So the same function attends the same process here and
there.
"""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_histreg.cohorts.attendance import attend
from napari_histreg.cohorts.engines import Begun, Engine
from napari_histreg.cohorts.note import CaseNote
from napari_histreg.cohorts.task import Task
from napari_histreg.errors import HistregError
from napari_histreg.optional import require

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["dask_cluster"]

TOPIC = "histreg-cohort"
CONNECT_SECONDS = 30.0


class _Cluster:
    """A client of a Dask cluster as an engine."""

    def __init__(self, client: "Client") -> None:
        self.client = client
        self.executor = client.get_executor(pure=False, retries=0)

    @property
    def workers(self) -> int:
        return max(1, sum(int(count) for count in self.client.nthreads().values()))

    def submit(self, task: Task) -> "Future[CaseNote]":
        future: Future[CaseNote] = self.executor.submit(_attend_there, task.model_dump_json())
        return future


@contextmanager
def dask_cluster(scheduler: str | os.PathLike[str], begun: Begun) -> Iterator[Engine]:
    """Have cases aligned by the workers of a Dask cluster.

    Parameters
    ----------
    scheduler : str
        Its address, such as ``tcp://head:8786``, or its scheduler file.
    begun : callable
        Told when a case begins.

    Yields
    ------
    Engine

    Raises
    ------
    MissingDependency
        Dask's scheduler is not installed.
    HistregError
        No scheduler answers there, or its workers have another version of this program.
    """
    distributed = require("distributed", extra="cluster")
    where = os.fspath(scheduler)
    known = {"scheduler_file": where} if Path(where).is_file() else {"address": where}
    try:
        client = distributed.Client(**known, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise HistregError(
            f"No Dask scheduler answers at {where} ({error or type(error).__name__}). Start one with: "
            "dask scheduler"
        ) from error
    try:
        _check_versions(client, where)
        client.subscribe_topic(TOPIC, lambda event: begun(*event[1]))
        engine = _Cluster(client)
        try:
            yield engine
        finally:
            engine.executor.shutdown(wait=False)
    finally:
        client.close(timeout=5)


def _attend_there(task_json: str) -> CaseNote:
    """Attend a case in a worker of Dask."""
    from distributed import get_worker

    worker = get_worker()
    task = Task.model_validate_json(task_json)
    limit = worker.memory_manager.memory_limit
    if task.memory_bytes is None and limit:
        task = task.model_copy(update={"memory_bytes": limit / worker.state.nthreads})

    def announce(number: int, pid: int) -> None:
        worker.log_event(TOPIC, (number, socket.gethostname(), pid))

    return attend(task, announce)


def _version() -> str:
    from napari_histreg import __version__

    return __version__


def _check_versions(client: "Client", where: str) -> None:
    """Refuse workers that would give other results."""
    try:
        found: dict[str, Any] = client.run(_version, on_error="return")
    except (OSError, ValueError) as error:
        raise HistregError(f"The workers of {where} do not answer: {error}.") from error
    for worker, version in found.items():
        if isinstance(version, Exception):
            raise HistregError(
                f"The worker {worker} cannot run this program ({version}). Install napari-histreg where its "
                "workers run."
            )
        if version != _version():
            raise HistregError(
                f"The worker {worker} has version {version} of napari-histreg, and this is {_version()}. "
                "Install the same."
            )
