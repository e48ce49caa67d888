"""What a bent registration says place by place: how far it may be off, and where tissue is torn."""

from typing import Any

import numpy as np

from napari_histreg.geometry import FloatArray
from napari_histreg.records.record import Registration

__all__ = ["EXPECTED_ERROR", "TABLES", "TORN", "expected_error", "torn_places"]

EXPECTED_ERROR = "expected error (90 %) at y, x"
"""Score of the step "bend": rows of y, x and the distance within which nine of ten errors should lie."""

TORN = "torn or folded at y, x, by"
"""Score of the step "bend": rows of y, x and how much further apart the moving tissue lies there."""

TABLES = (EXPECTED_ERROR, TORN)


def expected_error(registration: Registration) -> FloatArray:
    """Return how far a bent alignment may be off, place by place.

    Returns
    -------
    (N, 3) ndarray
        y, x and the distance within which nine of ten errors should lie, in the fixed slide's world units;
        no rows where the tissue was not bent by tiles.
    """
    return _rows(registration, EXPECTED_ERROR)


def torn_places(registration: Registration) -> FloatArray:
    """Return where the tissue is torn or folded.

    Returns
    -------
    (N, 3) ndarray
        y, x and by how much the moving tissue lies further apart there, in the fixed slide's world units;
        negative where it lies over itself.
    """
    return _rows(registration, TORN)


def _rows(registration: Registration, key: str) -> FloatArray:
    rows: Any = next((step.scores[key] for step in registration.steps if key in step.scores), None)
    return np.asarray(rows if rows else np.zeros((0, 3)), float).reshape(-1, 3)
