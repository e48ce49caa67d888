"""Paths as another machine sees them."""

from collections.abc import Iterable, Sequence

__all__ = ["PathMap", "parse_path_maps", "seen_from_there"]

PathMap = tuple[str, str]


def parse_path_maps(items: Iterable[str]) -> tuple[PathMap, ...]:
    """Read ``OLD=NEW`` items.

    Raises
    ------
    ValueError
        An item is not of this form.

    Examples
    --------
    >>> parse_path_maps(["/data/me=/mnt/me"])
    (('/data/me', '/mnt/me'),)
    """
    maps = []
    for item in items:
        old, equals, new = item.partition("=")
        if not equals or not old.strip() or not new.strip():
            raise ValueError(f"{item!r} is not OLD=NEW, as in /data/me=/mnt/me.")
        maps.append((old.strip().rstrip("/\\") or "/", new.strip().rstrip("/\\") or "/"))
    return tuple(maps)


def seen_from_there(path: str, maps: Sequence[PathMap]) -> str:
    """Return a path as the other machine has it; the first map whose beginning fits counts.

    Examples
    --------
    >>> maps = parse_path_maps(["/data=/mnt/data"])
    >>> seen_from_there("/data/a/he.svs", maps), seen_from_there("/database/he.svs", maps)
    ('/mnt/data/a/he.svs', '/database/he.svs')
    """
    for old, new in maps:
        if path == old:
            return new
        rest = path[len(old.rstrip("/\\")) :]
        if path.startswith(old) and rest[:1] in ("/", "\\"):
            # The rest keeps its words; only its separators become those of the other system.
            windows = "\\" in new and "/" not in new
            return new.rstrip("/\\") + (rest.replace("/", "\\") if windows else rest.replace("\\", "/"))
    return path
