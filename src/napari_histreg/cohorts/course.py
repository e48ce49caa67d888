"""The course of a run: cases are handed out, tried again, noted, and told of."""

import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from napari_histreg.cohorts.engines import Begun, Engine, this_machine
from napari_histreg.cohorts.events import Event, Listener
from napari_histreg.cohorts.leftovers import take_away_if_ours
from napari_histreg.cohorts.note import CaseNote, write_note
from napari_histreg.cohorts.plan import Planned
from napari_histreg.cohorts.resources import memory_share
from napari_histreg.cohorts.results import ResultTable
from napari_histreg.cohorts.settings import RunSettings
from napari_histreg.cohorts.task import Task
from napari_histreg.errors import Cancelled
from napari_histreg.files import LIMITS
from napari_histreg.progress import Progress, silent
from napari_histreg.threads import processor_count

__all__ = ["Course", "task_of"]

WAIT_SECONDS = 0.5


@dataclass
class Course:
    """One run, from the first case to the last."""

    planned: list[Planned]
    folder: Path
    settings: RunSettings
    token: str
    listeners: Sequence[Listener]
    progress: Progress = silent
    ran: int = 0
    took: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.table = ResultTable(
            [one.case for one in self.planned], [one.note for one in self.planned], self.folder
        )
        self.inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.due = {one.case.number: one for one in self.planned if one.is_due}
        self.start = time.monotonic()

    def go(self) -> None:
        """Run what is due and tell of it."""
        self.tell("start")
        if self.due:
            for number in self.due:
                self.table.set(number, CaseNote(name=self.due[number].case.name, state="waiting"))
            self.table.write()
            self._work()
        self.tell("end", seconds=time.monotonic() - self.start)

    def _work(self) -> None:
        workers = max(1, min(self.settings.workers or processor_count(), len(self.due)))
        local = self.settings.scheduler is None
        threads = max(1, processor_count() // workers) if local else 1
        memory = memory_share(workers) if local else None

        def begun(number: int, host: str, pid: int) -> None:
            self.inbox.put(lambda: self._begun(number, host, pid))

        with _engine(self.settings, workers, begun) as engine:
            self.engine = engine
            for one in self.due.values():
                self._submit(
                    task_of(one, self.folder, self.settings, token=self.token, threads=threads, memory=memory)
                )
            while self.due:
                self.progress(1 - len(self.due) / len(self.planned), "")
                try:
                    self.inbox.get(timeout=WAIT_SECONDS)()
                except queue.Empty:
                    self.table.write_if_due()

    def _submit(self, task: Task) -> None:
        future = self.engine.submit(task)
        future.add_done_callback(lambda future: self.inbox.put(lambda: self._done(task, future)))

    def _begun(self, number: int, host: str, pid: int) -> None:
        if number in self.due:
            name = self.due[number].case.name
            self.table.set(number, CaseNote(name=name, state="running", host=host, pid=pid))
            self.tell("begun", case=name, number=number, host=host, pid=pid)
            self.table.write_if_due()

    def _done(self, task: Task, future: "Future[CaseNote]") -> None:
        note = self._note_of(task, future)
        name, number = task.case.name, task.case.number
        if note.can_pass and task.attempt <= self.settings.retries:
            self.tell("again", case=name, number=number, reason=note.reason)
            self._submit(task.model_copy(update={"attempt": task.attempt + 1}))
            return
        del self.due[number]
        self.ran += 1
        self.took.append(note.seconds)
        self.table.set(number, note)
        self.tell(
            "done", case=name, number=number, state=note.state, reason=note.reason, seconds=note.seconds
        )
        self.table.write_if_due()

    def _note_of(self, task: Task, future: "Future[CaseNote]") -> CaseNote:
        """Return how a case ended; whoever attended it may be gone, too."""
        try:
            return future.result()
        except (CancelledError, Cancelled):
            raise Cancelled from None
        except Exception as error:  # noqa: BLE001 - one case never ends the others
            reason = " ".join(f"It could not be attended: {error or type(error).__name__}".split())
            note = CaseNote(
                name=task.case.name, state="failed", reason=reason, can_pass=True, attempts=task.attempt
            )
            folder = self.folder / task.case.name
            folder.mkdir(parents=True, exist_ok=True)
            take_away_if_ours(folder)
            write_note(note, folder)
            return note

    def tell(self, kind: str, **values: object) -> None:
        """Tell all listeners where the run stands."""
        finished = len(self.planned) - len(self.due)
        left = None
        if self.took and self.due and kind == "done":
            left = median(self.took) * len(self.due) / self.engine.workers
        event = Event(kind=kind, finished=finished, total=len(self.planned), left_seconds=left, **values)  # type: ignore[arg-type]
        for listener in self.listeners:
            listener(event)


def task_of(
    planned: Planned, folder: Path, settings: RunSettings, *, token: str, threads: int, memory: float | None
) -> Task:
    """Return what a worker is told of a case."""
    return Task(
        case=planned.case,
        results=str(folder),
        maps=settings.path_maps,
        report=settings.report,
        threads=threads,
        memory_bytes=settings.memory_bytes or memory,
        max_gb=LIMITS.gb,
        timeout_seconds=settings.timeout_seconds,
        token=token,
        instead_of=planned.instead_of,
    )


def _engine(settings: RunSettings, workers: int, begun: Begun) -> AbstractContextManager[Engine]:
    if settings.scheduler is None:
        return this_machine(workers, begun)
    from napari_histreg.cohorts.cluster import dask_cluster

    return dask_cluster(settings.scheduler, begun)
