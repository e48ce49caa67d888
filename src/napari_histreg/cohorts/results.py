"""cohort.csv: what became of every case, always complete; and what is made of it at the end."""

import csv
import io
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_histreg.cohorts.case import Case
from napari_histreg.cohorts.leftovers import with_correction
from napari_histreg.cohorts.note import CaseNote, read_note
from napari_histreg.cohorts.page import cohort_page
from napari_histreg.errors import DamagedFile
from napari_histreg.files import written_whole

__all__ = ["COLUMNS", "ResultTable", "mqc_values"]

COLUMNS = (
    "case",
    "state",
    "made_by",
    "reason",
    "confidence",
    "error",
    "error_p90",
    "target_error",
    "unit",
    "method",
    "seconds",
    "cpu_seconds",
    "peak_memory_mb",
    "attempts",
    "host",
    "started",
    "version",
    "fixed",
    "moving",
)
CSV, HTML, MQC = "cohort.csv", "cohort.html", "cohort_mqc.json"
_WRITING_SHARE = 0.1
"""The most of a run's time that goes into writing the table anew."""


class ResultTable:
    """The table of results of a cohort.

    Parameters
    ----------
    cases : sequence of Case
        In the order of their numbers.
    notes : sequence of CaseNote
        What is known of each.
    folder : Path
        Where to write.
    """

    def __init__(self, cases: Sequence[Case], notes: Sequence[CaseNote], folder: Path) -> None:
        self.cases = tuple(cases)
        self.notes = list(notes)
        self.folder = folder
        self._place = {case.number: place for place, case in enumerate(self.cases)}
        self._due = 0.0
        self._is_written = False

    def set(self, number: int, note: CaseNote) -> None:
        """Note what became of a case."""
        self.notes[self._place[number]] = note
        self._is_written = False

    def look_again(self) -> None:
        """Take over what a person corrected meanwhile."""
        for place, case in enumerate(self.cases):
            try:
                note = read_note(self.folder / case.name)
            except DamagedFile:
                continue
            if note is None:
                continue
            note = with_correction(note, self.folder / case.name)
            if note.made_by == "hand":
                self.notes[place] = note

    def write(self) -> None:
        """Write the table.

        Raises
        ------
        WriteError
            It cannot be written.
        """
        start = time.monotonic()
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(self._row(case, note) for case, note in zip(self.cases, self.notes, strict=True))
        with written_whole(self.folder / CSV) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8")
        self._is_written = True
        took = time.monotonic() - start
        self._due = time.monotonic() + took / _WRITING_SHARE

    def write_if_due(self) -> None:
        """Write the table where something changed, unless that would take up much of the time."""
        if not self._is_written and time.monotonic() >= self._due:
            self.write()

    def write_pages(self) -> None:
        """Write the page for people and the summary for MultiQC.

        Raises
        ------
        WriteError
            One cannot be written.
        """
        with written_whole(self.folder / HTML) as temporary:
            temporary.write_text(cohort_page(self.cases, self.notes, self.folder), encoding="utf-8")
        with written_whole(self.folder / MQC) as temporary:
            temporary.write_text(json.dumps(mqc_values(self.notes), indent=1) + "\n", encoding="utf-8")

    def _row(self, case: Case, note: CaseNote) -> list[Any]:
        values = note.model_dump(include=set(COLUMNS))
        values |= {
            "case": case.name,
            "fixed": case.slides[0].path,
            "moving": ";".join(slide.path for slide in case.slides[1:]),
        }
        if note.error is None and note.target_error is None:
            values["unit"] = None
        return ["" if values[name] is None else values[name] for name in COLUMNS]


def mqc_values(notes: Sequence[CaseNote]) -> dict[str, Any]:
    """Return the table in the layout of MultiQC's custom content.

    Examples
    --------
    >>> found = mqc_values([CaseNote(name="K7", state="accepted", confidence=0.9)])
    >>> found["plot_type"], found["data"]["K7"]["state"]
    ('table', 'accepted')
    """
    units = {note.unit for note in notes}
    unit = "µm" if units == {"um"} else "px" if units == {"px"} else "µm or px"
    return {
        "id": "histreg",
        "section_name": "Registration of slides",
        "description": "Alignment of moving to fixed slides by histreg, and how far it can be trusted.",
        "plot_type": "table",
        "pconfig": {"id": "histreg_cohort", "title": "histreg: cases", "col1_header": "Case"},
        "headers": {
            "state": {"title": "State", "description": "Verdict, or failed"},
            "confidence": {"title": "Confidence", "min": 0, "max": 1, "format": "{:,.2f}"},
            "error": {"title": f"Remaining shift ({unit})", "description": "Median by an independent check"},
            "seconds": {"title": "Seconds", "format": "{:,.1f}"},
        },
        "data": {
            note.name: {
                "state": note.state,
                "confidence": note.confidence,
                "error": note.error,
                "seconds": note.seconds,
            }
            for note in notes
        },
    }
