"""A fused picture on one page: what it looks like, and how much it keeps of both slides."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_histreg.preprocess.planes import working_spacing
from napari_histreg.quality.drawing import scale_bar
from napari_histreg.quality.fusion_quality import OVERVIEW_PX, FusionQuality
from napari_histreg.quality.measures import FUSION, measure_rows
from napari_histreg.quality.page import name_words, render
from napari_histreg.quality.report_files import FORMATS, write_page
from napari_histreg.quality.views import colours
from napari_histreg.slides.slide import Slide

__all__ = ["measure_table", "write_fusion_report"]

PICTURE_PX = 760


def measure_table(figures: FusionQuality) -> str:
    """Return the figures as a small table of text.

    Parameters
    ----------
    figures : FusionQuality

    Returns
    -------
    str
        A line for each: its name, its value, what it says.

    Examples
    --------
    >>> print(measure_table(FusionQuality(7.1, 0.8, 0.5, 1.2, 0.9, 0.1, 0.6)).splitlines()[0])
    EN               7.100  entropy in bits: how rich the fused picture is
    """
    rows = measure_rows(FUSION, figures.to_dict())
    return "\n".join(f"{row.name:<14} {row.figures[0]:>7.3f}  {row.meaning}" for row in rows)


def write_fusion_report(
    path: str | Path,
    fixed: Slide,
    moving: Slide,
    fused: Slide,
    figures: FusionQuality,
    *,
    made_by: Mapping[str, Any],
) -> tuple[Path, Path]:
    """Write a page on a fused picture that needs nothing else, and its numbers as JSON.

    Parameters
    ----------
    path : path-like
        The HTML file; the JSON file lies beside it under the same name with the suffix ``.json``.
    fixed, moving, fused : Slide
        On one grid: the moving one as warped.
    figures : FusionQuality
        Measured on them.
    made_by : mapping
        The rule and its parameters.

    Returns
    -------
    (Path, Path)
        The HTML and the JSON file.

    Raises
    ------
    WriteError
        One of them cannot be written, or would replace what is none of ours.
    """
    spacing = working_spacing(fixed, PICTURE_PX)
    pictures = {
        name: scale_bar(colours(slide, spacing).picture, spacing, fixed.unit)
        for name, slide in (("fixed", fixed), ("moving", moving), ("fused", fused))
    }
    height, width = (min(n, round(OVERVIEW_PX * n / max(fixed.shape))) for n in fixed.shape)
    html = render(
        "fusion.html",
        title=f"{moving.name} fused with {fixed.name}",
        pictures=pictures,
        rows=measure_rows(FUSION, figures.to_dict()),
        size=f"{width} x {height} pixels",
        rule={name_words(name).capitalize(): value for name, value in made_by.items()},
    )
    values = {
        "format": FORMATS[1],
        "version": 1,
        "fixed": fixed.name,
        "moving": moving.name,
        "made_by": dict(made_by),
        "figures": figures.to_dict(),
    }
    return write_page(path, html, values)
