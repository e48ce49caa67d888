"""What the build of the documentation site refuses, and that every public name is explained."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools" / "docsite"))

import checks  # noqa: E402
import names  # noqa: E402
import pages  # noqa: E402
import scripts  # noqa: E402
import window_page  # noqa: E402


def test_a_picture_without_words_is_found():
    html = '<img src="a/b.png" alt="A slide"><img src="c.png"><img src="d.png" alt=" ">'
    html += '<img src="x/e.png" alt="e.png">'
    assert checks.pictures_without_words(html) == ["c.png", "d.png", "x/e.png"]


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.org/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.org/a.css">',
        '<img src="http://a.org/b.png" alt="b">',
    ],
)
def test_what_a_page_fetches_is_found(html):
    assert len(checks.fetched_from_elsewhere(f'<a href="https://a.org">to be clicked</a>{html}')) == 1


def test_every_public_name_is_explained():
    assert checks.names_without_words() == []


def test_a_name_without_words_is_found(monkeypatch):
    monkeypatch.setattr(
        checks, "offered", lambda: {"napari_histreg.methods.registry": ["_nothing", "METHODS"]}
    )
    import napari_histreg.methods.registry as registry

    monkeypatch.setattr(registry, "_nothing", lambda: None, raising=False)
    assert checks.names_without_words() == ["napari_histreg.methods.registry._nothing"]


def test_a_name_without_a_place_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "offered", lambda: {"room": ["shown", "hidden"]})
    (tmp_path / "reference" / "python").mkdir(parents=True)
    (tmp_path / "reference" / "python" / "room.html").write_text('<dt id="room.shown">', encoding="utf-8")
    assert checks.names_without_place(tmp_path) == ["room.hidden"]


def test_names_between_backticks_become_links_but_not_in_examples():
    lines = ["Returns a `Slide`, see `nothing`.", ">>> `Slide`", "Not ``Slide``."]
    names.link_names(None, "function", "napari_histreg.slides.open_slide", None, None, lines)
    assert lines[0] == "Returns a :py:obj:`~napari_histreg.slides.Slide`, see ``nothing``."
    assert lines[1:] == [">>> `Slide`", "Not ``Slide``."]


def test_the_menus_and_keys_are_those_of_the_window():
    pytest.importorskip("qtpy")
    from napari_histreg.plugin.widgets.key_list import KEYS

    page = window_page.page(ROOT)
    assert window_page.keys_of(ROOT) == KEYS
    assert "| Plugins > Slide registration | Align slides |" in page
    assert "| Layers > Register | Landmarks |" in page


@pytest.mark.parametrize(
    "page", ["tutorials/first-pair-napari", "how-to/napari", "how-to/groups", "how-to/cohorts"]
)
def test_pages_call_what_is_pressed_as_the_window_does(page):
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    pressed = re.findall(r"(?<!\*)\*([A-Z][^*]*)\*(?!\*)", text)
    assert pressed
    sources = [*(ROOT / "src" / "napari_histreg").rglob("*.py"), *(ROOT / "src").rglob("*.yaml")]
    shown = "\n".join(path.read_text(encoding="utf-8") for path in sources) + "Plugins"
    words = {part for word in pressed for part in " ".join(word.split()).split(" > ")}
    assert sorted(word for word in words if word.casefold() not in shown.casefold()) == []


def test_all_sources_are_gathered_and_hang_in_one_tree(tmp_path):
    source = tmp_path / "docs"
    pages.gather(ROOT, source, draw=False)
    assert [path for path in pages.MADE if not (source / path).is_file()] == []
    command_line = (source / "reference" / "command-line.md").read_text(encoding="utf-8")
    assert "## histreg register" in command_line
    assert "--fixed-channel" in command_line
    for record in ("registration.json", "group.json"):
        assert f"JSON schema of {record}" in (source / "reference" / "records.md").read_text(encoding="utf-8")
    methods = (source / "reference" / "methods" / "pairs.md").read_text(encoding="utf-8")
    assert "## sift: SIFT features" in methods
    assert "`max_side_px`" in methods
    hung = {source / "index.md"}
    for index in source.glob("**/index.md"):
        for entry in index.read_text(encoding="utf-8").rpartition(":hidden:")[2].split("```")[0].split():
            hung |= {index.parent.joinpath(entry).resolve().with_suffix(end) for end in (".md", ".rst")}
    written = [*source.rglob("*.md"), *source.rglob("*.rst")]
    assert [path.relative_to(source) for path in written if path.resolve() not in hung] == []


def test_a_script_without_words_or_without_a_figure_is_refused(tmp_path):
    silent = tmp_path / "silent.py"
    silent.write_text('"""A title\n\nA text.\n"""\n', encoding="utf-8")
    with pytest.raises(ValueError, match="Picture"):
        scripts.read_script(silent)
    empty = tmp_path / "empty.py"
    empty.write_text('"""A title\n\nA text.\n\nPicture: Nothing.\n"""\n\nprint(1)\n', encoding="utf-8")
    with pytest.raises(ValueError, match="drew no figure"):
        scripts.draw(scripts.read_script(empty), tmp_path / "empty.png")


def test_a_script_becomes_a_page_with_its_picture_and_what_it_prints(tmp_path):
    path = tmp_path / "line.py"
    path.write_text(
        '"""A line\n\nGoes up.\n\nPicture: A line\nthat rises.\n"""\n\n'
        "from matplotlib import pyplot as plt\n\nplt.plot([0, 1])\nprint('drawn')\n",
        encoding="utf-8",
    )
    script = scripts.read_script(path)
    printed = scripts.draw(script, tmp_path / "line.png")
    page = scripts.gallery_page(script, "line.png", printed)
    assert (tmp_path / "line.png").stat().st_size > 1000
    assert "![A line that rises.](line.png)" in page
    assert "```text\ndrawn\n```" in page


def test_every_script_of_the_docs_says_what_its_picture_shows():
    found = [*(ROOT / "docs" / "gallery").glob("*.py"), *(ROOT / "docs" / "pictures").glob("*.py")]
    assert len(found) >= 8
    assert all(scripts.read_script(path).seen for path in found)
