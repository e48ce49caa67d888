"""The command ``histreg``: its verbs, and how it ends."""

import sys
from typing import Annotated

import typer

from napari_histreg.cli import (
    cohort,
    convert,
    demo,
    evaluate,
    fuse,
    group,
    info,
    methods,
    projections,
    register,
    report,
    template,
    train,
    transform,
    warp,
)
from napari_histreg.cli.ending import ended_well
from napari_histreg.cli.help import Group, Verb
from napari_histreg.cli.signals import speak_any_name
from napari_histreg.files import allow_gb
from napari_histreg.threads import spare_processors

__all__ = ["app", "main"]

app = typer.Typer(
    name="histreg",
    cls=Group,
    help="Align histology slides across stains, and say how far the result can be trusted.",
    epilog="Exit codes: 0 accepted, doubtful or done; 1 bad input or failure; 2 wrong usage; 3 refused.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    demo.demo,
    info.info,
    register.register,
    group.group,
    cohort.cohort,
    train.train,
    warp.warp,
    transform.transform,
    convert.convert,
    fuse.fuse,
    evaluate.evaluate,
    report.report,
    template.template,
    projections.projections,
    methods.methods,
):
    app.command(cls=Verb)(verb)


def _version(wanted: bool) -> None:
    if wanted:
        from napari_histreg import __version__

        typer.echo(f"histreg {__version__}")
        raise typer.Exit


def _memory(gb: float | None) -> None:
    if gb is not None:
        try:
            allow_gb(gb)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--max-gb") from None


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    max_gb: Annotated[
        float | None,
        typer.Option("--max-gb", metavar="GB", callback=_memory, help="Memory that one file may ask for."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Align histology slides across stains, and say how far the result can be trusted."""
    del debug, max_gb, version  # dealt with before: in `main` and in the callbacks


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    spare_processors()
    speak_any_name()
    with ended_well(show_traceback="--debug" in sys.argv):
        app(_general_first(sys.argv[1:]))


def _general_first(arguments: list[str]) -> list[str]:
    """Bring the general options to the front: people add them to the end of a line that failed.

    Examples
    --------
    >>> _general_first(["info", "a.png", "--debug", "--max-gb", "8"])
    ['--max-gb', '8', 'info', 'a.png']
    """
    first, rest, waiting = [], [], False
    for argument in arguments:
        if waiting or argument == "--max-gb" or argument.startswith("--max-gb="):
            first.append(argument)
            waiting = argument == "--max-gb"
        elif argument != "--debug":
            rest.append(argument)
    return [*first, *rest]
