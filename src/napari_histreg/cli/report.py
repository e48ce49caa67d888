"""``histreg report``: how far a registration can be trusted, on one page."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from napari_histreg.cli.progress_bar import progress_bar

__all__ = ["report"]


def report(
    registration: Annotated[
        Path,
        typer.Argument(metavar="REGISTRATION.json", help="Made by histreg register; or a group.json."),
    ],
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
    fixed: Annotated[
        str | None, typer.Option("--fixed", metavar="SLIDE", help="If the file has moved.")
    ] = None,
    moving: Annotated[
        str | None, typer.Option("--moving", metavar="SLIDE", help="If the file has moved.")
    ] = None,
    slides: Annotated[
        Path | None,
        typer.Option("--slides", metavar="DIR", help="Of a group: where its files have moved to."),
    ] = None,
) -> None:
    """Write a page of numbers and pictures that shows how far the alignment can be trusted."""
    from napari_histreg.cli.of_group import report_group
    from napari_histreg.files import check_outputs, claimed
    from napari_histreg.groups.document import is_group
    from napari_histreg.landmarks import read_landmarks
    from napari_histreg.quality.report import report_paths, write_report
    from napari_histreg.records.reopening import reopen_fixed, reopen_moving
    from napari_histreg.registration.folder import read_folder
    from napari_histreg.slides.address import as_file

    if is_group(registration):
        report_group(registration, output, where=slides)
        return
    record = read_folder(registration)
    folder = registration if registration.is_dir() else registration.parent
    inputs = (
        folder / "registration.json" if registration.is_dir() else registration,
        folder / "landmarks.csv",
        landmarks,
        as_file(fixed or record.fixed.path),
        as_file(moving or record.moving.path),
    )
    check_outputs(output, output.with_suffix(".json"), inputs=inputs)
    report_paths(output)
    with ExitStack() as opened:
        opened.enter_context(claimed(*inputs))
        # A refused alignment has a report too: it shows why.
        moving_slide = opened.enter_context(reopen_moving(record, moving, even_if_refused=True))
        fixed_slide = opened.enter_context(reopen_fixed(record, fixed))
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
