"""The command ``histreg``: its verbs, and how it ends."""

import sys
from typing import Annotated

import typer

from napari_histreg.cli import (
    convert,
    demo,
    evaluate,
    fuse,
    info,
    methods,
    register,
    report,
    template,
    transform,
    warp,
)
from napari_histreg.cli.ending import ended_well
from napari_histreg.cli.help import Group, Verb

__all__ = ["app", "main"]

app = typer.Typer(
    name="histreg",
    cls=Group,
    help="Align histology slides across stains, and say how far the result can be trusted.",
    epilog="Exit codes: 0 accepted or done; 1 bad input or failure; 2 wrong usage; 3 refused, not aligned.",
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
    warp.warp,
    transform.transform,
    convert.convert,
    fuse.fuse,
    evaluate.evaluate,
    report.report,
    template.template,
    methods.methods,
):
    app.command(cls=Verb)(verb)


def _version(wanted: bool) -> None:
    if wanted:
        from napari_histreg import __version__

        typer.echo(f"histreg {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Align histology slides across stains, and say how far the result can be trusted."""
    del debug, version  # both are dealt with before: one in `main`, the other in its callback


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    # --debug may stand anywhere, since people add it to the end of a line that failed.
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    with ended_well(show_traceback="--debug" in sys.argv):
        app(arguments)
