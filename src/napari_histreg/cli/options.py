"""Arguments and options that several verbs have, and the slides of a record that they open."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from napari_histreg.records.record import Registration
    from napari_histreg.slides import Slide

__all__ = [
    "AsJson",
    "EvenIfRefused",
    "FixedFile",
    "GroupFolder",
    "MovingFile",
    "RecordFile",
    "RecordOrGroupFile",
    "SlideOutput",
    "reopened",
    "slide_files",
]

RecordFile = Annotated[Path, typer.Argument(metavar="REGISTRATION.json", help="Made by histreg register.")]
RecordOrGroupFile = Annotated[
    Path, typer.Argument(metavar="REGISTRATION.json", help="Made by histreg register; or a group.json.")
]
GroupFolder = Annotated[
    Path | None, typer.Option("--slides", metavar="DIR", help="Of a group: where its files have moved to.")
]
SlideOutput = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="An .ome.tif or .ome.zarr to write; one plane also as .png, .nii.gz or .dcm.",
    ),
]
FixedFile = Annotated[str | None, typer.Option("--fixed", metavar="SLIDE", help="If the file has moved.")]
MovingFile = Annotated[str | None, typer.Option("--moving", metavar="SLIDE", help="If the file has moved.")]
EvenIfRefused = Annotated[bool, typer.Option("--even-if-refused", help="Use the best guess.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def slide_files(
    record: "Registration", fixed: str | None = None, moving: str | None = None
) -> tuple[Path | None, Path | None]:
    """Return the files of a record's slides, where they are now: nothing may be written over them."""
    from napari_histreg.slides.address import as_file

    return as_file(fixed or record.fixed.path), as_file(moving or record.moving.path)


@contextmanager
def reopened(
    record: "Registration", fixed: str | None, moving: str | None, *, even_if_refused: bool
) -> Iterator[tuple["Slide", "Slide"]]:
    """Open both slides of a record while something is made of them, the moving one first."""
    from napari_histreg.records.reopening import reopen_fixed, reopen_moving

    with ExitStack() as opened:
        source = opened.enter_context(reopen_moving(record, moving, even_if_refused=even_if_refused))
        yield opened.enter_context(reopen_fixed(record, fixed)), source
