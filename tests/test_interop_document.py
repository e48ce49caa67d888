"""docs/reference/interop.md says of each dialect what the tables in the code say."""

from pathlib import Path

import pytest

from napari_histreg.landmarks import DIALECTS as LANDMARKS
from napari_histreg.landmarks import LandmarkDialect
from napari_histreg.transforms.formats import DIALECTS as TRANSFORMS
from napari_histreg.transforms.formats import TransformDialect

DOCUMENT = Path(__file__).parents[1] / "docs" / "reference" / "interop.md"
UNITS = {"px": "level-0 pixels", "world": "world units (µm)", "um": "µm", "mm": "mm"}


def transform_row(dialect: TransformDialect) -> str:
    direction = dialect.direction.replace("_to_", " → ")
    suffixes = " ".join(f"`{suffix}`" for suffix in dialect.suffixes)
    cells = [
        f"`{dialect.name}`",
        dialect.title,
        suffixes,
        direction,
        ", ".join(dialect.axes),
        UNITS[dialect.unit],
        dialect.origin,
    ]
    return f"| {' | '.join(cells)} |"


def carrying_row(dialect: TransformDialect) -> str:
    needs = ", ".join(dialect.needs) or "nothing"
    return f"| `{dialect.name}` | {', '.join(dialect.carries)} | {needs} | {dialect.note} |"


def landmark_row(dialect: LandmarkDialect) -> str:
    kept = [
        word
        for word, holds in {
            "names": dialect.holds_names,
            "on/off": dialect.holds_enabled,
            "unplaced points": dialect.holds_unplaced,
        }.items()
        if holds
    ]
    cells = [
        f"`{dialect.name}`",
        dialect.title,
        " ".join(f"`{suffix}`" for suffix in dialect.suffixes),
        "one per image" if dialect.side_files else "one",
        UNITS[dialect.unit],
        dialect.origin,
        ", ".join(kept) or "points only",
    ]
    return f"| {' | '.join(cells)} |"


ROWS = [
    *map(transform_row, TRANSFORMS.values()),
    *map(carrying_row, TRANSFORMS.values()),
    *map(landmark_row, LANDMARKS.values()),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip(" `"))
def test_the_document_has_the_row(row: str) -> None:
    assert row in DOCUMENT.read_text(encoding="utf-8").splitlines()


def test_the_document_has_no_other_rows() -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(ROWS)
