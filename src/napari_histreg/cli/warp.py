"""``histreg warp``: the moving slide in the fixed slide's frame."""

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from napari_histreg.cli.options import (
    EvenIfRefused,
    FixedFile,
    GroupFolder,
    MovingFile,
    RecordOrGroupFile,
    slide_files,
)
from napari_histreg.cli.progress_bar import progress_bar

__all__ = ["warp"]


class GridChoice(StrEnum):
    """What the output covers."""

    fixed = "fixed"
    union = "union"


class Interpolation(StrEnum):
    """How values between pixels are found."""

    linear = "linear"
    cubic = "cubic"
    nearest = "nearest"


def warp(
    registration: RecordOrGroupFile,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="An .ome.tif or .ome.zarr to write; of a group, or a folder.",
        ),
    ],
    grid: Annotated[
        GridChoice, typer.Option("--grid", help="Cover the fixed slide, or both.")
    ] = GridChoice.fixed,
    pixel_size: Annotated[
        float | None, typer.Option("--pixel-size", metavar="UM", help="Pixel size, if not the fixed slide's.")
    ] = None,
    channels: Annotated[
        str | None,
        typer.Option("--channels", metavar="A,B,…", help="Channels by name or number; all by default."),
    ] = None,
    interpolation: Annotated[
        Interpolation, typer.Option("--interpolation", help="nearest for label images.")
    ] = Interpolation.linear,
    compression: Annotated[
        str | None,
        typer.Option("--compression", help="jpeg, zstd, deflate, lzw or none; chosen by the pixels."),
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Put the fixed slide's channels into the file too.")
    ] = False,
    fixed: FixedFile = None,
    moving: MovingFile = None,
    even_if_refused: EvenIfRefused = False,
    slide: Annotated[
        list[str] | None,
        typer.Option("--slide", metavar="NAME", help="Of a group: only this one; repeatable."),
    ] = None,
    slides: GroupFolder = None,
) -> None:
    """Write the moving slide, all channels, in the frame of the fixed slide; or all slides of a group."""
    from napari_histreg.cli.of_group import only_for_pairs, warp_group
    from napari_histreg.files import check_outputs, claimed
    from napari_histreg.groups.document import is_group
    from napari_histreg.records.document import read_registration
    from napari_histreg.records.reopening import reopen_fixed, reopen_moving
    from napari_histreg.slides import write_slide
    from napari_histreg.warping import Output, aligned_slide

    wanted = Output(
        grid.value,
        pixel_size,
        [name.strip() for name in channels.split(",")] if channels else None,
        interpolation.value,
        merge,
    )
    if is_group(registration):
        only_for_pairs(registration, {"--fixed": fixed, "--moving": moving})
        warp_group(registration, output, wanted, compression=compression, only=slide, where=slides)
        return
    record = read_registration(registration)
    inputs = (registration, *slide_files(record, fixed, moving))
    check_outputs(output, inputs=inputs)
    with ExitStack() as opened:
        opened.enter_context(claimed(*inputs))
        source = opened.enter_context(reopen_moving(record, moving, even_if_refused=even_if_refused))
        # Its own area is known from the record; its pixels may lie on another machine.
        alone = grid is GridChoice.fixed and not merge and fixed is None
        target = record.fixed if alone else opened.enter_context(reopen_fixed(record, fixed))
        result = aligned_slide(target, source, record.fixed_to_moving, wanted)
        with progress_bar("Warping") as progress:
            write_slide(result, output, compression=compression, progress=progress)
    typer.echo(f"Wrote {output}")
