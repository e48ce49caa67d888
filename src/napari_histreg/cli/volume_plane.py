"""The options that choose a plane of a volume."""

from typing import Annotated

import typer

__all__ = [
    "BestIndex",
    "Index",
    "PlaneOption",
    "SeriesOption",
    "WindowOption",
    "addressed",
    "wanted_index",
    "with_best_plane",
]

PlaneOption = Annotated[
    str | None,
    typer.Option("--plane", metavar="NAME", help="Of volumes (DICOM, NIfTI …): axial, coronal or sagittal."),
]
Index = Annotated[
    int | None,
    typer.Option("--index", metavar="N", help="Which of these planes, from 0; the middle by default."),
]
BestIndex = Annotated[
    str | None,
    typer.Option(
        "--moving-index",
        metavar="N|A-B|best",
        help="Which plane of the moving volume, if not the same; or the best of planes A to B, or of all.",
    ),
]
SeriesOption = Annotated[
    str | None, typer.Option("--series", metavar="N|UID", help="Which series of a DICOM folder.")
]
WindowOption = Annotated[
    str | None,
    typer.Option(
        "--window", metavar="CENTRE:WIDTH", help="Keep these values apart, as 40:400 for soft tissue in CT."
    ),
]


def addressed(
    path: str,
    plane: str | None = None,
    index: int | None = None,
    series: str | None = None,
    window: str | None = None,
) -> str:
    """Add to a path what the options choose; a path that names its plane itself keeps what it names.

    Raises
    ------
    ValueError
        The window cannot be understood, or a plane is chosen of something that is no volume.
    """
    from dataclasses import replace

    from napari_histreg.slides.address import PlaneChoice, parse_address, parse_window

    file, named = parse_address(path)
    given = PlaneChoice(plane, index, series, 0, None if window is None else parse_window(window))
    if given == PlaneChoice():
        return path
    if named is None:
        return given.of(path)
    return replace(
        named,
        plane=named.plane or given.plane,
        index=given.index if named.index is None else named.index,
        series=named.series or given.series,
        window=named.window or given.window,
    ).of(file)


def wanted_index(text: str | None) -> int | tuple[int, int | None] | None:
    """Read which plane is wanted: a number, the best of a range, or the best of all, (0, None).

    Raises
    ------
    BadParameter
        It is none of these.
    """
    if text is None:
        return None
    if text == "best":
        return 0, None
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()) or (dash and int(last) < int(first)):
        raise typer.BadParameter(
            f"{text!r} is no plane: write a number, a range such as 4-9, or best", param_hint="--moving-index"
        )
    return (int(first), int(last)) if dash else int(first)


def with_best_plane(fixed: str, moving: str, plane: str | None, among: tuple[int, int | None]) -> str:
    """Name the plane of the moving volume that goes best together with the fixed slide; says which.

    Raises
    ------
    ValueError
        The moving file is no volume, or has no such planes.
    """
    from napari_histreg.cli.progress_bar import progress_bar
    from napari_histreg.registration.best_plane import best_plane
    from napari_histreg.slides import open_slide
    from napari_histreg.slides.address import PlaneChoice, parse_address
    from napari_histreg.slides.volume_planes import plane_slides
    from napari_histreg.volumes import open_volume
    from napari_histreg.volumes.sniffing import kind_of

    path, named = parse_address(moving)
    if kind_of(path) is None:
        raise ValueError(f"{path} is no volume: of it no plane can be chosen.")
    choice = named or PlaneChoice()
    volume = open_volume(path, series=choice.series, t=choice.t)
    planes = plane_slides(volume, choice, plane, *among)
    with open_slide(fixed) as slide, progress_bar("Looking for the plane") as progress:
        found = best_plane(slide, planes, progress=progress)
    shown = ", ".join(f"{planes[k].metadata['index']} ({score:.3f})" for k, score in found.scores.items())
    typer.echo(f"Best planes of {volume.name} and how well they go together: {shown}", err=True)
    return str(planes[found.place].path)
