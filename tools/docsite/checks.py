"""Checks of the built site; each returns what is wrong, so that the build can name it."""

import importlib
import inspect
import re
from html.parser import HTMLParser
from pathlib import Path

from names import home_of, offered, words_below


class _Tags(HTMLParser):
    """Collects the tags of a page with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


def _tags(html: str) -> list[tuple[str, dict[str, str]]]:
    parser = _Tags()
    parser.feed(html)
    return parser.tags


def pictures_without_words(html: str) -> list[str]:
    """List the pictures of a page that have no alternative text, or only the name of their file.

    >>> pictures_without_words('<img src="a.png" alt="A slide"><img src="b.png" alt=" ">')
    ['b.png']
    """
    pictures = [attributes for tag, attributes in _tags(html) if tag == "img"]
    return [
        picture.get("src", "a picture")
        for picture in pictures
        if picture.get("alt", "").strip() in ("", Path(picture.get("src", "")).name, picture.get("src"))
    ]


def fetched_from_elsewhere(html: str) -> list[str]:
    """List what a browser would fetch from other hosts to show a page; links to be clicked are no matter.

    >>> fetched_from_elsewhere('<a href="https://a.org">a</a><script src="https://cdn.org/x.js"></script>')
    ['https://cdn.org/x.js']
    """
    found = []
    for tag, attributes in _tags(html):
        address = attributes.get("src", "")
        if tag == "link" and attributes.get("rel") in (
            "stylesheet",
            "preload",
            "icon",
            "preconnect",
            "dns-prefetch",
        ):
            address = attributes.get("href", "")
        if re.match(r"(https?:)?//", address):
            found.append(address)
    return found


def names_without_words() -> list[str]:
    """List public names that have no docstring of their own."""
    return [
        f"{room}.{name}"
        for room, names in offered().items()
        for name in names
        if not _explained(home_of(room, name), name)
    ]


def _explained(module: str, name: str) -> bool:
    value = getattr(importlib.import_module(module), name)
    if isinstance(value, type) or inspect.isroutine(value):
        return bool((value.__doc__ or "").strip())
    return bool(words_below(module, name))


def names_without_place(site: Path) -> list[str]:
    """List public names that have no heading of their own on any page of the reference."""
    anchors = {
        attributes["id"]
        for path in (site / "reference" / "python").glob("*.html")
        for _, attributes in _tags(path.read_text(encoding="utf-8"))
        if "id" in attributes
    }
    return [
        f"{room}.{name}"
        for room, names in offered().items()
        for name in names
        if f"{room}.{name}" not in anchors
    ]


def what_is_wrong(site: Path) -> list[str]:
    """Return one sentence for each fault of a built site."""
    faults = [f"{name} has no docstring." for name in names_without_words()]
    faults += [f"{name} has no place in the reference." for name in names_without_place(site)]
    for path in sorted(site.rglob("*.html")):
        html, page = path.read_text(encoding="utf-8"), path.relative_to(site)
        faults += [
            f"{page}: the picture {picture} has no alternative text."
            for picture in pictures_without_words(html)
        ]
        faults += [f"{page} fetches {address} when it is read." for address in fetched_from_elsewhere(html)]
    return faults
