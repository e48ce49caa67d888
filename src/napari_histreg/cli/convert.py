"""``histreg convert``: matrices and landmarks between the files of different tools."""

from pathlib import Path
from typing import Annotated

import typer

from napari_histreg.cli.record import PairOption, pair_record

__all__ = ["convert"]


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="A registration.json, a group.json, or another tool's file.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    from_dialect: Annotated[
        str | None,
        typer.Option("--from", metavar="NAME", help="Layout of IN, where its ending does not tell."),
    ] = None,
    to_dialect: Annotated[
        str | None, typer.Option("--to", metavar="NAME", help="Layout of OUT; see docs/reference/interop.md.")
    ] = None,
    landmarks: Annotated[
        bool, typer.Option("--landmarks", help="IN and OUT hold landmarks instead of a transform.")
    ] = False,
    registration: Annotated[
        Path | None,
        typer.Option("--registration", metavar="JSON", help="Knows sizes and pixel sizes of the slides."),
    ] = None,
    fixed_pixel_size: Annotated[
        float | None, typer.Option(metavar="UM", help="µm per pixel, if nothing knows.")
    ] = None,
    moving_pixel_size: Annotated[
        float | None, typer.Option(metavar="UM", help="The same of the moving slide.")
    ] = None,
    pair: PairOption = None,
) -> None:
    """Turn a transform or landmarks into the layout of another tool; no slides are needed."""
    from napari_histreg.cli.of_group import convert_group
    from napari_histreg.files import check_outputs
    from napari_histreg.groups.document import is_group
    from napari_histreg.records.conversion import convert_file
    from napari_histreg.records.document import read_registration

    if pair is None and not landmarks and is_group(source):
        convert_group(source, target, _needed(to_dialect))
        return
    check_outputs(target, inputs=(source, registration))
    convert_file(
        source if pair is None or landmarks else pair_record(source, pair),
        target,
        to_dialect=to_dialect if landmarks else _needed(to_dialect),
        from_dialect=from_dialect,
        landmarks=landmarks,
        registration=None if registration is None else read_registration(registration),
        fixed_pixel_size=fixed_pixel_size,
        moving_pixel_size=moving_pixel_size,
    )
    typer.echo(f"Wrote {target}")


def _needed(to_dialect: str | None) -> str:
    from napari_histreg.transforms.formats import DIALECTS

    if to_dialect is None:
        raise typer.BadParameter(f"say which layout to write: {', '.join(DIALECTS)}", param_hint="--to")
    return to_dialect
