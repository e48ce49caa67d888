"""Small series with a known truth."""

import pytest

from napari_histreg.samples import phantom_projections


@pytest.fixture(scope="session")
def scan():
    """Sixty projections with jitter of up to 4 px and 2 % noise."""
    return phantom_projections(60, (64, 64), jitter_px=4, noise=0.02, axis_offset_px=2, seed=1)
