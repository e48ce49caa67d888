"""What a person corrected goes into the table of a cohort."""

from collections.abc import Sequence
from pathlib import Path

from napari_histreg.cohorts.case import Case
from napari_histreg.cohorts.leftovers import with_correction
from napari_histreg.cohorts.lock import locked
from napari_histreg.cohorts.note import CaseNote, read_note
from napari_histreg.cohorts.results import ResultTable
from napari_histreg.errors import DamagedFile

__all__ = ["notes_of", "take_corrections"]


def notes_of(cases: Sequence[Case], folder: str | Path) -> list[CaseNote]:
    """Read what became of cases; "waiting" where nothing is known.

    A record that a person put in the place of the program's is taken over, and marked as made by hand.

    Parameters
    ----------
    cases : sequence of Case
    folder : path-like
        Of the cohort's results; it need not be there.

    Returns
    -------
    list of CaseNote
        In the order of the cases.
    """
    return [_note(case, Path(folder) / case.name) for case in cases]


def take_corrections(cases: Sequence[Case], folder: str | Path) -> list[CaseNote]:
    """Take over what people corrected, and write ``cohort.csv`` and the pages anew.

    Parameters
    ----------
    cases : sequence of Case
    folder : path-like
        Of the cohort's results.

    Returns
    -------
    list of CaseNote
        In the order of the cases.

    Raises
    ------
    WriteError
        A run is at work there, which takes them over at its end; or something cannot be written.
    """
    folder = Path(folder)
    with locked(folder):
        notes = notes_of(cases, folder)
        table = ResultTable(cases, notes, folder)
        table.write()
        table.write_pages()
    return notes


def _note(case: Case, folder: Path) -> CaseNote:
    try:
        note = read_note(folder)
    except DamagedFile:
        note = None
    return CaseNote(name=case.name, state="waiting") if note is None else with_correction(note, folder)
