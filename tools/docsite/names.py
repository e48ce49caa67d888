"""Public names of the library: which there are, and links to them out of docstrings."""

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

PACKAGE = "napari_histreg"
SOURCE = Path(__file__).resolve().parents[2] / "src"
NOT_A_LIBRARY = ("cli", "plugin")
SPOKEN_OF = re.compile(r"(?<![`\w:\[])`([A-Za-z_]\w+)`(?![`\w])")


@cache
def offered() -> dict[str, list[str]]:
    """Return what each room offers by its ``__all__``, read without importing it: room to names."""
    found = {}
    for path in sorted((SOURCE / PACKAGE).glob("*/__init__.py")):
        room = ".".join(path.parent.relative_to(SOURCE).parts)
        if path.parent.name not in NOT_A_LIBRARY and (names := all_of(path)):
            found[room] = names
    elsewhere = {name for names in found.values() for name in names}
    first = [name for name in all_of(SOURCE / PACKAGE / "__init__.py") if name not in elsewhere]
    return {PACKAGE: first, **found}


def all_of(path: Path) -> list[str]:
    """Return the names in the ``__all__`` of a file."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return [name for name in ast.literal_eval(node.value) if not name.startswith("__")]
    return []


def words_below(module: str, name: str) -> str:
    """Return the text below a constant, in the module that defines it; empty where there is none."""
    body = ast.parse(_file_of(module).read_text(encoding="utf-8")).body
    for node, following in pairwise(body):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(getattr(target, "id", "") == name for target in targets) and isinstance(following, ast.Expr):
            return " ".join(str(getattr(following.value, "value", "")).split())
    return ""


def _file_of(module: str) -> Path:
    base = SOURCE / Path(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def home_of(module: str, name: str) -> str:
    """Return the module in which a name is defined, following imports.

    >>> home_of("napari_histreg.methods", "METHODS")
    'napari_histreg.methods.registry'
    """
    for node in ast.walk(ast.parse(_file_of(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and any((a.asname or a.name) == name for a in node.names):
            return home_of(node.module, name)
    return module


def link_names(app, what, name, obj, options, lines) -> None:
    """Turn public names between single backticks into links, outside of examples."""
    places = {word: f"{room}.{word}" for room, words in offered().items() for word in words}

    def linked(found: re.Match[str]) -> str:
        word = found[1]
        if word not in places or name.endswith(f".{word}"):
            return f"``{word}``"
        return f":py:obj:`~{places[word]}`"

    lines[:] = [
        line if line.lstrip().startswith((">>>", "...", ":", "..")) else SPOKEN_OF.sub(linked, line)
        for line in lines
    ]


def own_member(app, what, name, obj, skip, options):
    """Leave out what pydantic brings into every model."""
    inherited = getattr(obj, "__module__", "") or ""
    return True if name.startswith("model_") or inherited.startswith("pydantic") else skip
