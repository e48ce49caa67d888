"""``histreg projections``: take the jitter out of a tomographic series."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from napari_histreg.cli.ending import REFUSED
from napari_histreg.cli.options import AsJson
from napari_histreg.cli.parameters import parsed
from napari_histreg.cli.progress_bar import progress_bar

__all__ = ["projections"]


class Stack(StrEnum):
    """As what the aligned stack is written."""

    tiff = "tiff"
    hdf5 = "hdf5"
    none = "none"


class Kind(StrEnum):
    """What the frames hold."""

    auto = "auto"
    intensity = "intensity"
    absorption = "absorption"


def projections(
    source: Annotated[
        list[Path],
        typer.Argument(
            metavar="SCAN...", help="TIFF files or a folder of them, or one stack: TIFF, HDF5, MRC."
        ),
    ],
    angles: Annotated[
        str | None,
        typer.Option(
            "--angles",
            metavar="TXT|RANGE",
            help="One angle a line, or 0:180 (both ends included), or 0:180:0.5.  [default: the file's own]",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Folder for results.  [default: SCAN_aligned]"),
    ] = None,
    dark: Annotated[
        Path | None, typer.Option("--dark", metavar="TIFF", help="Frames without beam; averaged.")
    ] = None,
    flat: Annotated[
        Path | None, typer.Option("--flat", metavar="TIFF", help="Frames without body; averaged.")
    ] = None,
    kind: Annotated[
        Kind, typer.Option("--kind", help="What the frames hold: counts, or line integrals.")
    ] = Kind.auto,
    method: Annotated[str, typer.Option("--method", metavar="NAME", help="See: histreg methods.")] = "joint",
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="KEY=VALUE", help="A parameter of the method; repeatable."),
    ] = None,
    working_px: Annotated[
        int, typer.Option("--working-px", metavar="PX", help="Frames are binned until no side is longer.")
    ] = 256,
    pixel_size: Annotated[
        float | None, typer.Option("--pixel-size", metavar="UM", help="µm per pixel, over the file's.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="PATH", help="Where the frames lie in an HDF5 file.")
    ] = None,
    stack: Annotated[
        Stack, typer.Option("--stack", help="The aligned stack as OME-TIFF, as HDF5, or not at all.")
    ] = Stack.tiff,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace files in DIR that are not an earlier result's own."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Align a tomographic series: shifts, rotation axis, aligned stack, report; exit 3 where refused."""
    from napari_histreg.progress import portion
    from napari_histreg.projections import align_projections, open_projections
    from napari_histreg.projections.summary import summary
    from napari_histreg.projections.tables import record_json
    from napari_histreg.projections.writing import check_projection_folder, write_projections

    opened = open_projections(
        source[0] if len(source) == 1 else source,
        angles,
        dark=dark,
        flat=flat,
        kind=kind.value,
        pixel_size_um=pixel_size,
        dataset=dataset,
    )
    with opened as series:
        folder = output or Path(f"{series.name}_aligned")
        read = [*source, *(Path(each) for each in (angles, dark, flat) if each is not None)]
        check_projection_folder(folder, inputs=read, overwrite=overwrite)
        with progress_bar("Aligning") as progress:
            found = align_projections(
                series,
                method=method,
                working_px=working_px,
                must_find=False,
                progress=portion(progress, 0.0, 0.8),
                **parsed(parameter, given_to=align_projections),
            )
            written = write_projections(
                found,
                series,
                folder,
                stack=stack.value,
                overwrite=overwrite,
                progress=portion(progress, 0.8, 1.0),
            )
    typer.echo(record_json(found) if as_json else summary(found))
    typer.echo("\n".join(f"  wrote {path}" for path in written), err=as_json)
    if found.verdict == "refused":
        raise typer.Exit(REFUSED)
