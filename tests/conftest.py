"""What all tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("histreg", deadline=None)
settings.load_profile("histreg")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real images with known truth that lies beside the checkout on development machines."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the folder of development images (shared/data beside the checkout) is not here")
    return SHARED
