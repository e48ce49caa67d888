"""The reference of the library: a page for each room, from what the room offers."""

import importlib
import inspect
from pathlib import Path

from names import PACKAGE, SOURCE, all_of, home_of, offered, words_below

ORDER = (
    "napari_histreg",
    "napari_histreg.registration",
    "napari_histreg.slides",
    "napari_histreg.landmarks",
    "napari_histreg.transforms",
    "napari_histreg.warping",
    "napari_histreg.groups",
    "napari_histreg.cohorts",
)
"""Rooms in the order in which a reader meets them; others follow by name."""

MODULES = (
    "napari_histreg.errors",
    "napari_histreg.progress",
    "napari_histreg.transforms.formats",
    "napari_histreg.quality.target_error",
    "napari_histreg.quality.report",
)
"""Modules whose names no room offers, and that users of the library need all the same."""


def pages() -> dict[str, str]:
    """Return path and text of the pages."""
    rooms = sorted(offered(), key=lambda room: (ORDER.index(room) if room in ORDER else len(ORDER), room))
    made = {path_of(room): _page(room, offered()[room]) for room in rooms}
    for module in MODULES:
        base = SOURCE / Path(*module.split("."))
        names = all_of(base / "__init__.py" if base.is_dir() else base.with_suffix(".py"))
        made[path_of(module)] = _page(module, [name for name in names if name not in offered()[PACKAGE]])
    return made


def path_of(room: str) -> str:
    """Return where the page of a room or module lies."""
    return f"reference/python/{room.removeprefix(PACKAGE + '.').replace('.', '-')}.rst"


def _page(room: str, names: list[str]) -> str:
    title = room if room == PACKAGE else room.removeprefix(PACKAGE + ".")
    about = (importlib.import_module(room).__doc__ or "").split("\n\n")[0]
    parts = [f"{title}\n{'=' * len(title)}", about, f"``from {room} import …``"]
    if room == PACKAGE:
        parts.append(_from_rooms())
    for name in names:
        value = getattr(importlib.import_module(home_of(room, name)), name)
        parts.append(f"{name}\n{'-' * len(name)}\n\n{_directive(room, name, value)}")
    return "\n\n".join(parts) + "\n"


def _from_rooms() -> str:
    """List what the package offers at its top, with where each is explained."""
    places = {name: f"{room}.{name}" for room, names in offered().items() for name in names}
    listed = all_of(SOURCE / PACKAGE / "__init__.py")
    lines = "\n".join(f"- :py:obj:`{name} <{places[name]}>`" for name in listed)
    return f"What most people need can be imported from here:\n\n{lines}"


def _directive(room: str, name: str, value: object) -> str:
    if isinstance(value, type):
        return f".. autoclass:: {room}.{name}\n   :members:"
    if inspect.isroutine(value):
        return f".. autofunction:: {room}.{name}"
    return f".. py:data:: {room}.{name}\n\n   {words_below(home_of(room, name), name)}"
