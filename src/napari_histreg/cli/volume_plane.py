"""The options that choose a plane of a volume."""

from typing import Annotated

import typer

__all__ = ["Index", "PlaneOption", "SeriesOption", "WindowOption", "addressed"]

PlaneOption = Annotated[
    str | None,
    typer.Option("--plane", metavar="NAME", help="Of volumes (DICOM, NIfTI …): axial, coronal or sagittal."),
]
Index = Annotated[
    int | None,
    typer.Option("--index", metavar="N", help="Which of these planes, from 0; the middle by default."),
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
