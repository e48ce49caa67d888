"""How a run of many cases shows where it stands: a live view, lines, or JSON for programs."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from napari_histreg.cohorts.events import Event

__all__ = ["Display", "display"]


class Display(Protocol):
    """Something that shows events."""

    def listen(self, event: "Event") -> None:
        """Show one."""


@contextmanager
def display(*, as_json: bool) -> Iterator[Display]:
    """Choose how to show: lines of JSON on stdout; else on stderr, live where it is a terminal.

    Parameters
    ----------
    as_json : bool
    """
    if as_json:
        yield _JsonLines()
    elif sys.stderr.isatty():
        with _live() as shown:
            yield shown
    else:
        yield _Lines()


class _JsonLines:
    def listen(self, event: "Event") -> None:
        print(event.to_json(), flush=True)  # noqa: T201 - this is what the command prints


class _Lines:
    def listen(self, event: "Event") -> None:
        from napari_histreg.cohorts.events import in_words

        if event.kind != "begun":
            print(in_words(event), file=sys.stderr, flush=True)  # noqa: T201


class _Live:
    """A bar, the counts and what is running, at the foot of the terminal; what is no success stays above."""

    def __init__(self, progress: Any) -> None:
        self.progress = progress
        self.task = progress.add_task("", total=1, left="")
        self.running: dict[int, str] = {}
        self.counted: Counter[str] = Counter()

    def listen(self, event: "Event") -> None:
        from rich.markup import escape

        from napari_histreg.cohorts.events import duration, in_words

        if event.kind == "begun":
            self.running[event.number] = event.case
        elif event.kind in ("done", "again"):
            self.running.pop(event.number, None)
        if event.kind == "done":
            self.counted[event.state] += 1
        if event.kind == "again" or event.state in ("refused", "failed"):
            self.progress.console.print(escape(in_words(event)), highlight=False)
        counted = ", ".join(f"{count} {state}" for state, count in sorted(self.counted.items()))
        names = ", ".join(self.running.values())
        left = {} if event.left_seconds is None else {"left": f"about {duration(event.left_seconds)} left"}
        self.progress.update(
            self.task,
            total=event.total,
            completed=event.finished,
            description=escape(" | ".join(part for part in (counted, names[:60]) if part)),
            **left,
        )


@contextmanager
def _live() -> Iterator[_Live]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        MofNCompleteColumn(),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Live(progress)
