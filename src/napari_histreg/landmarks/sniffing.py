"""Telling a landmark file's dialect by its first lines."""

from pathlib import Path

from napari_histreg.errors import LandmarkError
from napari_histreg.landmarks.layouts.cells import read_text

__all__ = ["guess_dialect"]

MARKS = {
    "xenium": ("fixedx", "alignmentx"),
    "acrobat": ("anon_id", "point_id"),
    "napari": ("axis-0", "axis-1"),
    "anhir": ("x", "y"),
    "elastix": ("point",),
}
"""Columns that only the header of that dialect has; the first that matches counts."""

OURS = ("name", "enabled", "fixed_x_px", "fixed_y_px", "moving_x_px", "moving_y_px")


def guess_dialect(path: Path) -> str:
    """Return the name of the dialect that a file is written in.

    Raises
    ------
    DamagedFile
        The file is missing or cannot be read.
    LandmarkError
        The file is empty, no text, or begins like no layout that is known.
    """
    text = read_text(path).lstrip()
    if text.startswith(("{", "[")):
        return "bigwarp_json" if "fixedPoints" in text else "qupath"
    line = text.partition("\n")[0].partition("\r")[0]
    first = line.casefold()
    cells = [cell.strip(' "') for cell in first.replace(";", ",").replace("\t", ",").split(",")]
    if cells == ["index"]:
        return "elastix"
    # Half of our header is enough to know that it is meant: then the message can say what is missing.
    if len(set(OURS) & set(cells)) >= 3:
        return "histreg"
    for name, mark in MARKS.items():
        if set(mark) <= set(cells):
            return name
    if len(cells) in (6, 8) and cells[1] in ("true", "false"):
        return "bigwarp"
    raise LandmarkError(
        f"{path}, line 1: {line[:80]!r} begins no landmark layout that is known. "
        "Name the layout, or give the file the header " + ",".join(OURS) + "."
    )
