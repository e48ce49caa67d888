"""One file to send to a colleague: numbers and pictures of an alignment as HTML, with a JSON twin."""

from pathlib import Path
from typing import Any

from napari_histreg.files import check_outputs
from napari_histreg.landmarks import Landmarks
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.quality.assessment import Assessment, assess
from napari_histreg.quality.report_files import FORMATS, report_paths, write_page
from napari_histreg.quality.sections import describe_slide, report_page
from napari_histreg.records.record import Registration
from napari_histreg.slides.slide import Slide

__all__ = ["write_report"]


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
    check_outputs(*report_paths(path))
    if assessment is None:
        assessment = assess(
            fixed, moving, registration, landmarks=landmarks, progress=portion(progress, 0.0, 0.95)
        )
    page = report_page(registration, assessment, fixed, moving)
    written = write_page(path, page, _values(registration, assessment, fixed, moving))
    progress(1.0, "report written")
    return written


def _values(registration: Registration, found: Assessment, fixed: Slide, moving: Slide) -> dict[str, Any]:
    return {
        "format": FORMATS[0],
        "version": 1,
        "verdict": registration.verdict,
        "confidence": registration.confidence,
        "reasons": list(registration.reasons),
        "method": registration.method,
        "fixed": describe_slide(fixed),
        "moving": describe_slide(moving),
        **found.to_dict(),
        "parameters": dict(registration.parameters),
        "seconds": registration.seconds,
        "versions": dict(registration.versions),
    }
