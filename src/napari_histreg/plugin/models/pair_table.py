"""The table of pairs as it is shown: numbers, errors, doubts and colours."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_histreg.plugin.models.session import Session

__all__ = [
    "OFF_COLOUR",
    "UNKNOWN_COLOUR",
    "Order",
    "PairRow",
    "error_colour",
    "error_text",
    "pair_rows",
]

Order = Literal["number", "worst first"]

UNKNOWN_COLOUR = "#f2f2f2"
"""Of pairs whose error cannot be told yet."""
OFF_COLOUR = "#808080"
"""Of pairs that are switched off."""
SCALE = ("#4c9be8", "#8fc7c9", "#ffe08a", "#f79256", "#d7263d")
"""From small errors to large ones; told apart by colour-blind eyes too."""
STEPS_UM = (2.0, 4.0, 8.0, 16.0)
"""Where one colour gives way to the next: a quarter, half, one and two nuclei of 8 µm."""
UNKNOWN_PIXEL_UM = 0.5
"""Taken for the size of a pixel, for colours only, where the slide does not know it: that of a 20x scan."""


@dataclass(frozen=True)
class PairRow:
    """One row of the table.

    Parameters
    ----------
    pair_id : int
        The pair's stable id.
    number : int
        Its number, in the order in which the pairs were made, from 1.
    name : str
    enabled : bool
        Whether it counts.
    placed : bool
        Whether both its points are there.
    residual, leave_one_out : float
        In the fixed slide's world units; NaN where unknown.
    residual_px, leave_one_out_px : float
        In level-0 pixels of the fixed slide.
    colour : str
        "#rrggbb" by the error that the other pairs predict; see `error_colour`.
    doubt : str
        Why it is likely wrong; empty where it is not.
    """

    pair_id: int
    number: int
    name: str
    enabled: bool
    placed: bool
    residual: float
    leave_one_out: float
    residual_px: float
    leave_one_out_px: float
    colour: str
    doubt: str


def pair_rows(session: Session, order: Order = "number") -> list[PairRow]:
    """Return the rows of the table.

    Parameters
    ----------
    session : Session
    order : {"number", "worst first"}
        The worst is the one that is farthest off where the others predict it, or else by its residual.

    Returns
    -------
    list of PairRow
    """
    state = session.state
    landmarks, pair_fit = state.landmarks, state.pair_fit
    pixel = np.ones(2) if session.fixed is None else np.asarray(session.fixed.slide.world_pixel_size)
    residual = np.linalg.norm(pair_fit.residual_vectors, axis=1)
    left_out = np.linalg.norm(pair_fit.leave_one_out_vectors, axis=1)
    residual_px = np.linalg.norm(pair_fit.residual_vectors / pixel, axis=1)
    left_out_px = np.linalg.norm(pair_fit.leave_one_out_vectors / pixel, axis=1)
    doubts = {} if state.fit is None else {outlier.index: outlier.reason for outlier in state.fit.outliers}
    um = 1.0 if session.unit == "um" else UNKNOWN_PIXEL_UM
    rows = [
        PairRow(
            pair_id=state.pair_ids[k],
            number=k + 1,
            name=landmarks.names[k],
            enabled=bool(landmarks.enabled[k]),
            placed=bool(landmarks.placed[k]),
            residual=float(residual[k]),
            leave_one_out=float(left_out[k]),
            residual_px=float(residual_px[k]),
            leave_one_out_px=float(left_out_px[k]),
            colour=error_colour(float(left_out[k]) * um) if landmarks.enabled[k] else OFF_COLOUR,
            doubt=doubts.get(k, ""),
        )
        for k in range(len(landmarks))
    ]
    if order == "worst first":
        rows.sort(key=lambda row: -_badness(row))
    return rows


def error_colour(error_um: float) -> str:
    """Return the colour of an error, as "#rrggbb", by how many nuclei it is.

    Examples
    --------
    >>> [SCALE.index(error_colour(um)) for um in (0.4, 3.0, 7.9, 13.7, 40.0)]
    [0, 1, 2, 3, 4]
    >>> error_colour(float("nan"))
    '#f2f2f2'
    """
    if not math.isfinite(error_um):
        return UNKNOWN_COLOUR
    return SCALE[sum(error_um > step for step in STEPS_UM)]


def error_text(error: float) -> str:
    """Write an error with three digits at most; a dash where it is unknown.

    Examples
    --------
    >>> error_text(0.0312), error_text(3.14159), error_text(271.8), error_text(float("nan"))
    ('0.03', '3.1', '272', '–')
    """
    if not math.isfinite(error):
        return "–"
    digits = 0 if error >= 100 else 1 if error >= 1 else 2
    return f"{error:.{digits}f}"


def _badness(row: PairRow) -> float:
    if not row.placed:
        return -1.0
    known = [error for error in (row.leave_one_out, row.residual) if math.isfinite(error)]
    return known[0] if known else 0.0
