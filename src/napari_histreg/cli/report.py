"""``histreg report``: how far a registration can be trusted, on one page."""

from pathlib import Path
from typing import Annotated

import typer

from napari_histreg.cli.options import (
    FixedFile,
    GroupFolder,
    MovingFile,
    RecordOrGroupFile,
    reopened,
    slide_files,
)
from napari_histreg.cli.progress_bar import progress_bar

__all__ = ["report"]


def report(
    registration: RecordOrGroupFile,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="HTML", help="The page; a .json of the numbers lies beside it."
        ),
    ] = Path("report.html"),
    landmarks: Annotated[
        Path | None,
        typer.Option("--landmarks", metavar="CSV", help="Pairs that the alignment was not made from."),
    ] = None,
    fixed: FixedFile = None,
    moving: MovingFile = None,
    slides: GroupFolder = None,
) -> None:
    """Write a page of numbers and pictures that shows how far the alignment can be trusted."""
    from napari_histreg.cli.of_group import only_for_pairs, report_group
    from napari_histreg.files import check_outputs, claimed
    from napari_histreg.groups.document import is_group
    from napari_histreg.landmarks import read_landmarks
    from napari_histreg.quality.report import write_report
    from napari_histreg.quality.report_files import report_paths
    from napari_histreg.registration.folder import read_folder

    if is_group(registration):
        only_for_pairs(registration, {"--fixed": fixed, "--moving": moving, "--landmarks": landmarks})
        report_group(registration, output, where=slides)
        return
    record = read_folder(registration)
    folder = registration if registration.is_dir() else registration.parent
    inputs = (
        folder / "registration.json" if registration.is_dir() else registration,
        folder / "landmarks.csv",
        landmarks,
        *slide_files(record, fixed, moving),
    )
    check_outputs(output, output.with_suffix(".json"), inputs=inputs)
    report_paths(output)
    # A refused alignment has a report too: it shows why.
    opening = reopened(record, fixed, moving, even_if_refused=True)
    with claimed(*inputs), opening as (fixed_slide, moving_slide):
        pairs = None
        if landmarks is not None:
            pairs = read_landmarks(
                landmarks,
                fixed_pixel_size=record.fixed.world_pixel_size,
                moving_pixel_size=record.moving.world_pixel_size,
            )
        with progress_bar("Checking") as progress:
            written = write_report(
                record, output, fixed_slide, moving_slide, landmarks=pairs, progress=progress
            )
    typer.echo("\n".join(f"Wrote {path}" for path in written))
