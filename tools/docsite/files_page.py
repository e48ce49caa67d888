"""The reference of the records, made from the models by which the program reads and writes them."""

import json

from napari_histreg.groups import schema as groups
from napari_histreg.records import schema as records

PARTS = (
    ("registration.json", "What `histreg register` writes into its folder.", records),
    ("group.json", "What `histreg group` writes into its folder.", groups),
)


def page() -> str:
    """Return a page with the fields of each record and its whole JSON schema."""
    parts = [
        "# Records",
        "Each record is JSON that names its `format` and `version`. A newer version than the program knows "
        "is refused in words; what is unknown in a known version is an error. Points are (y, x) in µm, the "
        "centre of the first pixel at 0, unless the name says `px`.",
    ]
    for name, about, module in PARTS:
        schema = module.json_schema()
        parts += [f"## {name}", about, f"Format `{module.FORMAT}`, version {module.VERSION}.", _table(schema)]
        for title, part in schema.get("$defs", {}).items():
            if "properties" in part:
                parts += [f"### {name}: {title}", " ".join(part.get("description", "").split()), _table(part)]
        text = json.dumps(schema, indent=1, ensure_ascii=False)
        parts.append(
            f"<details><summary>JSON schema of {name}</summary>\n\n```json\n{text}\n```\n\n</details>"
        )
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(schema) -> str:
    required = set(schema.get("required", ()))
    lines = ["| field | type | meaning |", "| --- | --- | --- |"]
    for name, field in schema.get("properties", {}).items():
        wanted = "" if name in required else ", may be missing"
        words = " ".join(field.get("description", "").split()).replace("|", r"\|")
        lines.append(f"| `{name}` | {_type(field)}{wanted} | {words} |")
    return "\n".join(lines)


def _type(field) -> str:
    if "$ref" in field:
        return field["$ref"].rpartition("/")[2]
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return " or ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    for several in ("anyOf", "oneOf"):
        if several in field:
            return " or ".join(_type(part) for part in field[several])
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}" if field.get("items") else "list"
    return field.get("type", "any")
