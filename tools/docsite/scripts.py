"""Runs the small scripts of the documentation when the site is built, and keeps the pictures that they draw.

A script draws one matplotlib figure. Its docstring gives the title, the text, and behind ``Picture:`` what
is to be seen, for those who cannot see it. What it prints stands below the picture.
"""

import contextlib
import io
import os
import re
import runpy
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Script:
    """A script, taken apart."""

    path: Path
    title: str
    text: str
    seen: str
    code: str


def read_script(path: Path) -> Script:
    """Take a script apart; refuse one that does not say what its picture shows."""
    whole = path.read_text(encoding="utf-8")
    found = re.match(
        r'"""(?P<title>[^\n]+)\n(?P<text>.*?)\nPicture: (?P<seen>.*?)\n?"""\n(?P<code>.*)', whole, re.S
    )
    if found is None:
        raise ValueError(f"{path.name} does not begin with a title, a text and 'Picture: …'.")
    seen = " ".join(found["seen"].split())
    return Script(path, found["title"].rstrip("."), found["text"].strip(), seen, found["code"].strip())


def draw(script: Script, picture: Path) -> str:
    """Run a script in an empty folder, save its figure, and return what it printed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    plt.close("all")
    printed, here = io.StringIO(), Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(printed):
        os.chdir(folder)
        try:
            runpy.run_path(str(script.path))
        finally:
            os.chdir(here)
    if not plt.get_fignums():
        raise ValueError(f"{script.path.name} drew no figure.")
    picture.parent.mkdir(parents=True, exist_ok=True)
    plt.gcf().savefig(picture, dpi=90, bbox_inches="tight", facecolor="white")
    plt.close("all")
    return printed.getvalue()


def gallery_page(script: Script, picture: str, printed: str) -> str:
    """Return the page of a script: text, picture, what it printed, and the script itself."""
    parts = [f"# {script.title}", script.text, f"![{script.seen}]({picture})"]
    if printed.strip():
        parts.append(f"It prints:\n\n```text\n{printed.rstrip()}\n```")
    return "\n\n".join([*parts, f"```python\n{script.code}\n```"]) + "\n"


def build(root: Path, source: Path) -> None:
    """Run all scripts, and lay pages and pictures into the sources of the site."""
    rows = []
    for path in sorted((root / "docs" / "gallery").glob("*.py")):
        script = read_script(path)
        picture = f"{path.stem}.png"
        printed = draw(script, source / "gallery" / picture)
        page = gallery_page(script, picture, printed)
        (source / "gallery" / f"{path.stem}.md").write_text(page, encoding="utf-8")
        rows.append(f"## [{script.title}]({path.stem}.md)\n\n{script.text}\n\n![{script.seen}]({picture})")
    with (source / "gallery" / "index.md").open("a", encoding="utf-8") as index:
        index.write("\n" + "\n\n".join(rows) + "\n")
    for path in sorted((root / "docs" / "pictures").glob("*.py")):
        draw(read_script(path), source / "pictures" / f"{path.stem}.png")
