"""run_cohort: align many cases in processes of their own, and keep a table of what became of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from napari_histreg.cohorts.attendance import attend, end_children
from napari_histreg.cohorts.case import Case
from napari_histreg.cohorts.course import Course, task_of
from napari_histreg.cohorts.events import Listener, journal, log
from napari_histreg.cohorts.lock import locked
from napari_histreg.cohorts.note import SETTLED, CaseNote
from napari_histreg.cohorts.plan import plan
from napari_histreg.cohorts.settings import RunSettings
from napari_histreg.errors import WriteError
from napari_histreg.progress import Progress, silent
from napari_histreg.threads import processor_count

__all__ = ["CohortResult", "counts", "run_cohort", "run_row"]


@dataclass(frozen=True)
class CohortResult:
    """What became of the cases.

    Parameters
    ----------
    notes : tuple of CaseNote
        In the order of the table.
    ran : int
        How many were run this time.
    folder : Path
        Of the results.
    """

    notes: tuple[CaseNote, ...]
    ran: int
    folder: Path

    def count(self, *states: str) -> int:
        """Return how many cases are in one of these states."""
        return sum(note.state in states for note in self.notes)


def run_cohort(
    cases: Sequence[Case],
    folder: str | Path,
    settings: RunSettings | None = None,
    *,
    listeners: Iterable[Listener] = (),
    progress: Progress = silent,
) -> CohortResult:
    """Align many cases; each in a process, with a folder, a log and an end of its own.

    In the folder of results, ``cohort.csv`` always tells of all cases; ``cohort.log`` and ``cohort.jsonl``
    tell what happened when; ``cohort.html`` and ``cohort_mqc.json`` come at the end. Stopped at any
    moment, the next run goes on where this one was.

    Parameters
    ----------
    cases : sequence of Case
        See `read_cases`.
    folder : path-like
        Made if it is not there.
    settings : RunSettings, optional
        How to run them.
    listeners : iterable of callable
        Told each `Event`, in this thread; one may raise `Cancelled` to stop the run.
    progress : Progress, optional
        Told the share of cases that are done, at least twice a second; may raise `Cancelled`.

    Returns
    -------
    CohortResult

    Raises
    ------
    WriteError
        The folder cannot be written to, or another run is at work there.
    HistregError
        The cluster cannot be used.
    MissingDependency
        A scheduler is named, and the extra ``cluster`` is not installed.
    """
    settings = settings or RunSettings()
    folder = Path(folder).absolute()
    _make(folder)
    with ExitStack() as stack:
        token = stack.enter_context(locked(folder))
        told = [
            journal(stack.enter_context((folder / "cohort.jsonl").open("a", encoding="utf-8"))),
            log(stack.enter_context((folder / "cohort.log").open("a", encoding="utf-8"))),
            *listeners,
        ]
        planned = plan(cases, folder, only=settings.only, force=settings.force, report=settings.report)
        run = Course(planned, folder, settings, token, told, progress)
        try:
            run.go()
        finally:
            run.table.write()
        run.table.look_again()
        run.table.write()
        run.table.write_pages()
    return CohortResult(tuple(run.table.notes), run.ran, folder)


def run_row(case: Case, folder: str | Path, settings: RunSettings | None = None) -> CaseNote:
    """Align a single case of a cohort, for jobs of an array: only its own folder is written.

    Parameters
    ----------
    case : Case
    folder : path-like
        Of the cohort's results.
    settings : RunSettings, optional
        `only` and `scheduler` do not count.

    Returns
    -------
    CaseNote
        Of an earlier run where that is up to date and `force` is not set.

    Raises
    ------
    WriteError
        The folder cannot be written to.
    """
    settings = settings or RunSettings()
    folder = Path(folder).absolute()
    _make(folder)
    (planned,) = plan([case], folder, force=settings.force, report=settings.report)
    if not planned.is_due:
        return planned.note
    try:
        for attempt in range(1, settings.retries + 2):
            task = task_of(planned, folder, settings, token="", threads=processor_count(), memory=None)
            note = attend(task.model_copy(update={"attempt": attempt}))
            if not note.can_pass:
                break
    finally:
        end_children()
    return note


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder} cannot be made: {error.strerror}.") from error


def counts(notes: Iterable[CaseNote]) -> dict[str, int]:
    """Count cases by their state, those that are done first."""
    found = Counter(note.state for note in notes)
    return {state: found[state] for state in (*SETTLED, "running", "waiting") if found[state]}
