"""``histreg methods``: the ways of aligning."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_histreg.cli.options import AsJson

if TYPE_CHECKING:
    from rich.text import Text

    from napari_histreg.methods.registry import MethodSpec

__all__ = ["methods"]


def methods(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Show the parameters of one method.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the registration methods, what they can and what they need."""
    from napari_histreg.registration.catalogue import list_methods, method_spec

    if name is not None:
        _show_one(method_spec(name), as_json=as_json)
        return
    specs = list_methods()
    if as_json:
        typer.echo(json.dumps([_as_plain(spec) for spec in specs], indent=1, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 1, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for spec in specs:
        table.add_row(spec.name, _about(spec))
    Console(highlight=False, markup=False).print(table)
    typer.echo("Parameters of one: histreg methods NAME")
    typer.echo("Use them as:       histreg register … --method NAME -p KEY=VALUE")


def _about(spec: "MethodSpec") -> "Text":
    """Say what a method does, and below what it finds and needs."""
    from rich.text import Text

    where = "same stain and across stains" if spec.multimodal else "same stain only"
    about = Text(f"{spec.summary}\n")
    about.append(f"{', '.join(spec.kinds)}; {where}", style="dim")
    if not spec.is_available:
        about.append(f"\nNot installed: {spec.install_line}", style="bold")
    return about


def _show_one(spec: "MethodSpec", *, as_json: bool) -> None:
    from napari_histreg.registration.catalogue import parameter_rows

    if as_json:
        typer.echo(json.dumps(_as_plain(spec), indent=1, ensure_ascii=False))
        return
    rows = parameter_rows(spec.name)
    typer.echo(f"{spec.name}: {spec.title}\n{spec.summary}")
    for row in rows:
        limits = " | ".join(row.choices) or row.bounds
        typer.echo(f"\n  -p {row.name}={row.default}" + (f"   ({limits})" if limits else ""))
        typer.echo(f"      {row.description}")


def _as_plain(spec: "MethodSpec") -> dict[str, Any]:
    from napari_histreg.registration.catalogue import parameter_rows

    parameters = [asdict(row) for row in parameter_rows(spec.name)] if spec.is_available else None
    return {**asdict(spec), "is_available": spec.is_available, "parameters": parameters}
