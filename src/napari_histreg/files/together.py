"""Several files that belong together: never some of an old run beside some of a new one."""

import os
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from napari_histreg.files.claims import check_output
from napari_histreg.files.interruption import uninterrupted
from napari_histreg.files.strays import clear_strays, host, is_running, remove, temporary_name
from napari_histreg.files.writing import named

__all__ = ["folder_written_whole", "written_together"]

_COMPLETE = ".results.{}.histreg.done"


@contextmanager
def written_together(*paths: str | os.PathLike[str]) -> Iterator[tuple[Path, ...]]:
    """Give temporary names for files that belong together; all get their final names, or none does.

    The last one seals the others: it goes first and comes last, so that where it lies, all are of one run.

    Parameters
    ----------
    *paths : path-like
        The final names.

    Yields
    ------
    tuple of Path
        Where to write, in the same order.

    Raises
    ------
    WriteError
        As `written_whole`.
    """
    finals = [check_output(path) for path in paths]
    temporaries = tuple(temporary_name(final) for final in finals)
    for folder in {final.parent for final in finals}:
        clear_strays(folder)
    try:
        with ExitStack() as stack:
            for final, temporary in zip(finals, temporaries, strict=True):
                stack.enter_context(named(final, temporary))
            yield temporaries
            with uninterrupted():
                if len(finals) > 1:
                    finals[-1].unlink(missing_ok=True)
                for final, temporary in zip(finals, temporaries, strict=True):
                    temporary.replace(final)
    finally:
        for temporary in temporaries:
            remove(temporary)


@contextmanager
def folder_written_whole(folder: Path, seal: str, obsolete: Collection[str] = ()) -> Iterator[Path]:
    """Give a hidden folder to write several files to, which then go into `folder` together.

    A run that is killed while they go there leaves no seal, and the next run brings in the rest.

    Parameters
    ----------
    folder : Path
        Must exist.
    seal : str
        Name of the file without which the others say nothing.
    obsolete : collection of str
        Names in `folder` that go where no new file takes their place.

    Yields
    ------
    Path
        The hidden folder.
    """
    stage = temporary_name(folder / "results")
    complete = folder / _COMPLETE.format(f"{host()}-{os.getpid()}")
    clear_strays(folder)
    try:
        with named(folder, stage, complete):
            stage.mkdir()
            yield stage
            with uninterrupted():
                (folder / seal).unlink(missing_ok=True)
                stage.rename(complete)
                for name in obsolete:
                    if not (complete / name).exists():
                        (folder / name).unlink(missing_ok=True)
                _bring_in(complete, folder, seal)
    finally:
        remove(stage)


def finish_interrupted(folder: Path) -> None:
    """Bring in the files of a run that was killed after all of them were written.

    Parameters
    ----------
    folder : Path
        Where they belong.
    """
    for complete in folder.glob(_COMPLETE.format("*")):
        name, _, pid = complete.name.split(".")[2].partition("-")
        if name == host() and pid.isdigit() and not is_running(int(pid)):
            notes = [path.name for path in complete.iterdir() if path.suffix == ".json"]
            _bring_in(complete, folder, notes[0] if notes else "")


def _bring_in(complete: Path, folder: Path, seal: str) -> None:
    """Move files to where they belong, the seal last."""
    for path in sorted(complete.iterdir(), key=lambda path: path.name == seal):
        path.replace(folder / path.name)
    complete.rmdir()
