"""A report's two files: the page for people, and beside it its numbers as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_histreg.errors import HistregError, WriteError
from napari_histreg.files import check_outputs, read_json, written_together

__all__ = ["FORMATS", "GROUP_REPORT", "report_paths", "write_page"]

GROUP_REPORT = "napari-histreg group report"
FORMATS = ("napari-histreg report", "napari-histreg fusion report", GROUP_REPORT)
"""What the numbers of our reports call themselves."""


def report_paths(path: str | Path) -> tuple[Path, Path]:
    """Return where a report and its twin lie.

    Raises
    ------
    WriteError
        Where the twin would lie is a file that is none of ours.
    """
    html_path = Path(path)
    if html_path.suffix.lower() == ".json" or not html_path.name:
        raise WriteError(f"{str(path)!r}: a report is a page. Let its name end in .html.")
    json_path = html_path.with_suffix(".json")
    if json_path.exists():
        try:
            is_ours = read_json(json_path, "a report").get("format") in FORMATS
        except HistregError:
            is_ours = False
        if not is_ours:
            raise WriteError(
                f"{json_path}, where the numbers of the report would lie, is no report of ours and would be "
                "lost. Give the report another name."
            )
    return html_path, json_path


def write_page(path: str | Path, html: str, values: Mapping[str, Any]) -> tuple[Path, Path]:
    """Write a page and its numbers, both or none.

    Parameters
    ----------
    path : path-like
        The HTML file; the JSON file lies beside it under the same name with the suffix ``.json``.
    html : str
        The page.
    values : mapping
        The numbers; those that JSON does not know (NaN, infinity) become null.

    Returns
    -------
    (Path, Path)
        The HTML and the JSON file.

    Raises
    ------
    WriteError
        One of them cannot be written, or would replace what is none of ours.
    """
    paths = report_paths(path)
    check_outputs(*paths)
    numbers = json.dumps(_plain(values), indent=1, default=str, allow_nan=False)
    with written_together(*paths) as (page, twin):
        page.write_text(html, encoding="utf-8")
        twin.write_text(numbers, encoding="utf-8")
    return paths


def _plain(value: Any) -> Any:
    """Replace numbers that JSON does not know, at any depth."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value
