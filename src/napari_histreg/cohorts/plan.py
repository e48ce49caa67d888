"""Which cases are to be run: those that are not done, or not with these files, options and program."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_histreg.cohorts.case import Case
from napari_histreg.cohorts.identity import are_unchanged
from napari_histreg.cohorts.leftovers import with_correction
from napari_histreg.cohorts.note import SETTLED, CaseNote, read_note
from napari_histreg.cohorts.task import asked_of
from napari_histreg.errors import DamagedFile

__all__ = ["Planned", "plan"]


@dataclass(frozen=True)
class Planned:
    """A case and what is known of it.

    Parameters
    ----------
    case : Case
    note : CaseNote
        Of an earlier run; "waiting" where there is none.
    is_due : bool
        Whether it is to be run.
    instead_of : mapping or None
        What the result that is replaced on demand was asked for. Later runs of the table as it is then leave
        the new result alone.
    """

    case: Case
    note: CaseNote
    is_due: bool
    instead_of: dict[str, Any] | None = None


def plan(
    cases: Iterable[Case],
    folder: Path,
    *,
    only: Collection[str] = (),
    force: bool = False,
    report: bool = True,
) -> list[Planned]:
    """Look at what lies in the folder of results, and decide for each case.

    What a person corrected is never run again.

    Parameters
    ----------
    cases : iterable of Case
    folder : Path
        Of the cohort's results.
    only : collection of str
        Run cases in these states, and no others.
    force : bool
        Run also what is done.
    report : bool
        Whether cases are to have their page.
    """
    return [_planned(case, folder, only, force, report) for case in cases]


def _planned(case: Case, folder: Path, only: Collection[str], force: bool, report: bool) -> Planned:
    try:
        note = read_note(folder / case.name)
    except DamagedFile:
        note = None
    if note is None or note.state not in SETTLED:
        waiting = CaseNote(name=case.name, state="waiting")
        return Planned(case, waiting, not only or "waiting" in only)
    note = with_correction(note, folder / case.name)
    if note.made_by == "hand":
        return Planned(case, note, is_due=False)
    if only:
        before = dict(note.asked if note.instead_of is None else note.instead_of)
        return Planned(case, note, note.state in only, before)
    return Planned(case, note, force or not _is_current(case, note, report))


def _is_current(case: Case, note: CaseNote, report: bool) -> bool:
    from napari_histreg import __version__

    asked = asked_of(case, report=report)
    return (
        note.version == __version__
        and asked in (dict(note.asked), None if note.instead_of is None else dict(note.instead_of))
        and are_unchanged(note.inputs, case.inputs)
    )
