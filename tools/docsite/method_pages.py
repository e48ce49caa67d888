"""The reference of the methods, read from the tables in which they stand."""

from napari_histreg.groups.registry import GROUP_METHODS
from napari_histreg.projections.registry import PROJECTION_METHODS, projection_method_class
from napari_histreg.registration.catalogue import list_methods, parameter_rows, rows_of


def pages() -> dict[str, str]:
    """Return path and text of a page for each table of methods."""
    return {
        "reference/methods/pairs.md": _page(
            "Methods for pairs of slides",
            "`histreg register … --method NAME -p KEY=VALUE`, "
            "`register(fixed, moving, method=NAME, KEY=VALUE)`.",
            list_methods(),
            lambda spec: parameter_rows(spec.name),
        ),
        "reference/methods/groups.md": _page(
            "Methods for groups",
            "`histreg group … --method NAME -p KEY=VALUE`.",
            GROUP_METHODS,
            lambda spec: rows_of(spec.load()),
        ),
        "reference/methods/projections.md": _page(
            "Methods for series of projections",
            "`histreg projections … --method NAME -p KEY=VALUE`.",
            PROJECTION_METHODS,
            lambda spec: rows_of(projection_method_class(spec.name)),
        ),
    }


def _page(title: str, use: str, specs, rows) -> str:
    parts = [f"# {title}", f"Used as {use} This page is made from the table that the program itself reads."]
    for spec in specs:
        parts += [f"## {spec.name}: {spec.title}", spec.summary, _facts(spec)]
        if not spec.is_available:
            parts.append(
                f"Its package is not among those that this page was made with: `{spec.install_line}`."
            )
            continue
        parts.append(_parameters(rows(spec)))
    return "\n\n".join(parts) + "\n"


def _facts(spec) -> str:
    facts = [f"Finds: {', '.join(spec.kinds)}."]
    if 0 < (spec.rotation_deg or 0) < 180:
        facts.append(f"The start may be off by up to {spec.rotation_deg:g}°.")
    if spec.mirror:
        facts.append("Also mirrored slides.")
    facts.append("Works across stains." if spec.multimodal else "Same stain only.")
    if spec.extra:
        facts.append(f"Needs the extra `{spec.extra}`.")
    if spec.package:
        facts.append(f"Needs `{spec.package}`.")
    sources = ", ".join(f"[doi:{doi}](https://doi.org/{doi})" for doi in spec.doi)
    if sources:
        facts.append(f"Source: {sources}.")
    return " ".join(facts)


def _parameters(rows) -> str:
    if not rows:
        return "It has no parameters."
    lines = ["| parameter | meaning | default | may be |", "| --- | --- | --- | --- |"]
    for row in rows:
        may_be = " / ".join(f"`{choice}`" for choice in row.choices) or row.bounds
        default = "" if row.default in (None, "") else f"`{row.default}`"
        words = " ".join(row.description.split()).replace("|", r"\|")
        lines.append(f"| `{row.name}` | {words} | {default} | {may_be} |")
    return "\n".join(lines)
