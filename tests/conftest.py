"""What all tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

from slow import SLOW

# How long an example takes says more about the machine than about the code.
settings.register_profile("histreg", deadline=None)
settings.load_profile("histreg")

TESTS = Path(__file__).resolve().parent
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real images with known truth that lies beside the checkout on development machines."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the folder of development images (shared/data beside the checkout) is not here")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `slow.py` lists, so that the quick loop leaves it out."""
    for item in items:
        if item.path.is_relative_to(TESTS):
            place = item.path.relative_to(TESTS).as_posix()
            name = item.name.partition("[")[0]
            if place in SLOW or f"{place}::{name}" in SLOW:
                item.add_marker(pytest.mark.slow)
