"""What the README shows works as it stands there."""

import re
from pathlib import Path

from typer.main import get_command

from napari_histreg.cli.app import app
from napari_histreg.samples import demo_pair
from page_runner import blocks_of

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return [block.code for block in blocks_of(ROOT / "README.md") if block.language == language]


def test_the_python_block_runs(tmp_path, monkeypatch, capsys):
    pair = demo_pair(tmp_path)
    code = blocks("python")[0]
    code = code.replace("he.mrxs", pair.fixed.name).replace("multiplex.ome.tif", pair.moving.name)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README", "exec"), {})
    assert capsys.readouterr().out.startswith("accepted")


def test_every_command_shown_exists():
    shown = set(re.findall(r"^histreg (\w+)", "\n".join(blocks("bash")), re.MULTILINE))
    assert shown
    assert shown <= set(get_command(app).commands)


def test_every_picture_and_page_is_there():
    for target in re.findall(r"\]\(((?:docs|CHANGELOG)[^)]*)\)", README):
        assert (ROOT / target).is_file(), target
