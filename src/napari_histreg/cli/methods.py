"""``histreg methods``: the ways of aligning."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_histreg.cli.options import AsJson

if TYPE_CHECKING:
    from rich.text import Text

    from napari_histreg.methods.registry import MethodSpec
    from napari_histreg.registration.catalogue import ParameterRow

__all__ = ["methods"]


def methods(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Show the parameters of one method.")
    ] = None,
    projections: Annotated[
        bool, typer.Option("--projections", help="Only those for series of projections.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the methods for pairs of slides and for series of projections, and what they need."""
    from napari_histreg.groups.registry import GROUP_METHODS
    from napari_histreg.projections.registry import PROJECTION_METHODS
    from napari_histreg.registration.catalogue import list_methods

    for_pairs = () if projections else list_methods()
    for_groups = () if projections else GROUP_METHODS
    if name is not None:
        _show_one(*_found(name, only_projections=projections), as_json=as_json)
        return
    if as_json:
        wanted = (*for_pairs, *for_groups) or PROJECTION_METHODS
        shown = [_as_plain(spec, spec in for_pairs) for spec in wanted]
        typer.echo(json.dumps(shown, indent=1, ensure_ascii=False))
        return
    if for_pairs:
        _print_table(for_pairs, across=True)
        typer.echo("For groups of slides at once, with histreg group:\n")
        _print_table(for_groups, across=True)
        typer.echo("For series of tomographic projections:\n")
    _print_table(PROJECTION_METHODS, across=False)
    typer.echo("Parameters of one: histreg methods NAME, or histreg methods NAME --projections")
    if for_pairs:
        typer.echo("Use them as:       histreg register … --method NAME -p KEY=VALUE")
    typer.echo("For series:        histreg projections … --method NAME -p KEY=VALUE")


def _found(name: str, *, only_projections: bool) -> tuple["MethodSpec", bool]:
    """Return the row of a name, and whether it is one for pairs; a name may stand in both tables."""
    from napari_histreg.groups.registry import find_group_method
    from napari_histreg.projections.registry import PROJECTION_METHODS, find_projection_method
    from napari_histreg.registration.catalogue import list_methods, method_spec

    of_groups = find_group_method(name)
    if of_groups is not None and not only_projections:
        return of_groups, False
    of_projections = only_projections or (
        name not in {spec.name for spec in list_methods()}
        and name in {spec.name for spec in PROJECTION_METHODS}
    )
    return (find_projection_method(name), False) if of_projections else (method_spec(name), True)


def _print_table(specs: "Iterable[MethodSpec]", *, across: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 1, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for spec in specs:
        table.add_row(spec.name, _about(spec, across=across))
    Console(highlight=False, markup=False).print(table)


def _about(spec: "MethodSpec", *, across: bool) -> "Text":
    """Say what a method does, and below what it finds, where it comes from and what it needs."""
    from rich.text import Text

    about = Text(f"{spec.summary}\n")
    if across:
        where = "same stain and across stains" if spec.multimodal else "same stain only"
    else:
        where = ", ".join(f"doi:{doi}" for doi in spec.doi)
    about.append(f"{', '.join(spec.kinds)}; {where}", style="dim")
    if not spec.is_available:
        about.append(f"\nNot installed: {spec.install_line}", style="bold")
    return about


def _rows(spec: "MethodSpec", of_pairs: bool) -> "tuple[ParameterRow, ...]":
    from napari_histreg.groups.registry import find_group_method
    from napari_histreg.projections.registry import projection_method_class
    from napari_histreg.registration.catalogue import parameter_rows, rows_of

    if find_group_method(spec.name) is spec:
        return rows_of(spec.load())
    return parameter_rows(spec.name) if of_pairs else rows_of(projection_method_class(spec.name))


def _show_one(spec: "MethodSpec", of_pairs: bool, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_as_plain(spec, of_pairs), indent=1, ensure_ascii=False))
        return
    rows = _rows(spec, of_pairs)
    typer.echo(f"{spec.name}: {spec.title}\n{spec.summary}")
    for row in rows:
        limits = " | ".join(row.choices) or row.bounds
        typer.echo(f"\n  -p {row.name}={row.default}" + (f"   ({limits})" if limits else ""))
        typer.echo(f"      {row.description}")


def _as_plain(spec: "MethodSpec", of_pairs: bool) -> dict[str, Any]:
    parameters = [asdict(row) for row in _rows(spec, of_pairs)] if spec.is_available else None
    return {**asdict(spec), "is_available": spec.is_available, "parameters": parameters}
