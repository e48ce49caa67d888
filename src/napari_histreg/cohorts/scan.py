"""A table of cases made from the names of slides in a folder."""

import csv
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_histreg.errors import DamagedFile, WriteError
from napari_histreg.files import written_whole

__all__ = ["Pairing", "find_pairs", "write_pairs"]

CASE = "{case}"
_MOST_NAMES = 5


@dataclass(frozen=True)
class Pairing:
    """Slides that belong together by their names.

    Parameters
    ----------
    pairs : tuple of (str, Path, Path)
        Name of the case, fixed and moving slide.
    alone : tuple of Path
        Slides that fit one pattern and have no partner.
    """

    pairs: tuple[tuple[str, Path, Path], ...]
    alone: tuple[Path, ...]


def find_pairs(folder: Path, fixed_pattern: str, moving_pattern: str) -> Pairing:
    """Find fixed and moving slides that have the case in common.

    Parameters
    ----------
    folder : Path
    fixed_pattern, moving_pattern : str
        Paths below the folder with "/" between folders: ``{case}`` stands for the name of the case,
        ``*`` for anything; neither reaches over a "/".

    Returns
    -------
    Pairing
        By the cases' names, 2 before 10.

    Raises
    ------
    ValueError
        A pattern holds no ``{case}``.
    DamagedFile
        The folder cannot be read, no pair is found, or two slides fit one pattern for one case.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("K10_HE.svs", "K10_IF.ome.tif", "K2_HE.svs", "K2_IF.tif", "K3_HE.svs"):
    ...         (Path(folder) / name).touch()
    ...     found = find_pairs(Path(folder), "{case}_HE.*", "{case}_IF.*")
    >>> [case for case, _, _ in found.pairs], [path.name for path in found.alone]
    (['K2', 'K10'], ['K3_HE.svs'])
    """
    patterns = [_compiled(pattern) for pattern in (fixed_pattern, moving_pattern)]
    sides: list[dict[str, Path]] = [{}, {}]
    entries = _entries(folder)
    for path in entries:
        for side, pattern in zip(sides, patterns, strict=True):
            found = pattern.fullmatch(path.relative_to(folder).as_posix())
            if found is None:
                continue
            other = side.setdefault(found["case"], path)
            if other is not path:
                raise DamagedFile(
                    f"Both {other} and {path} fit for the case {found['case']}; narrow the pattern."
                )
    fixed, moving = sides
    both = sorted(fixed.keys() & moving.keys(), key=_natural)
    if not both:
        names = ", ".join(path.name for path in entries[:_MOST_NAMES]) or "nothing"
        raise DamagedFile(
            f"{folder} holds no pair of {fixed_pattern} and {moving_pattern}; it holds {names} … Say with "
            "--fixed-pattern and --moving-pattern how the slides are named."
        )
    alone = [path for side in sides for case, path in side.items() if case not in both]
    return Pairing(tuple((case, fixed[case], moving[case]) for case in both), tuple(sorted(alone)))


def write_pairs(pairs: Sequence[tuple[str, Path, Path]], table: Path) -> None:
    """Write a table of cases, with paths relative to it where that is possible.

    Raises
    ------
    WriteError
        It is there already, or cannot be written.
    """
    if table.exists():
        raise WriteError(f"{table} is there already, and would be lost. Name another file.")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("case", "fixed", "moving"))
    for case, fixed, moving in pairs:
        writer.writerow((case.replace("/", "_"), *(_relative(path, table) for path in (fixed, moving))))
    with written_whole(table) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern.count(CASE) < 1:
        raise ValueError(f"The pattern {pattern!r} says nowhere where the {CASE} stands, as in {CASE}_HE.*")
    first, *rest = (re.escape(part).replace(r"\*", "[^/]*") for part in pattern.split(CASE))
    return re.compile(first + "(?P<case>[^/]+?)" + "(?P=case)".join(rest))


def _entries(folder: Path) -> list[Path]:
    """List what lies below a folder; what a slide's own folder holds, as a Zarr's, is no slide."""
    found: list[Path] = []
    if not folder.is_dir():
        raise DamagedFile(f"{folder} is not a folder.")
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        slides = [name for name in folders if name.lower().endswith(".zarr")]
        folders[:] = [name for name in folders if name not in slides]
        found += [Path(where) / name for name in (*sorted(names), *slides) if not name.startswith(".")]
    return found


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    return tuple(
        (1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.split(r"(\d+)", name)
    )


def _relative(path: Path, table: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), table.absolute().parent)).as_posix()
    except ValueError:
        return str(path.absolute())
