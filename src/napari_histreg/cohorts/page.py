"""cohort.html: what became of all cases on one page, those to look at first on top."""

import base64
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from napari_histreg.cohorts.case import Case
from napari_histreg.cohorts.layout import LOG, REPORT, THUMBNAIL
from napari_histreg.cohorts.note import CaseNote, State
from napari_histreg.quality.page import render
from napari_histreg.units import rounded, unit_sign

__all__ = ["Bar", "cohort_page", "histogram", "worst_first"]

PICTURE_CHARACTERS = 8_000_000
"""The most that thumbnails may take of the page; those to look at first get theirs first."""
BARS = 24
_CONCERN: dict[State, int] = {
    "failed": 0, "refused": 1, "doubtful": 2, "running": 3, "waiting": 4, "accepted": 5,
}  # fmt: skip
_LINKS = ((REPORT, "report"), ("overlay.png", "picture"), (LOG, "log"))
COLUMNS = (
    ("case", "Case", ""),
    ("state", "State", ""),
    ("error", "Shift left", "median by the independent check"),
    ("error_p90", "Nine of ten below", "of the blocks of tissue"),
    ("target_error", "Target error", "median on landmarks that the alignment was not made from"),
    ("confidence", "Confidence", "0 to 1"),
    ("seconds", "Seconds", ""),
    ("peak_memory_mb", "Memory, MB", "most that was in use"),
)


def cohort_page(cases: Sequence[Case], notes: Sequence[CaseNote], folder: Path) -> str:
    """Return the page.

    Parameters
    ----------
    cases : sequence of Case
    notes : sequence of CaseNote
        What became of each.
    folder : Path
        Of the results, for the thumbnails and what can be linked to.
    """
    order = sorted(range(len(notes)), key=lambda place: (*worst_first(notes[place]), place))
    left = PICTURE_CHARACTERS
    rows = []
    for rank, place in enumerate(order):
        picture = _thumbnail(folder / cases[place].name / THUMBNAIL)
        left -= len(picture)
        rows.append(_row(cases[place], notes[place], folder, rank, picture if left >= 0 else ""))
    counted = Counter(note.state for note in notes)
    by_hand = sum(note.made_by == "hand" for note in notes)
    return render(
        "cohort.html",
        title=f"{len(notes)} cases",
        counts=[(state, counted[state]) for state in sorted(counted, key=lambda state: -_CONCERN[state])],
        by_hand=by_hand,
        columns=COLUMNS,
        rows=rows,
        charts=[
            _chart(unit, notes) for unit in sorted({note.unit for note in notes if note.error is not None})
        ],
    )


def worst_first(note: CaseNote) -> tuple[int, float, float]:
    """Return what to sort by, so that what needs a person comes first.

    Examples
    --------
    >>> notes = [CaseNote(name=state, state=state) for state in ("accepted", "failed", "doubtful")]
    >>> [note.name for note in sorted(notes, key=worst_first)]
    ['failed', 'doubtful', 'accepted']
    """
    confidence = 0.0 if note.confidence is None else note.confidence
    return _CONCERN[note.state], confidence if note.state != "accepted" else 0.0, -(note.error or 0.0)


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram.

    Parameters
    ----------
    start, stop : float
        Values from and below which it counts; the last one counts all above too.
    count : int
    """

    start: float
    stop: float
    count: int


def histogram(values: Sequence[float], bars: int = BARS) -> list[Bar]:
    """Count values in bars of a round width that hold all but the few largest.

    Examples
    --------
    >>> [bar.count for bar in histogram([0.1, 0.2, 0.7, 90.0], bars=4)]
    [1, 1, 0, 2]
    """
    ranked = sorted(values)
    if not ranked:
        return []
    # The last bar takes what lies far out: one lost case must not squeeze all others into the first.
    reach = 3 * ranked[len(ranked) // 2 - (len(ranked) % 2 == 0)] or ranked[-1] or 1.0
    width = _round_up(min(reach, ranked[-1] or 1.0) / bars)
    counts = Counter(min(int(value / width), bars - 1) for value in ranked)
    last = min(max(counts), bars - 1)
    return [Bar(k * width, (k + 1) * width, counts[k]) for k in range(last + 1)]


def _round_up(value: float) -> float:
    size = 10.0 ** math.floor(math.log10(value))
    return next((size * step for step in (1, 2, 5) if size * step >= value * (1 - 1e-9)), size * 10)


def _chart(unit: str, notes: Sequence[CaseNote]) -> dict[str, Any]:
    errors = [note.error for note in notes if note.error is not None and note.unit == unit]
    bars = histogram([error for error in errors if math.isfinite(error)])
    most = max((bar.count for bar in bars), default=1)
    shown = [
        {
            "height": 100 * bar.count / most,
            "words": f"{rounded(bar.start)} to {rounded(bar.stop)}"
            f"{' or more' if place == len(bars) - 1 else ''} {unit_sign(unit)}: {bar.count}",
        }
        for place, bar in enumerate(bars)
    ]
    end = rounded(bars[-1].stop) if bars else ""
    return {"unit": unit_sign(unit), "bars": shown, "end": end, "count": len(errors)}


def _row(case: Case, note: CaseNote, folder: Path, rank: int, picture: str) -> dict[str, Any]:
    values = note.model_dump(include={key for key, _, _ in COLUMNS[1:]})
    values["case"] = case.name
    cells = [
        {"key": key, "value": values[key], "words": _words(key, values[key], note)} for key, _, _ in COLUMNS
    ]
    links = [
        {"name": words, "to": f"{quote(case.name)}/{file}"}
        for file, words in _LINKS
        if (folder / case.name / file).is_file()
    ]
    return {
        "rank": rank,
        "state": note.state,
        "by_hand": note.made_by == "hand",
        "cells": cells,
        "reason": note.reason,
        "links": links,
        "picture": picture,
    }


def _words(key: str, value: Any, note: CaseNote) -> str:
    if value is None or (isinstance(value, float) and value == 0.0 and key == "peak_memory_mb"):
        return "–"
    if key in ("error", "error_p90", "target_error"):
        return f"{rounded(value)} {unit_sign(note.unit)}"
    return rounded(value) if isinstance(value, float) else str(value)


def _thumbnail(file: Path) -> str:
    try:
        pixels = file.read_bytes()
    except OSError:
        return ""
    return f"data:image/jpeg;base64,{base64.b64encode(pixels).decode('ascii')}"
