"""Gathers the sources of the site: the written pages, and those made from the program."""

import re
import shutil
from pathlib import Path, PurePosixPath

import command_page
import files_page
import method_pages
import python_pages
import scripts
import window_page

FROM_ROOT = {
    "CHANGELOG.md": "whats-new.md",
    "CONTRIBUTING.md": "contributing/index.md",
    "SECURITY.md": "contributing/security-policy.md",
}
"""Pages above docs/, and where the site has them."""

MADE = (
    *FROM_ROOT.values(),
    "reference/command-line.md",
    "reference/window.md",
    "reference/records.md",
    "reference/methods/pairs.md",
    "reference/methods/groups.md",
    "reference/methods/projections.md",
    "reference/python/index.md",
)
"""Pages that written pages may link to, and that no file holds before the site is built."""

TITLES = {"whats-new.md": ("# Changelog", "# What's new")}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#:]+\.(?:md|rst))\)")


def gather(root: Path, source: Path, *, draw: bool = True) -> None:
    """Lay all sources of the site into an empty folder; `draw` runs the scripts that make pictures."""
    shutil.copytree(root / "docs", source, ignore=shutil.ignore_patterns("__pycache__"))
    made = {
        "reference/command-line.md": command_page.page(),
        "reference/window.md": window_page.page(root),
        "reference/records.md": files_page.page(),
        **method_pages.pages(),
        **python_pages.pages(),
    }
    for name, path in FROM_ROOT.items():
        made[path] = _from_root((root / name).read_text(encoding="utf-8"), path)
    made["reference/python/index.md"] = _python_index(made)
    for path, text in made.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text, encoding="utf-8")
    for path in source.rglob("*.md"):
        place = path.relative_to(source).as_posix()
        path.write_text(with_links_inside(path.read_text(encoding="utf-8"), place), encoding="utf-8")
    if draw:
        scripts.build(root, source)
    _hang_pages(source)


def _python_index(made: dict[str, str]) -> str:
    rooms = [PurePosixPath(path) for path in made if path.startswith("reference/python/")]
    rows = [f"- [{path.stem.replace('-', '.')}]({path.name})" for path in rooms]
    return (
        "# Python\n\nA page for each room of the library; `napari_histreg` itself first.\n\n"
        + "\n".join(rows)
        + "\n"
    )


def _hang_pages(source: Path) -> None:
    """Give each index page a table of contents: the pages of its own kind, as it links to them."""
    top = [
        "tutorials/index",
        "how-to/index",
        "explanation/index",
        "gallery/index",
        "notebooks/index",
        "reference/index",
        "contributing/index",
        "whats-new",
    ]
    _add_contents(source / "index.md", top)
    for path in source.glob("**/index.md"):
        if path.parent == source:
            continue
        linked = LINK.findall(path.read_text(encoding="utf-8"))
        own = [link for link in dict.fromkeys(linked) if not link.startswith("../")]
        if path.parent.name == "contributing":
            own += [link for link in dict.fromkeys(linked) if link == "../architecture.md"]
        _add_contents(path, [link.rpartition(".")[0] for link in own])


def _add_contents(path: Path, pages: list[str]) -> None:
    lines = "\n".join(pages)
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}\n```{{toctree}}\n:hidden:\n\n{lines}\n```\n", encoding="utf-8")


def _relative(target: str, page: str) -> str:
    here = PurePosixPath(page).parent
    there = PurePosixPath(target)
    if here == there.parent:
        return there.name
    return "../" * len(here.parts) + target


def _from_root(text: str, page: str) -> str:
    """Return a page above docs/ with its links as they are from its place in the site."""
    text = re.sub(r"\]\(docs/([^)]+)\)", lambda m: f"]({_relative(m[1], page)})", text)
    for name, place in FROM_ROOT.items():
        text = text.replace(f"]({name})", f"]({_relative(place, page)})")
    return text.replace(*TITLES.get(page, ("", "")))


def with_links_inside(markdown: str, page: str) -> str:
    """Return a page of docs/ whose links to pages above it lead to where the site has them.

    >>> with_links_inside("[x](../../SECURITY.md)", "reference/security.md")
    '[x](../contributing/security-policy.md)'
    """
    for name, place in FROM_ROOT.items():
        markdown = re.sub(rf"\]\((?:\.\./)+{re.escape(name)}\)", f"]({_relative(place, page)})", markdown)
    return markdown
