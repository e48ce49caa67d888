"""The reference of the window: menus from the manifest, keys from the list that the window shows."""

import ast
from pathlib import Path

import yaml

MENUS = {
    "napari/layers/register": "Layers > Register",
    "napari/file/io_utilities": "File > IO Utilities",
}
KEY_LIST = "src/napari_histreg/plugin/widgets/key_list.py"


def page(root: Path) -> str:
    """Return a page with menus, samples, readers, writers and keys."""
    manifest = yaml.safe_load((root / "napari.yaml").read_text(encoding="utf-8"))
    given = manifest["contributions"]
    titles = {command["id"]: command["title"] for command in given["commands"]}
    menus = [["Plugins > " + manifest["display_name"], row["display_name"]] for row in given["widgets"]]
    for place, rows in given["menus"].items():
        menus += [[MENUS.get(place, place), titles[row["command"]]] for row in rows]
    readers = [
        [titles[row["command"]], " ".join(f"`{pattern}`" for pattern in row["filename_patterns"])]
        for row in given["readers"]
    ]
    writers = [
        [row["display_name"], " ".join(f"`{end}`" for end in row["filename_extensions"])]
        for row in given["writers"]
    ]
    samples = [
        ["File > Open Sample > " + manifest["display_name"], r["display_name"]] for r in given["sample_data"]
    ]
    return "\n\n".join(
        [
            "# Menus and keys of the window",
            "What each part of the window does: [The window](../how-to/napari.md).",
            "## Menus\n\n" + _table(("menu", "entry"), menus),
            "## Samples\n\n" + _table(("menu", "entry"), samples),
            "## Keys and mouse while pairs are placed\n\n"
            "The button *Keys* of the landmarks shows this list. The keys hold while a canvas or the panel "
            "has the focus, and are given back when it is closed.\n\n"
            + _table(("key or mouse", "does"), [[f"`{keys}`", what] for keys, what in keys_of(root)]),
            "## Files that may be dropped on the window\n\n" + _table(("opens", "names"), readers),
            "## Layers that may be saved\n\nChoose two points layers, then *File > Save Selected Layers*.\n\n"
            + _table(("as", "names"), writers),
        ]
    )


def keys_of(root: Path) -> tuple[tuple[str, str], ...]:
    """Return the keys and what they do, read without Qt."""
    for node in ast.parse((root / KEY_LIST).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "KEYS":
            return ast.literal_eval(node.value)
    raise LookupError(f"{KEY_LIST} holds no KEYS.")


def _table(heads, rows) -> str:
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])
