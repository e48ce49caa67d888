"""``histreg register``: align two slides."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_histreg.cli.ending import REFUSED
from napari_histreg.cli.parameters import parsed
from napari_histreg.cli.progress_bar import progress_bar
from napari_histreg.cli.register_volumes import align_volumes
from napari_histreg.cli.volume_plane import (
    BestIndex,
    Index,
    PlaneOption,
    addressed,
    wanted_index,
    with_best_plane,
)

if TYPE_CHECKING:
    from napari_histreg.slides import Slide
    from napari_histreg.transforms import Transform

__all__ = ["register"]


def register(
    fixed: Annotated[str, typer.Argument(metavar="FIXED", help="The slide that stays where it is.")],
    moving: Annotated[str, typer.Argument(metavar="MOVING", help="The slide to bring onto it.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Folder for the results.  [default: MOVING_on_FIXED]"
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method", metavar="NAME", help="See: histreg methods.  [default: auto, or landmarks if given]"
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="KEY=VALUE", help="A parameter of the method; repeatable."),
    ] = None,
    landmarks: Annotated[
        Path | None,
        typer.Option("--landmarks", metavar="CSV", help="Pairs to fit, or to start --method from."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="NAME", help="What to fit to the landmarks: auto, translation, rigid, …"
        ),
    ] = None,
    initial: Annotated[
        Path | None, typer.Option("--initial", metavar="JSON", help="A registration.json to start from.")
    ] = None,
    signal: Annotated[
        str | None,
        typer.Option(
            "--signal",
            metavar="NAME",
            help="What is looked at: nuclear or grey, by single-plane methods; of retinas vessels or frangi.",
        ),
    ] = None,
    fixed_channel: Annotated[
        str | None, typer.Option(metavar="C", help="Channel to align by: name or number.")
    ] = None,
    moving_channel: Annotated[
        str | None, typer.Option(metavar="C", help="The same of the moving slide.")
    ] = None,
    fixed_pixel_size: Annotated[
        float | None, typer.Option(metavar="UM", help="µm per pixel, over the file's.")
    ] = None,
    moving_pixel_size: Annotated[
        float | None, typer.Option(metavar="UM", help="The same of the moving slide.")
    ] = None,
    plane: PlaneOption = None,
    index: Index = None,
    moving_index: BestIndex = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files in DIR that are not an earlier result's own.")
    ] = False,
    volume: Annotated[
        bool,
        typer.Option(
            "--volume", help="Align whole volumes in 3-D; -p transform=affine or bspline, -p search_deg=45."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print registration.json.")] = False,
) -> None:
    """Align the moving slide to the fixed one and write matrix, landmarks, picture and record."""
    from napari_histreg.records.document import to_json
    from napari_histreg.records.summary import summary
    from napari_histreg.registration import register as align
    from napari_histreg.registration.folder import check_folder, write_folder
    from napari_histreg.slides import open_slide
    from napari_histreg.slides.address import as_file

    parameters = parsed(parameter, given_to=align)
    folder = output or Path(f"{_stem(moving)}_on_{_stem(fixed)}")
    if volume:
        align_volumes(
            fixed,
            moving,
            folder,
            method=method,
            parameters=parameters,
            initial=initial,
            as_json=as_json,
            overwrite=overwrite,
        )
        return
    check_folder(folder, inputs=(as_file(fixed), as_file(moving), landmarks, initial), overwrite=overwrite)
    there = wanted_index(moving_index)
    fixed_plane = _plane(fixed, plane, index)
    if isinstance(there, tuple):
        moving_plane = with_best_plane(fixed_plane, moving, plane, there)
    else:
        moving_plane = _plane(moving, plane, index if there is None else there)
    with (
        open_slide(fixed_plane, pixel_size_um=fixed_pixel_size) as fixed_slide,
        open_slide(moving_plane, pixel_size_um=moving_pixel_size) as moving_slide,
    ):
        pairs = None
        if landmarks is not None:
            from napari_histreg.landmarks import read_landmarks

            pairs = read_landmarks(
                landmarks,
                fixed_pixel_size=fixed_slide.world_pixel_size,
                moving_pixel_size=moving_slide.world_pixel_size,
            )
        if model is not None:
            parameters["model"] = model
        with progress_bar("Aligning") as progress:
            result = align(
                fixed_slide,
                moving_slide,
                method=method or ("auto" if pairs is None else "landmarks"),
                fixed_channel=fixed_channel,
                moving_channel=moving_channel,
                signal=signal,
                initial=None if initial is None else _start(initial, fixed_slide, moving_slide),
                landmarks=pairs,
                progress=progress,
                must_find=False,
                **parameters,
            )
        written = write_folder(result, folder, fixed_slide, moving_slide, overwrite=overwrite)
    typer.echo(to_json(result) if as_json else summary(result))
    typer.echo("\n".join(f"  wrote {path}" for path in written), err=as_json)
    if result.verdict == "refused":
        raise typer.Exit(REFUSED)


def _start(record: Path, fixed: "Slide", moving: "Slide") -> "Transform":
    """Read where to start; its lengths must mean the same as those of the slides."""
    from napari_histreg.records.document import read_registration

    found = read_registration(record)
    for then, now in ((found.fixed, fixed), (found.moving, moving)):
        if then.unit != now.unit:
            raise typer.BadParameter(
                f"{record} measures {then.name} in {then.unit}, and {now.name} is in {now.unit} now: "
                "give both runs the same pixel sizes (--fixed-pixel-size, --moving-pixel-size)",
                param_hint="--initial",
            )
    return found.fixed_to_moving


def _stem(path: str) -> str:
    """Return a slide's name as part of a folder's name, which must not be long or break the line."""
    stem = Path(path).name.partition(".")[0][:80]
    return "".join(letter if letter.isprintable() else "_" for letter in stem).strip() or "slide"


def _plane(path: str, plane: str | None, index: int | None) -> str:
    """Name the plane of a volume; of other files the options choose nothing."""
    from napari_histreg.slides.address import file_of
    from napari_histreg.volumes.sniffing import kind_of

    return addressed(path, plane, index) if kind_of(file_of(path)) is not None else path
