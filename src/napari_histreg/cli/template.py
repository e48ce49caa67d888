"""``histreg template``: which of several slides the others should be aligned to."""

import json
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from napari_histreg.cli.options import AsJson
from napari_histreg.cli.progress_bar import progress_bar

__all__ = ["template"]


class _Measure(StrEnum):
    ncc = "ncc"
    rmse = "rmse"
    mi = "mi"


def template(
    slides: Annotated[list[Path], typer.Argument(metavar="SLIDE SLIDE …", help="Two slides or more.")],
    measure: Annotated[
        _Measure,
        typer.Option(
            help="Distance: 1 - correlation, root mean square difference, or by mutual information."
        ),
    ] = _Measure.ncc,
    elbow: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="Also sort the slides into groups, and draw why so many."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Choose the slide that lies nearest to all others, to align the others to."""
    from napari_histreg.files import check_outputs, written_whole
    from napari_histreg.registration.template import choose_template, group_slides
    from napari_histreg.slides import open_slide
    from napari_histreg.slides.address import as_file

    if elbow is not None:
        check_outputs(elbow, inputs=[as_file(slide) for slide in slides])
    with ExitStack() as opened:
        read = [opened.enter_context(open_slide(path)) for path in slides]
        with progress_bar("Comparing") as progress:
            choice = choose_template(read, measure=measure.value, progress=progress)
    groups = None if elbow is None else group_slides(choice)
    sums = choice.distances.sum(axis=1) / max(len(slides) - 1, 1)
    rows = [
        {
            "slide": str(slides[k]),
            "distance": float(sums[k]),
            **({} if groups is None else {"group": int(groups.labels[k]) + 1}),
        }
        for k in choice.order
    ]
    if groups is not None and elbow is not None:
        from napari_histreg.quality.charts import elbow_plot

        with written_whole(elbow) as temporary:
            elbow_plot(groups.spread, groups.count).savefig(temporary, format="png")
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        group = f"  group {row['group']}" if "group" in row else ""
        typer.echo(f"{row['distance']:.4f}{group}  {row['slide']}")
    typer.echo(f"Align the others to {rows[0]['slide']}, which is nearest to them (mean distance first).")
