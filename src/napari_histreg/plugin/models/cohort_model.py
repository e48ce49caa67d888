"""CohortModel: what the widget for a cohort thinks."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from psygnal import Signal

from napari_histreg.cohorts import Case, CohortResult, RunSettings, read_cases, run_cohort
from napari_histreg.cohorts.correction import notes_of, take_corrections
from napari_histreg.cohorts.events import Event, in_words
from napari_histreg.cohorts.note import SETTLED, CaseNote
from napari_histreg.cohorts.run import counts
from napari_histreg.plugin.models.tones import Tone
from napari_histreg.progress import Progress, portion
from napari_histreg.units import unit_sign

__all__ = ["CaseRow", "CohortModel", "OpenedCohort"]

STATE_TONES: dict[str, Tone] = {
    "accepted": "good",
    "doubtful": "doubt",
    "refused": "bad",
    "failed": "bad",
    "running": "",
    "waiting": "off",
}
_ORDER = ("failed", "refused", "doubtful", "running", "waiting", "accepted")


@dataclass(frozen=True)
class CaseRow:
    """A case as the table shows it; `order` sorts states, those to be looked at first."""

    name: str
    state: str
    by_hand: bool
    error: float | None
    unit: str
    confidence: float | None
    reason: str

    @property
    def tone(self) -> Tone:
        """What the state means."""
        return STATE_TONES[self.state]

    @property
    def order(self) -> int:
        """Where the state stands if those to be looked at come first."""
        return _ORDER.index(self.state)

    @property
    def state_words(self) -> str:
        """The state, and whether a person made it so."""
        return f"{self.state}, by hand" if self.by_hand else self.state

    @property
    def error_words(self) -> str:
        """The shift that is left, with its unit."""
        return "" if self.error is None else f"{self.error:.2f} {unit_sign(self.unit)}"

    @property
    def confidence_words(self) -> str:
        """The confidence from 0 to 1."""
        return "" if self.confidence is None else f"{self.confidence:.2f}"


@dataclass(frozen=True)
class OpenedCohort:
    """A table of cases, where its results lie, and what is known of them."""

    table: Path
    folder: Path
    cases: tuple[Case, ...]
    notes: list[CaseNote]


class CohortModel:
    """A cohort: its cases, the run of them, and the case that is open.

    Attributes
    ----------
    changed : psygnal Signal
        Anything but the rows has changed.
    rows_changed : psygnal Signal
        There are other rows.
    row_changed : psygnal Signal(int)
        A row has changed, by its place in the table.
    """

    changed = Signal()
    rows_changed = Signal()
    row_changed = Signal(int)

    def __init__(self) -> None:
        self.cohort: OpenedCohort | None = None
        self.state: Literal["idle", "running", "stopping"] = "idle"
        self.fraction = 0.0
        self.message = ""
        self.open_case: str | None = None
        self._told: deque[Event] = deque()

    @property
    def rows(self) -> list[CaseRow]:
        """All cases, in the order of the table."""
        return [] if self.cohort is None else [_row(note) for note in self.cohort.notes]

    def row(self, place: int) -> CaseRow:
        """Return one of them."""
        assert self.cohort is not None
        return _row(self.cohort.notes[place])

    @property
    def summary(self) -> str:
        """How many cases are in which state."""
        if self.cohort is None:
            return ""
        found = counts(self.cohort.notes)
        by_hand = sum(note.made_by == "hand" for note in self.cohort.notes)
        words = [f"{count} {state}" for state, count in found.items()]
        return f"{len(self.cohort.cases)} cases: {', '.join(words)}" + (
            f"; {by_hand} by hand" if by_hand else ""
        )

    @property
    def obstacle(self) -> str | None:
        """Why a run cannot be started now; None where it can."""
        if self.state != "idle":
            return "It is running. Cancel it first."
        return None if self.cohort is not None else "Open a table of cases first."

    @property
    def write_obstacle(self) -> str | None:
        """Why no correction can be written back; None where one can."""
        if self.cohort is None or self.open_case is None:
            return "Double-click a case first."
        if self.state != "idle":
            return "It is running. Wait for its end, or cancel it."
        return None

    @property
    def page(self) -> Path | None:
        """The page of all cases, where there is one."""
        path = None if self.cohort is None else self.cohort.folder / "cohort.html"
        return path if path is not None and path.is_file() else None

    def open(self, table: str | Path, folder: str | Path | None = None) -> Callable[[Progress], OpenedCohort]:
        """Return the call that reads a table and what became of its cases, for a thread.

        Results lie in ``results`` beside the table by default, as on the command line.
        """
        path = Path(table)
        where = path.parent / "results" if folder is None else Path(folder)
        self._start()

        def call(progress: Progress) -> OpenedCohort:
            progress(0.0, f"reading {path.name}")
            cases = read_cases(path)
            return OpenedCohort(path, where, cases, notes_of(cases, where))

        return call

    def take(self, cohort: OpenedCohort) -> None:
        """Show a cohort that was read."""
        self.cohort, self.open_case = cohort, None
        self.rows_changed.emit()
        self.finish()

    def begin(self, only: tuple[str, ...] = ()) -> Callable[[Progress], CohortResult]:
        """Return the call that aligns what is due, for a thread; `only` names the states to run again."""
        cohort = self.cohort
        if cohort is None:
            raise ValueError("There is no cohort to run.")
        self._start()
        self._told.clear()

        def call(progress: Progress) -> CohortResult:
            words = "starting"

            def listen(event: Event) -> None:
                nonlocal words
                self._told.append(event)
                words = in_words(event)
                progress(event.finished / max(event.total, 1), words)

            def report(fraction: float, _message: str) -> None:
                progress(fraction, words)

            settings = RunSettings(only=only)
            return run_cohort(cohort.cases, cohort.folder, settings, listeners=[listen], progress=report)

        return call

    def report(self, fraction: float, message: str) -> None:
        """Take a report of progress, and what was told since the last."""
        self.fraction, self.message = fraction, message
        self._hear()
        self.changed.emit()

    def succeed(self, found: CohortResult) -> None:
        """Take the result of a run."""
        assert self.cohort is not None
        self.cohort.notes[:] = found.notes
        self.rows_changed.emit()
        self.finish("Nothing was to be done." if found.ran == 0 else f"{found.ran} cases were run.")

    def begin_correction(
        self, write: Callable[[Progress], object]
    ) -> Callable[[Progress], tuple[str, list[CaseNote]]]:
        """Return the call that writes the open case's folder and takes it over as made by hand, for a thread.

        Parameters
        ----------
        write : callable
            Writes the folder of the case.
        """
        cohort, name = self.cohort, self.open_case
        if cohort is None or name is None:
            raise ValueError("No case is open.")
        self._start()

        def call(progress: Progress) -> tuple[str, list[CaseNote]]:
            write(portion(progress, 0.0, 0.9))
            return name, take_corrections(cohort.cases, cohort.folder)

        return call

    def take_correction(self, found: tuple[str, list[CaseNote]]) -> None:
        """Take what became of the cases after a correction."""
        assert self.cohort is not None
        name, self.cohort.notes[:] = found
        self.rows_changed.emit()
        (note,) = (note for note in self.cohort.notes if note.name == name)
        if note.made_by == "hand":
            self.finish(f"{name} is marked as made by hand: {note.state}.")
        else:
            self.finish(f"{name} is as the program made it: nothing was corrected.")

    def folder_of(self, place: int) -> Path:
        """Return the folder of a case."""
        assert self.cohort is not None
        return self.cohort.folder / self.cohort.cases[place].name

    def paths_to_open(self, place: int) -> list[str]:
        """Return what to open for a case: its record where there is one, else its slides, fixed first."""
        assert self.cohort is not None
        record = self.folder_of(place) / "registration.json"
        if record.is_file():
            return [str(record)]
        return [slide.path for slide in self.cohort.cases[place].slides]

    def stop(self) -> None:
        """Say that a stop was asked for."""
        self.state = "stopping"
        self.changed.emit()

    def stopped(self) -> None:
        """Show what was done before a stop; what was begun is waiting again."""
        if self.cohort is not None:
            self.cohort.notes[:] = [
                note if note.state in SETTLED else CaseNote(name=note.name, state="waiting")
                for note in self.cohort.notes
            ]
            self.rows_changed.emit()
        self.finish("Stopped. What was done is kept.")

    def finish(self, message: str = "") -> None:
        """Be idle again."""
        self._hear()
        self.state, self.fraction, self.message = "idle", 0.0, message
        self.changed.emit()

    def _start(self) -> None:
        self.state, self.fraction, self.message = "running", 0.0, ""
        self.changed.emit()

    def _hear(self) -> None:
        """Show what was told of cases; their notes are read where they are done."""
        while self._told and self.cohort is not None:
            event = self._told.popleft()
            if event.kind not in ("begun", "done") or not event.case:
                continue
            place = next(k for k, case in enumerate(self.cohort.cases) if case.name == event.case)
            if event.kind == "begun":
                note = CaseNote(name=event.case, state="running", host=event.host, pid=event.pid)
            else:
                (note,) = notes_of(self.cohort.cases[place : place + 1], self.cohort.folder)
            self.cohort.notes[place] = note
            self.row_changed.emit(place)


def _row(note: CaseNote) -> CaseRow:
    return CaseRow(
        note.name, note.state, note.made_by == "hand", note.error, note.unit, note.confidence, note.reason
    )
