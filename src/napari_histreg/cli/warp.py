"""``histreg warp``: the moving slide in the fixed slide's frame."""

from pathlib import Path
from typing import Annotated

import typer

from napari_histreg.cli.progress_bar import progress_bar

__all__ = ["warp"]


def warp(
    registration: Annotated[
        Path, typer.Argument(metavar="REGISTRATION.json", help="Made by histreg register.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="An .ome.tif to write.")],
    moving: Annotated[
        str | None, typer.Option("--moving", metavar="SLIDE", help="The moving slide, if its file has moved.")
    ] = None,
    even_if_refused: Annotated[
        bool, typer.Option("--even-if-refused", help="Warp by the best guess.")
    ] = False,
) -> None:
    """Write the moving slide, all channels, in the frame of the fixed slide."""
    from napari_histreg.registration.document import read_registration
    from napari_histreg.registration.reopening import reopen_moving
    from napari_histreg.slides import write_slide
    from napari_histreg.warping import Grid, warp_slide

    record = read_registration(registration)
    with reopen_moving(record, moving, even_if_refused=even_if_refused) as slide:
        grid = Grid(shape=record.fixed.shape, spacing=record.fixed.world_pixel_size)
        warped = warp_slide(slide, record.fixed_to_moving, grid, pixel_size_um=record.fixed.pixel_size_um)
        with progress_bar("Warping") as progress:
            write_slide(warped, output, progress=progress)
    typer.echo(f"Wrote {output}")
