"""``histreg fuse``: both slides merged into one picture."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_histreg.cli.options import (
    EvenIfRefused,
    FixedFile,
    GroupFolder,
    MovingFile,
    RecordOrGroupFile,
    SlideOutput,
    reopened,
    slide_files,
)
from napari_histreg.cli.parameters import parsed
from napari_histreg.cli.progress_bar import progress_bar
from napari_histreg.cli.record import PairOption, pair_record

if TYPE_CHECKING:
    from napari_histreg.slides import Slide

__all__ = ["fuse"]


def fuse(
    registration: RecordOrGroupFile,
    output: SlideOutput,
    rule: Annotated[
        str,
        typer.Option("--rule", metavar="NAME", help="average, maximum, pca, laplacian, gradient, wavelet."),
    ] = "wavelet",
    overlay: Annotated[
        str | None,
        typer.Option(
            "--overlay",
            metavar="COLOURS",
            help="Instead: the moving slide in colours (hot, viridis, jet …) over the fixed one in grey.",
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", metavar="KEY=VALUE", help="A parameter of the rule; repeatable.")
    ] = None,
    fixed_channel: Annotated[
        str | None, typer.Option(metavar="C", help="Only this channel of the fixed slide.")
    ] = None,
    moving_channel: Annotated[
        str | None, typer.Option(metavar="C", help="The same of the moving slide.")
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Say how much the fused picture keeps of both slides.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="HTML", help="The same as a page with pictures; a .json beside it."),
    ] = None,
    fixed: FixedFile = None,
    moving: MovingFile = None,
    even_if_refused: EvenIfRefused = False,
    pair: PairOption = None,
    slides: GroupFolder = None,
) -> None:
    """Merge the fixed slide and the warped moving slide into one, for looking; or all slides of a group."""
    from napari_histreg.cli.of_group import fuse_group, only_for_pairs
    from napari_histreg.files import check_outputs, claimed
    from napari_histreg.fusion import colour_overlay, fuse_slides
    from napari_histreg.groups.document import is_group
    from napari_histreg.quality.report_files import report_paths
    from napari_histreg.slides import write_slide
    from napari_histreg.transforms import Translation
    from napari_histreg.warping import Grid, select_channels, warp_slide

    if overlay and parameter:
        raise typer.BadParameter("with --overlay no rule merges that could have a parameter", param_hint="-p")
    if pair is None and is_group(registration):
        only_for_pairs(
            registration,
            {
                "--overlay": overlay,
                "--fixed-channel": fixed_channel,
                "--moving-channel": moving_channel,
                "--measure": measure,
                "--report": report,
                "--fixed": fixed,
                "--moving": moving,
            },
        )
        fuse_group(registration, output, rule, dict(parsed(parameter)), where=slides)
        return
    record = pair_record(registration, pair)
    inputs = (registration, *slide_files(record, fixed, moving))
    pages = () if report is None else report_paths(report)
    check_outputs(output, *pages, inputs=inputs)
    opening = reopened(record, fixed, moving, even_if_refused=even_if_refused)
    with claimed(*inputs), opening as (target, source):
        frame = Grid.of(target)
        still, warped = (
            replace(
                warp_slide(
                    slide if channel is None else select_channels(slide, [channel]),
                    to_slide,
                    frame,
                    pixel_size_um=record.fixed.pixel_size_um,
                ),
                name=slide.name,
            )
            for slide, channel, to_slide in (
                (target, fixed_channel, Translation.identity()),
                (source, moving_channel, record.fixed_to_moving),
            )
        )
        merged = colour_overlay(still, warped, overlay) if overlay else None
        fused = merged or fuse_slides([still, warped], rule, **parsed(parameter, given_to=fuse_slides))
        with progress_bar("Fusing") as progress:
            write_slide(fused, output, progress=progress)
        typer.echo(f"Wrote {output}")
        if measure or report is not None:
            _say_figures(still, warped, fused, measure=measure, report=report)


def _say_figures(
    still: "Slide", warped: "Slide", fused: "Slide", *, measure: bool, report: Path | None
) -> None:
    """Print how much a fused picture keeps of both slides, or write it as a page."""
    from napari_histreg.quality.fusion_quality import measure_fused_slide
    from napari_histreg.quality.fusion_report import measure_table, write_fusion_report

    figures = measure_fused_slide(still, warped, fused)
    if report is not None:
        written = write_fusion_report(report, still, warped, fused, figures, made_by=fused.metadata)
        typer.echo("\n".join(f"Wrote {path}" for path in written))
    if measure:
        typer.echo(measure_table(figures))
