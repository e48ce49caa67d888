"""The house stands as drawn: light imports, public names, no path from below to above."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

import napari_histreg

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools" / "docsite"))

from pages import MADE  # noqa: E402

HEAVY = (
    "itk",
    "cv2",
    "SimpleITK",
    "matplotlib",
    "napari",
    "qtpy",
    "PyQt6",
    "PySide6",
    "skimage",
    "pandas",
    "torch",
)


def modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()}


def test_importing_the_package_imports_nothing_heavy():
    assert not modules_after("import napari_histreg").intersection(HEAVY)


def test_public_types_come_without_an_engine_or_a_window():
    found = modules_after("from napari_histreg import open_slide, register, Landmarks, Affine")
    assert not found.intersection({"itk", "SimpleITK", "matplotlib", "napari", "qtpy", "PyQt6", "torch"})


def test_every_public_name_is_there():
    for name in napari_histreg.__all__:
        assert getattr(napari_histreg, name) is not None
    assert set(napari_histreg.__all__) <= set(dir(napari_histreg))


def test_rooms_import_downwards_only():
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


def rooms() -> set[str]:
    """Name the rooms and single files of the package."""
    found = (ROOT / "src" / "napari_histreg").iterdir()
    return {path.stem for path in found if path.suffix == ".py" or (path / "__init__.py").is_file()}


def test_the_contract_about_qt_covers_every_room_but_the_plugin():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (contract,) = (c for c in contracts["contracts"] if c["name"].startswith("Only the plugin"))
    covered = {name.removeprefix("napari_histreg.") for name in contract["source_modules"]}
    assert covered == rooms() - {"plugin", "__init__", "__main__"}


def test_no_file_imports_itself_by_a_detour():
    """No circles, inside rooms neither; imports inside functions and for types count too."""
    graph = grimp.build_graph("napari_histreg")
    modules = sorted(graph.modules)
    number = {name: k for k, name in enumerate(modules)}
    arrows = [
        (number[name], number[other])
        for name in modules
        for other in graph.find_modules_directly_imported_by(name)
    ]
    rows, columns = np.transpose(arrows)
    table = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(modules),) * 2)
    count, circle = connected_components(table, connection="strong")
    circles = [[modules[m] for m in np.flatnonzero(circle == k)] for k in range(count)]
    assert [members for members in circles if len(members) > 1] == []


def test_every_source_file_has_its_room_in_the_docs():
    drawn = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [path.name for path in (ROOT / "src" / "napari_histreg").iterdir() if path.is_dir()]
    missing = [room for room in rooms if not room.startswith("_") and f"{room}/" not in drawn]
    assert not missing


def test_questions_of_a_newcomer_are_answered_by_the_tree():
    drawn = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    answers = re.findall(r"^\| (Where .*\?) \| `(\S+)` \| `(.+)` \|$", drawn, re.MULTILINE)
    assert len(answers) >= 5
    for question, path, words in answers:
        assert words in (ROOT / path).read_text(encoding="utf-8"), question


def test_what_the_pages_and_workflows_name_is_there():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.yml")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for word in re.findall(r"(?:run: |`|^)make ([a-z]+)", text, re.MULTILINE):
            assert word in targets, (page.name, word)
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            place = (page.parent / link).resolve()
            made = place.is_relative_to(ROOT / "docs") and place.relative_to(ROOT / "docs").as_posix()
            drawn = place.parent.name == "pictures" and place.with_suffix(".py").exists()
            assert place.exists() or drawn or made in MADE, (page.name, link)


def test_pictures_in_the_docs_stay_small():
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size <= 300_000, f"{picture.name}: run python tools/shrink.py on it"


def test_halls_are_not_crowded():
    for room in ("methods", "plugin"):
        flat = [path.name for path in (ROOT / "src" / "napari_histreg" / room).glob("*.py")]
        assert len(flat) <= 8, (room, flat)


def test_no_machine_paths_in_the_project():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    pattern = re.compile(r"/(work|home|root|Users)/\w")
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".sh"} and path.is_file():
            found = pattern.search(path.read_text(encoding="utf-8"))
            assert found is None or name == "tests/test_architecture.py", (name, found)
