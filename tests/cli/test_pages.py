"""Tutorials and how-to pages are done as they stand: each command, and each piece of Python."""

import json
import shutil
import time
from pathlib import Path

import pytest
from typer.main import get_command

import page_slides
import page_volumes
from napari_histreg.cli.app import app
from napari_histreg.optional import is_installed
from page_runner import blocks_of, commands_of, missing_lines, run_page

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(page for kind in ("tutorials", "how-to") for page in (DOCS / kind).glob("*.md"))

STAND_INS = {
    "how-to/groups.md": page_slides.several_stains,
    "how-to/cohorts.md": page_slides.table_of_cases,
    "how-to/learned.md": page_slides.pair_and_network,
    "how-to/medical.md": page_volumes.volumes_and_retinas,
    "how-to/projections.md": page_slides.series_of_projections,
}
"""Pages that name the reader's own files, and what makes files of these names and kinds."""

WHY_NOT = ("installs", "wants SLURM", "wants Docker", "takes an hour")
"""Reasons for which a block of a page may be left out; a lesson does the same with what it makes."""

IN_EVERY_RUN = {
    "tutorials/first-pair-command-line.md",
    "tutorials/ct-on-mr.md",
    "tutorials/projections.md",
}
"""Lessons done in every run, one of each kind of thing that is aligned; the others by `make thorough`."""

THOROUGH = (pytest.mark.thorough, pytest.mark.timeout(900))
WANTS_DASK = pytest.mark.skipif(not is_installed("distributed"), reason='wants the extra "cluster"')
WANTS_PYTORCH = pytest.mark.skipif(not is_installed("torch"), reason='training needs the extra "learned"')
WORK = {"register", "group", "cohort", "projections", "demo", "train"}
DEMO = ["demo", "-o", "demo"]


def place(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


def run_blocks(page: Path) -> list:
    return [block for block in blocks_of(page) if not block.not_run]


def marks_of(page: Path) -> list:
    commands = [
        words
        for block in run_blocks(page)
        if block.language == "bash"
        for words, _ in commands_of(block.code)
    ]
    verbs = {words[1] for words in commands if words[0] == "histreg"}
    works = bool(verbs & WORK)
    later = works and place(page) not in IN_EVERY_RUN
    wants_dask = any(words[0] == "dask" for words in commands)
    wanted = [WANTS_PYTORCH] * ("train" in verbs) + [WANTS_DASK] * wants_dask
    return [pytest.mark.slow] * works + [*THOROUGH] * later + wanted


def to_be_run() -> list:
    return [pytest.param(page, id=place(page), marks=marks_of(page)) for page in PAGES if run_blocks(page)]


@pytest.mark.parametrize("page", to_be_run())
def test_a_page_is_done_as_it_stands(page, histreg, demo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    STAND_INS.get(place(page), lambda: None)()

    def run(words):
        assert words[0] == "histreg", words
        if words[1:] != DEMO:
            ended = histreg(*words[1:])
            return ended.code, ended.out + ended.err
        folder, said = demo()
        shutil.copytree(folder, "demo")
        return 0, said

    run_page(page, run, lambda: capsys.readouterr().out)


def options_of(verb) -> set[str]:
    return {name for option in verb.params for name in (*option.opts, *option.secondary_opts)}


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_command_and_option_exists(page):
    program = get_command(app)
    for block in blocks_of(page):
        if block.language != "bash":
            continue
        for words, _ in commands_of(block.code):
            if words[0] != "histreg":
                continue
            options = options_of(program.commands[words[1]]) | options_of(program)
            asked = {word.partition("=")[0] for word in words[2:] if word.startswith("-") and len(word) > 1}
            assert asked <= options | {"-h"}, words


def test_blocks_that_are_not_run_say_why():
    reasons = {block.not_run for page in PAGES for block in blocks_of(page)} - {""}
    assert reasons
    assert [reason for reason in reasons if not reason.startswith(WHY_NOT)] == []
    assert set(STAND_INS) <= {param.id for param in to_be_run()}


def test_commands_are_taken_apart_as_a_shell_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.svs", "a.svs"):
        Path(name).touch()
    code = "# a remark\nhistreg group *.svs \\\n  -o 'my case'   # it fails: ends with 3\n\nhistreg methods\n"
    assert list(commands_of(code)) == [
        (["histreg", "group", "a.svs", "b.svs", "-o", "my case"], 3),
        (["histreg", "methods"], 0),
    ]


def test_a_command_in_the_background_ends_with_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("beats.py").write_text(
        "import sys, time\nwhile True:\n    open(sys.argv[1], 'a').write('.')\n    time.sleep(0.02)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("ROW", "3")
    page = tmp_path / "page.md"
    page.write_text('```bash\nbeats one.json &\nhistreg cohort --row "$ROW"\n```\n', encoding="utf-8")
    seen = []
    run_page(page, lambda words: (seen.append((words, Path("one.json").exists())) or 0, ""), str)
    assert seen == [(["histreg", "cohort", "--row", "3"], True)]
    size = Path("one.json").stat().st_size
    time.sleep(0.2)
    assert Path("one.json").stat().st_size == size


def test_a_page_that_says_what_is_not_so_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nprint('one')\n```\n\n```text\ntwo\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="not printed"):
        run_page(page, lambda words: (0, ""), lambda: "one\n")
    page.write_text("```bash\nhistreg info lost.tif\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="ended with 1"):
        run_page(page, lambda words: (1, "lost.tif does not exist."), str)


def test_lines_are_looked_for_in_their_order():
    assert missing_lines(("one … three", "four"), "zero one two  three\nfour") == []
    assert missing_lines(("four", "one"), "one four") == ["one"]


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize("notebook", sorted(DOCS.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_the_cells_of_a_notebook_run(notebook, tmp_path, monkeypatch):
    import matplotlib

    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(codes) >= 2
    assert all(not cell.get("outputs") for cell in cells), (
        "kept without outputs: they are large, and grow old"
    )
    names: dict = {"__name__": "__notebook__"}
    for code in codes:
        exec(compile(code, notebook.name, "exec"), names)
