"""``histreg transform``: annotations, cells and points carried through a registration."""

from pathlib import Path
from typing import Annotated

import typer

from napari_histreg.cli.options import EvenIfRefused, RecordOrGroupFile, slide_files
from napari_histreg.cli.record import PairOption, pair_record

__all__ = ["transform"]


def transform(
    registration: RecordOrGroupFile,
    shapes: Annotated[
        Path, typer.Argument(metavar="FILE", help="QuPath .geojson, or a .csv/.tsv/.parquet table.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The file to write.")],
    inverse: Annotated[
        bool,
        typer.Option("--inverse", help="From the fixed slide to the moving one, instead of moving to fixed."),
    ] = False,
    columns: Annotated[
        str, typer.Option("--columns", metavar="X,Y", help="Columns of a table that hold x and y.")
    ] = "x,y",
    centre: Annotated[
        bool,
        typer.Option(
            "--centre", help="(0, 0) is the centre of the first pixel, not its corner as in QuPath."
        ),
    ] = False,
    uncropped: Annotated[
        bool, typer.Option("--uncropped", help="Coordinates count from the uncropped corner of an .mrxs.")
    ] = False,
    tolerance: Annotated[
        float,
        typer.Option("--tolerance", metavar="PX", min=0.001, help="How closely edges follow a bent map."),
    ] = 0.25,
    even_if_refused: EvenIfRefused = False,
    pair: PairOption = None,
) -> None:
    """Carry annotations or cells from the moving slide to the fixed one, or back."""
    from napari_histreg.files import check_outputs
    from napari_histreg.records.reopening import require_result
    from napari_histreg.warping.annotations import carry_annotations
    from napari_histreg.warping.shapes import PixelMap
    from napari_histreg.warping.tables import carry_table

    record = pair_record(registration, pair)
    check_outputs(output, inputs=(registration, shapes, *slide_files(record)))
    require_result(record, even_if_refused=even_if_refused)
    source, target = (record.fixed, record.moving) if inverse else (record.moving, record.fixed)
    pixel_map = PixelMap(
        record.fixed_to_moving if inverse else record.moving_to_fixed,
        source.world_pixel_size,
        target.world_pixel_size,
        corner=not centre,
        source_offset_px=source.bounds_offset_px if uncropped else (0.0, 0.0),
        target_offset_px=target.bounds_offset_px if uncropped else (0.0, 0.0),
    )
    if shapes.suffix.lower() in {".geojson", ".json"}:
        count = carry_annotations(shapes, output, pixel_map, tolerance_px=tolerance)
        typer.echo(f"Wrote {output}: {count} geometries, in pixels of {target.name}")
        return
    names = tuple(name.strip() for name in columns.split(","))
    if len(names) != 2:
        raise typer.BadParameter(f"{columns!r} is not two names, as in --columns x,y", param_hint="--columns")
    count = carry_table(shapes, output, pixel_map, columns=(names[0], names[1]))
    typer.echo(f"Wrote {output}: {count} rows, in pixels of {target.name}")
