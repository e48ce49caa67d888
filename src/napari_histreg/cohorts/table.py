"""The table of cases: read, with every fault named at once."""

import csv
import difflib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from napari_histreg.cohorts.case import Case, CaseOptions, CaseSlide
from napari_histreg.errors import DamagedFile
from napari_histreg.files import read_text

__all__ = ["OPTION_COLUMNS", "read_cases"]

OPTION_COLUMNS = tuple(name for name in CaseOptions.model_fields if name != "parameters")
_FILES = ("landmarks", "truth", "initial")
_PAIRS_ONLY = ("signal", "model", "landmarks", "truth", "initial")
_BOTH_SIDES = {"channel": "channel", "pixel_size": "pixel_size"}
_SYNONYMS = {
    "target image": "fixed",
    "source image": "moving",
    "name": "case",
    "pixel_size_um": "pixel_size",
    "fixed_pixel_size_um": "fixed_pixel_size",
    "moving_pixel_size_um": "moving_pixel_size",
}
_ROLES = {"": "moving", "moving": "moving", "fixed": "fixed", "template": "fixed", "reference": "fixed"}
_FORBIDDEN = '/\\:*?"<>|'
_MOST_FAULTS = 20
_LARGEST_BYTES = 64 << 20

Line = tuple[int, dict[str, str]]
Made = tuple[int, Case]


class _Faults:
    """What is wrong with a table, gathered so that it is said once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sentences: list[str] = []

    def add(self, line: int, sentence: str) -> None:
        self.sentences.append(f"line {line}: {sentence}")

    def check(self) -> None:
        if not self.sentences:
            return
        shown = self.sentences[:_MOST_FAULTS]
        more = len(self.sentences) - len(shown)
        rest = f"; and {more} more" if more else ""
        raise DamagedFile(f"{self.path} cannot be used as it is: {'; '.join(shown)}{rest}.")


def read_cases(path: str | os.PathLike[str], *, usual: CaseOptions | None = None) -> tuple[Case, ...]:
    r"""Read a table of cases.

    Parameters
    ----------
    path : path-like
        Text with a header line, separated by commas, semicolons or tabs. Columns ``case, fixed, moving``
        (one line a pair; ANHIR's "Target image" and "Source image" are understood too) or ``case, slide,
        role`` (a line a slide; role is "fixed" or "moving"). Further columns: those of `CaseOptions`,
        ``channel`` and ``pixel_size`` for both slides, and ``p.KEY`` for a parameter of the method. A column
        that says nothing here is left alone. Paths are relative to the table.
    usual : CaseOptions, optional
        What holds where a row says nothing.

    Returns
    -------
    tuple of Case
        In the order of the table.

    Raises
    ------
    DamagedFile
        The table cannot be read, or lines are wrong; the message names all of them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder) / "cases.csv"
    ...     _ = table.write_text("case,fixed,moving,method\nK7,he.svs,if.ome.tif,sift\n")
    ...     case = read_cases(table)[0]
    >>> case.name, case.options.method, Path(case.slides[1].path).name
    ('K7', 'sift', 'if.ome.tif')
    """
    path = Path(path)
    header, lines = _read(path)
    faults = _Faults(path)
    _check_header(header, faults)
    make = _pairs if "fixed" in header else _groups
    made = list(make(lines, path.absolute().parent, usual or CaseOptions(), faults))
    _check_names(made, faults)
    faults.check()
    return tuple(case for _, case in made)


def _read(path: Path) -> tuple[list[str], list[Line]]:
    try:
        is_there = path.exists()
    except (OSError, ValueError):
        is_there = True  # said by what reads it
    if not is_there:
        raise DamagedFile(f"{path} does not exist. Write one with: histreg cohort {path.name} --init FOLDER")
    text = read_text(path, "a table of cases", limit=_LARGEST_BYTES)
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise DamagedFile(f"{path}, line {reader.line_num}: not a table ({error}).") from error
    if len(rows) < 2:
        raise DamagedFile(f"{path} holds no cases: it needs a header, such as case,fixed,moving, and lines.")
    header = [_SYNONYMS.get(cell.casefold(), _column(cell)) for cell in rows[0][1]]
    return header, [(line, dict(zip(header, cells, strict=False))) for line, cells in rows[1:]]


def _column(cell: str) -> str:
    """Return a header's name; a parameter's keeps its case."""
    return cell if cell.casefold().startswith("p.") else cell.casefold()


def _check_header(header: Sequence[str], faults: _Faults) -> None:
    known = (*OPTION_COLUMNS, *_BOTH_SIDES, "case", "fixed", "moving", "slide", "role")
    for name in header:
        if header.count(name) > 1 and name:
            faults.add(1, f"the column {name!r} stands there twice")
        near = difflib.get_close_matches(name, known, 1, 0.8)
        if name and name not in known and near and not name.startswith("p."):
            faults.add(1, f"there is no column {name!r}; is {near[0]!r} meant?")
    if not ({"fixed", "moving"} <= set(header) or {"case", "slide"} <= set(header)):
        faults.add(1, "the header must hold case,fixed,moving or case,slide,role")
    faults.check()


def _pairs(lines: Sequence[Line], folder: Path, usual: CaseOptions, faults: _Faults) -> Iterator[Made]:
    for number, (line, cells) in enumerate(lines, 1):
        paths = [cells.get(side, "") for side in ("fixed", "moving")]
        for side, path in zip(("fixed", "moving"), paths, strict=True):
            if not path:
                faults.add(line, f"the cell {side} is empty")
        name = cells.get("case", "") or f"{_stem(paths[1])}_on_{_stem(paths[0])}"
        options = _options(line, cells, folder, faults)
        slides = (
            CaseSlide(path=_absolute(paths[0], folder), role="fixed"),
            CaseSlide(path=_absolute(paths[1], folder), role="moving"),
        )
        yield line, Case(number=number, name=name, slides=slides, options=options.over(usual))


def _groups(lines: Sequence[Line], folder: Path, usual: CaseOptions, faults: _Faults) -> Iterator[Made]:
    members: dict[str, list[Line]] = {}
    for line, cells in lines:
        if not cells.get("case") or not cells.get("slide"):
            faults.add(line, f"the cell {'slide' if cells.get('case') else 'case'} is empty")
        elif cells.get("role", "").casefold() not in _ROLES:
            faults.add(line, f"the role is fixed or moving, not {cells['role']!r}")
        else:
            members.setdefault(cells["case"], []).append((line, cells))
    for number, (name, rows) in enumerate(members.items(), 1):
        slides = [_slide(cells, folder) for _, cells in rows]
        fixed = sum(slide.role == "fixed" for slide in slides)
        if len(slides) < 2 or fixed > 1:
            faults.add(rows[0][0], f"the case {name!r} has {len(slides)} slides, {fixed} of them fixed")
        options = _options(rows[0][0], _common(rows, faults), folder, faults).over(usual)
        if len(slides) > 2:
            for pairs_only in _PAIRS_ONLY:
                if getattr(options, pairs_only) is not None:
                    faults.add(
                        rows[0][0], f"{pairs_only} is for pairs, and {name!r} has {len(slides)} slides"
                    )
        # Two slides are a pair, and a pair has its fixed slide first.
        slides = sorted(slides, key=lambda slide: slide.role) if len(slides) == 2 else slides
        yield (
            rows[0][0],
            Case(
                number=number,
                name=name,
                slides=tuple(slides),
                is_group=len(slides) > 2,
                options=options,
            ),
        )


def _common(rows: Sequence[Line], faults: _Faults) -> dict[str, str]:
    """Put together what the lines of a group ask for: one of them may say it for all."""
    said: dict[str, str] = {}
    for line, cells in rows:
        for column, cell in cells.items():
            if cell and column not in ("slide", "role") and said.setdefault(column, cell) != cell:
                faults.add(line, f"{column} is {cell!r}, and another line of the case says {said[column]!r}")
    return said


def _slide(cells: Mapping[str, str], folder: Path) -> CaseSlide:
    role = _ROLES[cells.get("role", "").casefold()]
    return CaseSlide.model_validate({"path": _absolute(cells["slide"], folder), "role": role})


def _options(line: int, cells: Mapping[str, str], folder: Path, faults: _Faults) -> CaseOptions:
    """Read the options of a line; what both sides share goes to the side that says nothing itself."""
    values: dict[str, object] = {name: cells[name] for name in OPTION_COLUMNS if cells.get(name)}
    for name in _BOTH_SIDES:
        if cells.get(name):
            values = {f"fixed_{name}": cells[name], f"moving_{name}": cells[name]} | values
    for name in _FILES:
        if name in values:
            values[name] = _absolute(str(values[name]), folder)
    values["parameters"] = {
        name[2:].strip(): cell for name, cell in cells.items() if name.casefold().startswith("p.") and cell
    }
    try:
        return CaseOptions.model_validate(values)
    except ValidationError as error:
        for fault in error.errors():
            message = fault["msg"].removeprefix("Value error, ").rstrip(".")
            faults.add(line, f"{'.'.join(map(str, fault['loc']))}: {message}")
        return CaseOptions()


def _check_names(made: Sequence[Made], faults: _Faults) -> None:
    seen: set[str] = set()
    for line, case in made:
        name = case.name
        if (
            any(character in _FORBIDDEN or not character.isprintable() for character in name)
            or name.startswith(".")
            or name != name.rstrip(". ")
            or len(os.fsencode(name)) > 200
        ):
            faults.add(line, f"the case {name!r} cannot be the name of a folder")
        # Some file systems do not tell upper from lower case.
        if name.casefold() in seen:
            faults.add(line, f"the case {name!r} stands there twice")
        if name.casefold().startswith("cohort."):
            faults.add(line, f"the case {name!r} has the name of a file of results")
        seen.add(name.casefold())


def _absolute(path: str, folder: Path) -> str:
    if not path or "://" in path:
        return path
    if os.sep == "/" and not (folder / path).exists():
        # The table may come from another system.
        path = path.replace("\\", "/")
    return os.path.normpath(folder / path)


def _stem(path: str) -> str:
    name = path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return name.partition(".")[0] or "slide"
