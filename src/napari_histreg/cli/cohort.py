"""``histreg cohort``: many cases in one run."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_histreg.cli.cohort_progress import Display, display
from napari_histreg.cli.ending import FAILED, REFUSED
from napari_histreg.cli.parameters import parsed

if TYPE_CHECKING:
    from napari_histreg.cohorts import CaseOptions, CohortResult, RunSettings

__all__ = ["cohort"]


def cohort(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="CASES.csv",
            help="Columns case,fixed,moving or case,slide,role; see docs/how-to/cohorts.md.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the results.")
    ] = Path("results"),
    init: Annotated[
        Path | None,
        typer.Option(
            "--init", metavar="FOLDER", help="Write the table from the slides in a folder, and end."
        ),
    ] = None,
    fixed_pattern: Annotated[
        str, typer.Option(metavar="PATTERN", help="With --init: names of fixed slides, below the folder.")
    ] = "{case}_HE.*",
    moving_pattern: Annotated[
        str, typer.Option(metavar="PATTERN", help="The same of moving slides; {case} is equal in both.")
    ] = "{case}_IF.*",
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Cases at a time.  [default: one for each processor]"),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler, as tcp://head:8786, or its scheduler file."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(metavar="STATE,…", help="Again, those that are refused, doubtful, failed or accepted."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run also what is done and unchanged.")] = False,
    row: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Run a single case, from 1: for jobs of an array."),
    ] = None,
    method: Annotated[
        str | None, typer.Option("--method", metavar="NAME", help="Where the table says nothing.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="KEY=VALUE", help="A parameter of the method; repeatable."),
    ] = None,
    signal: Annotated[
        str | None, typer.Option(metavar="nuclear|grey", help="What single-plane methods look at.")
    ] = None,
    fixed_channel: Annotated[
        str | None, typer.Option(metavar="C", help="Channel to align by: name or number.")
    ] = None,
    moving_channel: Annotated[
        str | None, typer.Option(metavar="C", help="The same of the moving slide.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="The most a case may take, as 8GB.  [default: its share]"),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="The longest a case may take, as 90s, 30min or 2h.")
    ] = None,
    retries: Annotated[
        int, typer.Option(min=0, metavar="N", help="Further attempts where one can end otherwise.")
    ] = 1,
    path_map: Annotated[
        list[str] | None,
        typer.Option("--path-map", metavar="OLD=NEW", help="How workers see a path; repeatable."),
    ] = None,
    reports: Annotated[
        bool, typer.Option("--reports/--no-reports", help="Write a page for each case.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print what happens as lines of JSON.")] = False,
) -> None:
    """Align many cases, each with a folder of its own, and keep a table and a page of all."""
    from napari_histreg.cohorts import read_cases
    from napari_histreg.registration import register

    if init is not None:
        _write_table(table, init, fixed_pattern, moving_pattern)
        return
    usual = _usual(
        method=method,
        parameters=parsed(parameter, given_to=register),
        signal=signal,
        fixed_channel=fixed_channel,
        moving_channel=moving_channel,
    )
    settings = _settings(
        workers=workers,
        scheduler=scheduler,
        only=_states(only),
        force=force,
        retries=retries,
        memory=memory,
        timeout=timeout,
        report=reports,
        path_map=path_map or [],
    )
    cases = read_cases(table, usual=usual)
    with ExitStack() as stack:
        shown = stack.enter_context(display(as_json=as_json))
        if row is not None:
            _run_row(cases, row, output, settings, shown)
        else:
            from napari_histreg.cohorts import run_cohort

            result = run_cohort(cases, output, settings, listeners=[shown.listen])
            stack.close()
            _say_result(result, as_json=as_json)


def _run_row(cases: Any, row: int, output: Path, settings: "RunSettings", shown: Display) -> None:
    from napari_histreg.cohorts.events import Event
    from napari_histreg.cohorts.run import run_row

    if row > len(cases):
        raise typer.BadParameter(
            f"the table has {len(cases)} cases, so there is no {row}", param_hint="--row"
        )
    case = cases[row - 1]
    note = run_row(case, output, settings)
    shown.listen(Event("done", case.name, row, note.state, note.reason, note.seconds, finished=1, total=1))
    _end([note.state])


def _say_result(result: "CohortResult", *, as_json: bool) -> None:
    from napari_histreg.cohorts.results import CSV, HTML
    from napari_histreg.cohorts.run import counts

    found = counts(result.notes)
    sentence = ", ".join(f"{count} {state}" for state, count in found.items())
    lines = [f"{len(result.notes)} cases: {sentence}; {result.ran} of them run just now"]
    if result.count("failed") and not result.ran:
        lines.append("Those that failed are not run again as long as nothing changes: --only failed does.")
    lines += [f"  wrote {result.folder / name}" for name in (CSV, HTML)]
    typer.echo("\n".join(lines), err=as_json)
    _end([note.state for note in result.notes])


def _end(states: list[str]) -> None:
    """End as pipelines expect: failures weigh more than refusals."""
    if "failed" in states:
        raise typer.Exit(FAILED)
    if "refused" in states:
        raise typer.Exit(REFUSED)


def _write_table(table: Path, folder: Path, fixed_pattern: str, moving_pattern: str) -> None:
    from napari_histreg.cohorts.scan import find_pairs, write_pairs

    found = find_pairs(folder, fixed_pattern, moving_pattern)
    write_pairs(found.pairs, table)
    for path in found.alone:
        typer.echo(f"Left out, for it has no partner: {path}", err=True)
    typer.echo(f"Wrote {table}: {len(found.pairs)} cases")


def _usual(**values: Any) -> "CaseOptions":
    from pydantic import ValidationError

    from napari_histreg.cohorts import CaseOptions

    try:
        return CaseOptions(**values)
    except ValidationError as error:
        first = error.errors()[0]
        hint = f"--{'-'.join(str(part) for part in first['loc']).replace('_', '-')}"
        raise typer.BadParameter(first["msg"].removeprefix("Value error, "), param_hint=hint) from None


def _states(only: str | None) -> tuple[str, ...]:
    from napari_histreg.cohorts.note import SETTLED

    states = tuple(word.strip() for word in (only or "").split(",") if word.strip())
    for state in states:
        if state not in (*SETTLED, "waiting"):
            raise typer.BadParameter(
                f"{state!r} is none of {', '.join(SETTLED)}, waiting", param_hint="--only"
            )
    return states


def _settings(
    *, memory: str | None, timeout: str | None, path_map: list[str], **values: Any
) -> "RunSettings":
    from napari_histreg.cohorts import RunSettings
    from napari_histreg.cohorts.mounts import parse_path_maps
    from napari_histreg.cohorts.resources import parse_bytes, parse_seconds

    hint = ""
    try:
        hint = "--memory"
        memory_bytes = None if memory is None else parse_bytes(memory)
        hint = "--timeout"
        timeout_seconds = None if timeout is None else parse_seconds(timeout)
        hint = "--path-map"
        maps = parse_path_maps(path_map)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=hint) from None
    return RunSettings(memory_bytes=memory_bytes, timeout_seconds=timeout_seconds, path_maps=maps, **values)
