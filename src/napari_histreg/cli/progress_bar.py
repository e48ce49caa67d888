"""A progress bar on the terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from napari_histreg.progress import Progress, silent

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Show a bar on stderr while the block runs; nothing where stderr is no terminal.

    Parameters
    ----------
    title : str
        What is going on as a whole.

    Yields
    ------
    Progress
        To be told of the progress.
    """
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.fields[title]}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0, title=title)

        def report(fraction: float, message: str) -> None:
            bar.update(task, completed=fraction, description=message)

        yield report
