"""``histreg convert``: matrices and landmarks between the files of different tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_histreg.cli.record import PairOption, pair_record

if TYPE_CHECKING:
    from napari_histreg.registration import SlideRecord
    from napari_histreg.transforms.formats import SlideFrame

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
    from napari_histreg.records.document import read_registration
    from napari_histreg.records.reopening import require_result
    from napari_histreg.records.schema import FORMAT
    from napari_histreg.transforms.formats import convert_transform, write_transform

    if pair is None and not landmarks and is_group(source):
        convert_group(source, target, _needed(to_dialect))
        return
    check_outputs(target, inputs=(source, registration))
    record = None if registration is None else read_registration(registration)
    fixed = _frame(None if record is None else record.fixed, fixed_pixel_size)
    moving = _frame(None if record is None else record.moving, moving_pixel_size)
    if landmarks:
        _convert_landmarks(source, target, from_dialect, to_dialect, fixed, moving)
    elif pair is not None or _is_registration(source, FORMAT):
        record = pair_record(source, pair)
        require_result(record)
        fixed = _frame(record.fixed, fixed_pixel_size)
        moving = _frame(record.moving, moving_pixel_size)
        write_transform(record.fixed_to_moving, target, _needed(to_dialect), fixed=fixed, moving=moving)
    else:
        convert_transform(
            source,
            target,
            from_dialect=from_dialect,
            to_dialect=_needed(to_dialect),
            fixed=fixed,
            moving=moving,
        )
    typer.echo(f"Wrote {target}")


def _convert_landmarks(
    source: Path,
    target: Path,
    from_dialect: str | None,
    to_dialect: str | None,
    fixed: "SlideFrame | None",
    moving: "SlideFrame | None",
) -> None:
    from napari_histreg.landmarks import read_landmarks, write_landmarks

    fixed_size = (1.0, 1.0) if fixed is None else fixed.world_pixel_size
    moving_size = (1.0, 1.0) if moving is None else moving.world_pixel_size
    found = read_landmarks(
        source, dialect=from_dialect, fixed_pixel_size=fixed_size, moving_pixel_size=moving_size
    )
    write_landmarks(
        found,
        target,
        dialect=to_dialect or "histreg",
        fixed_pixel_size=fixed_size,
        moving_pixel_size=moving_size,
    )


def _frame(record: "SlideRecord | None", pixel_size: float | None) -> "SlideFrame | None":
    from napari_histreg.transforms.formats import SlideFrame

    size = None if pixel_size is None else (pixel_size, pixel_size)
    if record is None:
        return None if size is None else SlideFrame(pixel_size_um=size)
    return SlideFrame(pixel_size_um=size or record.pixel_size_um, shape=record.shape, name=record.name)


def _is_registration(path: Path, layout: str) -> bool:
    """Tell a registration.json from other tools' JSON files."""
    from napari_histreg.files import read_json

    if path.suffix.lower() != ".json":
        return False
    return read_json(path, "a transform", infinite=True).get("format") == layout


def _needed(to_dialect: str | None) -> str:
    from napari_histreg.transforms.formats import DIALECTS

    if to_dialect is None:
        raise typer.BadParameter(f"say which layout to write: {', '.join(DIALECTS)}", param_hint="--to")
    return to_dialect
