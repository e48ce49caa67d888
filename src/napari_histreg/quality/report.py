"""One file to send to a colleague: numbers and pictures of an alignment as HTML, with a JSON twin."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_histreg.errors import HistregError, WriteError
from napari_histreg.files import check_outputs, read_json, written_together
from napari_histreg.landmarks import Landmarks
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.quality.assessment import Assessment, assess
from napari_histreg.quality.sections import describe_slide, report_page
from napari_histreg.records.record import Registration
from napari_histreg.slides.slide import Slide

__all__ = ["report_paths", "write_report"]

FORMAT = "napari-histreg report"


def write_report(
    registration: Registration,
    path: str | Path,
    fixed: Slide,
    moving: Slide,
    *,
    landmarks: Landmarks | None = None,
    assessment: Assessment | None = None,
    progress: Progress = silent,
) -> tuple[Path, Path]:
    """Write a report of an alignment: one HTML file that needs nothing else, and its numbers as JSON.

    Parameters
    ----------
    registration : Registration
        The alignment.
    path : path-like
        The HTML file; the JSON file lies beside it under the same name with the suffix ``.json``.
    fixed, moving : Slide
        The two slides.
    landmarks : Landmarks, optional
        Pairs that the alignment was not made from, for the target error.
    assessment : Assessment, optional
        Made already; made here by default.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    (Path, Path)
        The HTML and the JSON file.

    Raises
    ------
    WriteError
        One of them cannot be written.
    LandmarkError
        The landmarks are those that the alignment was made from.
    """
    html_path, json_path = report_paths(path)
    check_outputs(html_path, json_path)
    if assessment is None:
        assessment = assess(
            fixed, moving, registration, landmarks=landmarks, progress=portion(progress, 0.0, 0.95)
        )
    values = _values(registration, assessment, fixed, moving)
    with written_together(html_path, json_path) as (page, numbers):
        page.write_text(report_page(registration, assessment, fixed, moving), encoding="utf-8")
        numbers.write_text(json.dumps(values, indent=1, default=str, allow_nan=False), encoding="utf-8")
    progress(1.0, "report written")
    return html_path, json_path


def report_paths(path: str | Path) -> tuple[Path, Path]:
    """Return where a report and its twin lie.

    Raises
    ------
    WriteError
        Where the twin would lie is a file that is none of ours.
    """
    html_path = Path(path)
    if html_path.suffix.lower() == ".json" or not html_path.name:
        raise WriteError(f"{str(path)!r}: a report is a page. Let its name end in .html.")
    json_path = html_path.with_suffix(".json")
    if json_path.exists():
        try:
            is_ours = read_json(json_path, "a report").get("format") == FORMAT
        except HistregError:
            is_ours = False
        if not is_ours:
            raise WriteError(
                f"{json_path}, where the numbers of the report would lie, is no report of ours and would be "
                "lost. Give the report another name."
            )
    return html_path, json_path


def _values(registration: Registration, found: Assessment, fixed: Slide, moving: Slide) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": 1,
        "verdict": registration.verdict,
        "confidence": registration.confidence,
        "reasons": list(registration.reasons),
        "method": registration.method,
        "fixed": describe_slide(fixed),
        "moving": describe_slide(moving),
        **found.to_dict(),
        "parameters": _plain(dict(registration.parameters)),
        "seconds": registration.seconds,
        "versions": dict(registration.versions),
    }


def _plain(value: Any) -> Any:
    """Replace numbers that JSON does not know, at any depth."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value
